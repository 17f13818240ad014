"""The judge: every receipt against the database, every lead against its contact.

The judge knows the protocol's promises and none of its code: what a lead says is taken from the
visitor who sent it, what a contact holds and how it came to it from the sandbox's own history.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tests.proofs.faults.history import Contact, judge_history
from tests.proofs.faults.ledger import Kept
from tests.proofs.faults.violations import Violation
from tests.proofs.faults.visitors import Sent

if TYPE_CHECKING:
    from tests.proofs.faults.people import Lead


def judge(
    sent: Iterable[Sent],
    kept: list[Kept],
    contacts: list[Contact],
    fields: dict[str, str],
) -> Iterator[Violation]:
    """Everything that is wrong once all is delivered.

    Args:
        sent: what visitors sent, and whether they got a receipt.
        kept: the ledger.
        contacts: the sandbox's, with history.
        fields: key to display name of the extended fields.
    """
    sent = list(sent)
    yield from _receipts(sent, kept)
    yield from _done(kept)
    yield from _identities(contacts)
    leads = {each.lead.ref: each.lead for each in sent}
    by_id = {contact.id: contact for contact in contacts}
    deliveries: dict[str, list[tuple[Kept, Lead]]] = defaultdict(list)
    for row in kept:
        if row.contact_id is None or row.state != "delivered":
            continue
        if row.contact_id not in by_id:
            yield Violation("lost", f"lead {row.ref}: contact {row.contact_id} isn't there")
        deliveries[row.contact_id].append((row, leads[row.ref]))
    for contact in contacts:
        if contact.id not in deliveries:
            yield Violation("orphan", f"contact {contact.id}")
        else:
            yield from judge_history(contact, deliveries[contact.id], fields)


def _receipts(sent: list[Sent], kept: list[Kept]) -> Iterator[Violation]:
    count = Counter(row.ref for row in kept)
    known = {each.lead.ref for each in sent}
    for each in sent:
        if each.receipt and not count[each.lead.ref]:
            yield Violation("lost", f"lead {each.lead.ref}: a receipt, but no submission")
        if count[each.lead.ref] > 1:
            yield Violation("kept_twice", f"lead {each.lead.ref}: {count[each.lead.ref]} times")
        if each.refused:
            yield Violation("refused", f"lead {each.lead.ref}: {each.refused}")
    for ref in count.keys() - known:
        yield Violation("kept_twice", f"lead {ref!r}: nobody sent it")


def _done(kept: list[Kept]) -> Iterator[Violation]:
    for row in kept:
        if row.delivery is None:
            yield Violation("lost", f"lead {row.ref}: a submission without a delivery")
        elif row.state == "failed":
            yield Violation("failed", f"lead {row.ref}, delivery {row.delivery}: {row.reason}")
        elif row.state != "delivered":
            yield Violation("stuck", f"lead {row.ref}, delivery {row.delivery}: {row.reason}")
        elif row.outcome is None or row.contact_id is None:
            yield Violation("outcome", f"delivery {row.delivery} has no outcome or no contact")


def _identities(contacts: list[Contact]) -> Iterator[Violation]:
    """One contact for each e-mail, and none for a phone alone that another contact came with.

    The other way round there may be two: who gave a phone alone may be anybody of a household.
    """
    holders: dict[str, list[str]] = defaultdict(list)
    came_with: dict[str, str] = {}
    for contact in sorted(contacts, key=lambda each: each.made_at):
        for email in contact.emails:
            holders[email].append(contact.id)
        for phone in contact.phones[:1]:
            if not contact.emails and phone in came_with:
                yield Violation("duplicate", f"{phone}: {came_with[phone]}, {contact.id}")
            if contact.made_with_phone:
                came_with.setdefault(phone, contact.id)
    for identity, ids in holders.items():
        if len(ids) > 1:
            yield Violation("duplicate", f"{identity}: {', '.join(ids)}")
