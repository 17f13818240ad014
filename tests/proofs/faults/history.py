"""One contact: what it holds, how it came to it, and whether its leads had their due.

The sandbox notes every write with who it was (`key`: formapp, `app`: somebody else) and what
changed from what to what.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.proofs.faults.ledger import Kept
from tests.proofs.faults.people import Lead
from tests.proofs.faults.violations import Violation

Json = dict[str, Any]
Deliveries = list[tuple[Kept, Lead]]
OURS = "key"
OVERWRITABLE = {"jobTitle", "Budget", "Last reference"}
"""What the harness's forms may overwrite: properties, and extended fields by display name."""

_LISTS = {"emails", "phones", "addresses", "labelKeys"}


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of the sandbox; keys of labels and extended fields are display names here."""

    id: str
    held: Json
    history: list[Json]
    emails: list[str]
    phones: list[str]
    labels: list[str]

    @property
    def made_at(self) -> str:
        """When it was made (ISO 8601, UTC)."""
        return str(self.history[0]["time"])

    @property
    def made_with_phone(self) -> bool:
        """Whether it had a phone from the beginning."""
        return any(change["field"] == "phones" for change in self.history[0]["changes"])

    @classmethod
    def read(cls, shown: Json, labels: dict[str, str], fields: dict[str, str]) -> "Contact":
        """Take it from the sandbox's whole state."""
        info = shown["contact"]["info"]
        items = {name: info.get(name, {}).get("items", []) for name in _LISTS}
        held = {f"name.{part}": text for part, text in info.get("name", {}).items()}
        held |= {name: info[name] for name in ("company", "jobTitle", "birthdate") if name in info}
        extended = info.get("extendedFields", {}).get("items", {})
        held |= {fields[key]: value for key, value in extended.items()}
        cities = [one["address"].get("city") for one in items["addresses"]]
        held |= {"city": cities[0]} if cities else {}
        return cls(
            shown["contact"]["id"],
            held,
            shown["history"],
            [one["email"].lower() for one in items["emails"]],
            [one.get("e164Phone") or one["phone"] for one in items["phones"]],
            [labels[key] for key in items["labelKeys"]],
        )


def judge_history(
    contact: Contact, deliveries: Deliveries, fields: dict[str, str]
) -> Iterator[Violation]:
    """Everything that is wrong with one contact.

    Args:
        contact: as it is at the end.
        deliveries: those that ended with it, in the order in which their leads came.
        fields: key to display name of the extended fields.
    """
    yield from _kept_everything(contact, deliveries)
    yield from _filled_by_the_first(contact, deliveries)
    yield from _nothing_overwritten(contact, fields)
    yield from _applied_once(contact, deliveries, fields)
    yield from _outcomes(contact, deliveries)


def _kept_everything(contact: Contact, deliveries: Deliveries) -> Iterator[Violation]:
    """What each lead said is there, or something is that was there before it."""
    if len(set(contact.labels)) != len(contact.labels):
        yield Violation("twice", f"contact {contact.id}: a label stands there twice")
    for row, lead in deliveries:
        missing = [name for name in lead.labels if name not in contact.labels]
        missing += [name for name in lead.fields if name not in contact.held]
        missing += [name for name in lead.overwrites if name not in contact.held]
        if lead.email and lead.email not in contact.emails:
            missing.append("e-mail")
        if lead.email or row.outcome == "created":
            missing += [name for name in lead.fills if name not in contact.held]
            if lead.phone and (
                lead.phone not in contact.phones if lead.appends_phone else not contact.phones
            ):
                missing.append("phone")
        if missing:
            yield Violation("lost", f"lead {lead.ref}, contact {contact.id}: no {missing}")


def _filled_by_the_first(contact: Contact, deliveries: Deliveries) -> Iterator[Violation]:
    """What was blank has the first lead's word, what is overwritten the last one's."""
    first: Json = {}
    last: Json = {}
    for row, lead in deliveries:
        if lead.email or row.outcome == "created":
            first = {**lead.fills, **first}
        first = {**lead.fields, **first}
        last |= lead.overwrites
    others = _changed_by_others(contact)
    for name, value in {**first, **last}.items():
        if contact.held.get(name) != value and name not in others:
            found = contact.held.get(name)
            yield Violation("overwritten", f"contact {contact.id}: {name} is {found}, not {value}")


def _changed_by_others(contact: Contact) -> set[str]:
    return {
        change["field"]
        for entry in contact.history
        if entry["by"] != OURS
        for change in entry["changes"]
    }


def _nothing_overwritten(contact: Contact, fields: dict[str, str]) -> Iterator[Violation]:
    """No write of ours changed or removed what was there; nor what somebody else had edited."""
    for entry in contact.history:
        for change in entry["changes"] if entry["by"] == OURS else []:
            name, before, after = change["field"], change["before"], change["after"]
            known = fields.get(name.removeprefix("extendedFields."), name)
            # Fields of the system's own follow others, such as the name to be shown.
            of_the_system = name.startswith("extendedFields.") and ".custom." not in name
            if before is None or known in OVERWRITABLE or of_the_system:
                continue
            added = isinstance(before, list) and set(before) <= set(after or [])
            if not added:
                detail = f"contact {contact.id}, revision {entry['revision']}: {name}"
                yield Violation("overwritten", f"{detail} was {before}, is {after}")


def _applied_once(
    contact: Contact, deliveries: Deliveries, fields: dict[str, str]
) -> Iterator[Violation]:
    """Each lead left its reference once, in the order in which leads came."""
    order = [lead.ref for _, lead in deliveries if "Last reference" in lead.overwrites]
    left = [
        change["after"]
        for entry in contact.history
        if entry["by"] == OURS
        for change in entry["changes"]
        if fields.get(change["field"].removeprefix("extendedFields.")) == "Last reference"
    ]
    if left != order:
        yield Violation("twice", f"contact {contact.id}: references {left}, leads {order}")
    writes = [entry for entry in contact.history if entry["by"] == OURS]
    if len(writes) > len(deliveries):
        detail = f"{len(writes)} writes for {len(deliveries)} leads"
        yield Violation("twice", f"contact {contact.id}: {detail}")


def _outcomes(contact: Contact, deliveries: Deliveries) -> Iterator[Violation]:
    """One `created`, for the first lead; as many `updated` as there were updates.

    One exception can't be told apart by anybody who asks Wix: an update that never arrived, and
    somebody else who meanwhile filled what it was to fill. The ledger may call that `updated`.
    """
    outcomes = [row.outcome for row, _ in deliveries]
    created = [index for index, outcome in enumerate(outcomes) if outcome == "created"]
    if created != [0]:
        yield Violation("outcome", f"contact {contact.id}: {outcomes}")
    ours = [e for e in contact.history if e["by"] == OURS and e["operation"] == "updateContact"]
    too_many = outcomes.count("updated") - len(ours)
    if not 0 <= too_many <= _filled_by_others(contact, deliveries):
        detail = f"{len(ours)} updates in its history, {outcomes.count('updated')} in the ledger"
        yield Violation("outcome", f"contact {contact.id}: {detail}")


def _filled_by_others(contact: Contact, deliveries: Deliveries) -> int:
    """How many blanks somebody else filled that leads wanted to fill."""
    wanted = {name for _, lead in deliveries for name in lead.fills}
    return sum(
        change["field"] in wanted and change["before"] is None
        for entry in contact.history
        if entry["by"] != OURS
        for change in entry["changes"]
    )
