"""Finding the contact of a lead: the one remembered, else Find Duplicate Contact."""

from formapp.delivery.decide import Found
from formapp.delivery.gate import Gate
from formapp.lead import Lead
from formapp.submissions.claims import Claim
from formapp.submissions.memory import Memory
from formapp.wix import Contact, NotFound, normalise_email


def find(gate: Gate, memory: Memory, claim: Claim) -> Found:
    """Find the contact: after an update whose outcome is unknown, the one it went to.

    Raises:
        WixError: a call did not succeed.
    """
    lead, intent = claim.lead, claim.intent
    if intent and intent.contact_id and (found := reread(gate, memory, lead, intent.contact_id)):
        return found
    identity = lead.email_identity or lead.phone_identity
    remembered = memory.contact(claim.site, identity) if identity else None
    if remembered and (found := reread(gate, memory, lead, remembered)):
        return found
    return look_up(gate, lead)


def reread(gate: Gate, memory: Memory, lead: Lead, contact_id: str) -> Found | None:
    """Get the contact; None, and it is forgotten, if it is gone or is somebody else by now.

    Raises:
        WixError: the call did not succeed.
    """
    try:
        contact = gate.wix.contacts.get(contact_id).contact
    except NotFound:
        memory.forget_contact(gate.site, contact_id)
        return None
    found = as_found(contact, lead)
    if found is None:
        memory.forget_contact(gate.site, contact_id)
    return found


def as_found(contact: Contact, lead: Lead) -> Found | None:
    """The contact as a match of this lead; None if it carries neither e-mail nor phone of it."""
    if lead.email_identity:
        held = {normalise_email(email.address) for email in contact.info.emails}
        return Found(contact, "email") if lead.email_identity in held else None
    numbers = {value for phone in contact.info.phones for value in (phone.e164, phone.number)}
    return Found(contact, "phone") if lead.phone_identity in numbers else None


def look_up(gate: Gate, lead: Lead) -> Found:
    """Find Duplicate Contact, in one call.

    Raises:
        WixError: the call did not succeed.
    """
    email, phone = lead.email, lead.phones[0] if lead.phones else None
    match = gate.wix.find_duplicate(
        email=email.address if email else None,
        typed_email=email.typed if email else None,
        phone=phone.typed if phone else None,
        country=phone.country if phone else None,
        also_report_phone=True,
    )
    flags = []
    if match.contact and match.others:
        ids = ", ".join(match.others)
        flags.append(f"other contacts have this e-mail or phone, too: {ids}")
    if match.matched_by == "phone":
        flags.append("matched by the phone alone: personal fields were left as they are")
    return Found(match.contact, match.matched_by, tuple(flags))
