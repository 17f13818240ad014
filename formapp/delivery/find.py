"""Finding the contact of a lead: the one remembered, else Find Duplicate Contact."""

from datetime import timedelta

from formapp.delivery.claims import Claim
from formapp.delivery.client import RateLimitedClient
from formapp.delivery.contact_cache import ContactCache
from formapp.delivery.decide import Found
from formapp.delivery.lists import same_number
from formapp.lead import Lead
from formapp.wix import Contact, NotFoundError, normalise_email

SKEW = timedelta(minutes=1)
"""How far Wix's clock may be behind ours."""


def find(gate: RateLimitedClient, memory: ContactCache, claim: Claim) -> Found:
    """Find the contact: after an update whose outcome is unknown, the one it went to.

    Raises:
        WixError: a call did not succeed.
    """
    lead, intent = claim.lead, claim.intent
    if intent and intent.contact_id and (found := reread(gate, memory, lead, intent.contact_id)):
        return found
    identity = lead.email_identity or lead.phone_identity
    if identity is None:
        return _own_creation(gate, memory, claim)
    remembered = memory.contact(claim.site, identity)
    if remembered and (found := reread(gate, memory, lead, remembered)):
        return found
    return look_up(gate, lead)


def _own_creation(gate: RateLimitedClient, memory: ContactCache, claim: Claim) -> Found:
    """Somebody with a name alone is never a duplicate (11.2): only an own create is looked for.

    Without this a create whose answer was lost would be repeated, and make a second contact. What
    another lead of the same name made is told apart by the ledger.
    """
    lead, intent = claim.lead, claim.intent
    parts = {"first": lead.first_name, "last": lead.last_name}
    names = {f"info.name.{part}": text.value for part, text in parts.items() if text}
    if intent is None or intent.operation != "create" or not names:
        return Found()
    rows = gate.wix.contacts.query(
        {
            **names,
            "createdDate": {"$gte": (intent.since - SKEW).strftime("%Y-%m-%dT%H:%M:%S.000Z")},
        },
        fieldsets=["FULL"],
    )
    candidates = [row for row in rows if not (row.info.emails or row.info.phones)]
    others = memory.delivered_to(claim.site, [row.id for row in candidates])
    return Found(next((row for row in candidates if row.id not in others), None))


def reread(
    gate: RateLimitedClient, memory: ContactCache, lead: Lead, contact_id: str
) -> Found | None:
    """Get the contact; None, and it is forgotten, if it is gone or is somebody else by now.

    Raises:
        WixError: the call did not succeed.
    """
    try:
        contact = gate.wix.contacts.get(contact_id).contact
    except NotFoundError:
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
    phones = contact.info.phones
    if lead.phones and any(same_number(phone, lead.phones[0]) for phone in phones):
        return Found(contact, "phone")
    return None


def look_up(gate: RateLimitedClient, lead: Lead) -> Found:
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
    return Found(match.contact, match.matched_by, tuple(flags))
