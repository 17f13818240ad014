"""What is to be done with a lead, given what was found. Pure."""

from dataclasses import dataclass, field
from typing import Literal

from formapp.delivery.contact_info import Keys, new_contact
from formapp.delivery.merge import changes
from formapp.lead import Lead
from formapp.wix import Contact, InfoBody


@dataclass(frozen=True, slots=True)
class Found:
    """What the look-up found.

    Attributes:
        contact: complete and with its revision, or None.
        matched_by: what it was matched by. A phone is a weak match.
        flags: sentences for the owner, with ids only.
    """

    contact: Contact | None = None
    matched_by: Literal["email", "phone"] | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Create:
    """No contact is this person: create one, with duplicates disallowed."""

    info: InfoBody = field(repr=False)


@dataclass(frozen=True, slots=True)
class Update:
    """Send exactly what the contact lacks, with the revision that was read."""

    contact_id: str
    revision: int
    info: InfoBody = field(repr=False)


@dataclass(frozen=True, slots=True)
class Nothing:
    """The contact has it all."""

    contact_id: str


Decision = Create | Update | Nothing


def decide(lead: Lead, found: Found, keys: Keys) -> Decision:
    """Create, update with what is lacking, or nothing.

    Applied to its own result it answers `Nothing`: that is what makes every repetition harmless.
    """
    if found.contact is None:
        return Create(new_contact(lead, keys))
    contact = found.contact
    personal = found.matched_by == "email" and not contact.is_member
    info = changes(contact, lead, keys, personal=personal)
    return Update(contact.id, contact.revision, info) if info else Nothing(contact.id)
