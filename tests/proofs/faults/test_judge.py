"""The judge sees each kind of violation; a judge who sees nothing would pass everything."""

from dataclasses import replace
from typing import Any

from tests.proofs.faults.history import Contact
from tests.proofs.faults.judge import judge
from tests.proofs.faults.ledger import Kept
from tests.proofs.faults.people import Lead
from tests.proofs.faults.visitors import Sent

EMAIL = "ines@example.com"
FIELDS = {"custom.ref": "Last reference"}
LABELS = {"custom.lead": "Faults lead"}
LEAD = Lead("1", "quote", {}, EMAIL, None, ("Faults lead",), overwrites={"Last reference": "1"})
KEPT = Kept("s1", "1", 1, "delivered", "created", "c1", None, [])


def entry(by: str, operation: str, *changes: tuple[str, Any, Any]) -> dict[str, Any]:
    return {
        "time": "2026-03-02T12:00:00.000Z",
        "operation": operation,
        "by": by,
        "revision": 1,
        "changes": [{"field": name, "before": old, "after": new} for name, old, new in changes],
    }


CREATED = entry(
    "key",
    "createContact",
    ("emails", None, [EMAIL]),
    ("labelKeys", None, ["custom.lead"]),
    ("extendedFields.custom.ref", None, "1"),
)
HELD = {"Last reference": "1"}
CONTACT = Contact("c1", HELD, [CREATED], [EMAIL], [], ["Faults lead"])


def kinds(
    *contacts: Contact,
    sent: tuple[Sent, ...] = (Sent(LEAD, receipt=True),),
    kept: tuple[Kept, ...] = (KEPT,),
) -> set[str]:
    return {each.kind for each in judge(sent, list(kept), list(contacts), FIELDS)}


def with_history(*entries: dict[str, Any], **more: Any) -> Contact:
    return replace(CONTACT, history=[CREATED, *entries], **more)


def test_all_is_well_when_it_is() -> None:
    assert kinds(CONTACT) == set()


def test_a_receipt_without_a_submission_is_a_loss() -> None:
    second = Sent(replace(LEAD, ref="2"), receipt=True)
    assert kinds(CONTACT, sent=(Sent(LEAD, receipt=True), second)) == {"lost"}


def test_no_receipt_and_no_submission_is_none() -> None:
    assert kinds(CONTACT, sent=(Sent(LEAD), Sent(replace(LEAD, ref="2")))) == set()


def test_a_lead_that_is_not_in_its_contact_is_a_loss() -> None:
    assert "lost" in kinds(replace(CONTACT, labels=[]))
    assert "lost" in kinds(replace(CONTACT, emails=["other@example.com"]))
    assert kinds() == {"lost"}


def test_a_delivery_that_failed_or_waits_is_seen() -> None:
    assert kinds(CONTACT, kept=(replace(KEPT, state="failed"),)) == {"failed", "orphan"}
    assert kinds(CONTACT, kept=(replace(KEPT, state="pending"),)) == {"stuck", "orphan"}


def test_a_lead_that_was_kept_twice_or_refused_is_seen() -> None:
    assert "kept_twice" in kinds(CONTACT, kept=(KEPT, replace(KEPT, delivery=2)))
    assert kinds(CONTACT, sent=(Sent(LEAD, receipt=True, refused=422),)) == {"refused"}


def test_two_contacts_of_one_email_are_seen() -> None:
    assert kinds(CONTACT, replace(CONTACT, id="c2")) == {"duplicate", "orphan"}


def test_a_contact_for_a_phone_that_another_one_came_with_is_seen() -> None:
    phone = entry("key", "createContact", ("phones", None, ["+44"]))
    first = replace(CONTACT, phones=["+44"], history=[{**CREATED, "changes": phone["changes"]}])
    later = {**phone, "time": "2026-03-02T12:05:00.000Z"}
    alone = Contact("c2", {}, [later], [], ["+44"], [])
    assert "duplicate" in kinds(first, alone)
    earlier = {**phone, "time": "2026-03-02T11:00:00.000Z"}
    assert "duplicate" not in kinds(first, replace(alone, history=[earlier]))


def test_what_others_wrote_and_we_changed_is_seen() -> None:
    edit = entry("app", "updateContact", ("company", None, "Barco"))
    ours = entry("key", "updateContact", ("company", "Barco", "Other"))
    assert "overwritten" in kinds(with_history(edit, ours))


def test_an_item_of_a_list_that_vanished_is_seen() -> None:
    ours = entry("key", "updateContact", ("labelKeys", ["a", "b"], ["b", "c"]))
    assert "overwritten" in kinds(with_history(ours))
    added = entry("key", "updateContact", ("labelKeys", ["a", "b"], ["a", "b", "c"]))
    assert "overwritten" not in kinds(with_history(added))


def test_a_blank_that_a_later_lead_filled_though_an_earlier_one_had_it_is_seen() -> None:
    lead = replace(LEAD, fills={"company": "Barco"})
    sent = (Sent(lead, receipt=True),)
    assert kinds(replace(CONTACT, held={**HELD, "company": "Barco"}), sent=sent) == set()
    assert kinds(replace(CONTACT, held={**HELD, "company": "X"}), sent=sent) == {"overwritten"}


def test_a_lead_that_was_applied_again_after_another_is_seen() -> None:
    second = replace(LEAD, ref="2", overwrites={"Last reference": "2"})
    sent = (Sent(LEAD, receipt=True), Sent(second, receipt=True))
    kept = (KEPT, replace(KEPT, submission="s2", ref="2", delivery=2, outcome="updated"))
    once = entry("key", "updateContact", ("extendedFields.custom.ref", "1", "2"))
    again = entry("key", "updateContact", ("extendedFields.custom.ref", "2", "1"))
    fine = with_history(once, held={"Last reference": "2"})
    assert kinds(fine, sent=sent, kept=kept) == set()
    assert "twice" in kinds(with_history(once, again), sent=sent, kept=kept)


def test_a_ledger_that_tells_another_story_is_seen() -> None:
    assert kinds(CONTACT, kept=(replace(KEPT, outcome="unchanged"),)) == {"outcome"}
    ours = entry("key", "updateContact", ("company", None, "Barco"))
    second = replace(LEAD, ref="2", overwrites={}, fills={"company": "Barco"})
    sent = (Sent(LEAD, receipt=True), Sent(second, receipt=True))
    row = replace(KEPT, submission="s2", ref="2", delivery=2, outcome="unchanged")
    contact = with_history(ours, held={**HELD, "company": "Barco"})
    assert kinds(contact, sent=sent, kept=(KEPT, row)) == {"outcome"}
    assert kinds(contact, sent=sent, kept=(KEPT, replace(row, outcome="updated"))) == set()


def test_an_update_that_somebody_else_forestalled_may_be_told_as_ours() -> None:
    edit = entry("app", "updateContact", ("company", None, "Other"))
    second = replace(LEAD, ref="2", overwrites={}, fills={"company": "Barco"})
    sent = (Sent(LEAD, receipt=True), Sent(second, receipt=True))
    row = replace(KEPT, submission="s2", ref="2", delivery=2, outcome="updated")
    contact = with_history(edit, held={**HELD, "company": "Other"})
    assert kinds(contact, sent=sent, kept=(KEPT, row)) == set()
