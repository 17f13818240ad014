"""Find Duplicate Contact: a client routine over Query Contacts (contract section 11.3, 1 to 5).

It only predicts. Wix's own check in Create and Update is the authority.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import phonenumbers

from formapp.wix.contacts import Contacts
from formapp.wix.models import Contact


def _parsed(number: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    # "Possible" looks at the length alone: number plans change, and a number that Wix would not
    # call valid still has to be found.
    return parsed if phonenumbers.is_possible_number(parsed) else None


def e164(number: str, country: str | None) -> str | None:
    """The E.164 form; None without a country (alpha-2 or a leading +) or for no number."""
    parsed = _parsed(number, country.upper() if country else None)
    if parsed is None:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def forms(number: str, country: str | None) -> tuple[str, ...]:
    """The raw number, E.164 and the digits as dialled inside the country; each once.

    Empty for what has no digit: every such text would equal every other.
    """
    raw = number.strip()
    if not digits(raw):
        return ()
    parsed = _parsed(raw, country.upper() if country else None)
    if parsed is None:
        return (raw,)
    whole = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return tuple(dict.fromkeys([raw, whole, digits(national)]))


def digits(number: str) -> str:
    """The digits alone, in ASCII."""
    return phonenumbers.normalize_digits_only(number)


def stored_e164(contact: Contact) -> str | None:
    """E.164 of the primary phone: as Wix computed it, else from the item's country."""
    for item in contact.info.phones:
        if item.number == contact.primary_phone:
            return item.e164 or e164(item.number, item.country)
    return e164(contact.primary_phone, None) if contact.primary_phone else None


def same_phone(contact: Contact, number: str, country: str | None) -> bool:
    """Same E.164 where both have one; else the same digits as one of the forms asked for."""
    if not contact.primary_phone:
        return False
    ours, theirs = e164(number, country), stored_e164(contact)
    if ours and theirs:
        return ours == theirs
    return digits(contact.primary_phone) in {digits(form) for form in forms(number, country)}


_LIMIT = 10
_LIMIT_WITH_PHONE = 50
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DuplicateMatch:
    """What was found.

    Attributes:
        contact: the match, complete and with its revision, so that it can be updated straight.
        matched_by: what it was matched by.
        hits: number of contacts that match by that, the match included.
        others: ids of further hits, for a person to look at.
    """

    contact: Contact | None = None
    matched_by: Literal["email", "phone"] | None = None
    hits: int = 0
    others: tuple[str, ...] = ()


def find_duplicate(  # noqa: PLR0913 - what is known of a person, all by keyword
    contacts: Contacts,
    *,
    email: str | None = None,
    typed_email: str | None = None,
    phone: str | None = None,
    country: str | None = None,
    also_report_phone: bool = False,
) -> DuplicateMatch:
    """Find the contact that Create would call a duplicate. One call, or none without a key.

    Args:
        contacts: where to look.
        email: the address; compared trimmed and in lower case.
        typed_email: the address as typed, looked up too where it differs.
        phone: the number as typed; decides only where there is no e-mail, as Wix does it.
        country: alpha-2, for a number without a country code.
        also_report_phone: with an e-mail and a phone, name those who have the phone in `others`.
            They are never the match: a shared phone must not attach one person to another.

    Raises:
        WixError: the query did not succeed.
    """
    emails = _email_forms(email, typed_email)
    numbers = forms(phone or "", country)
    if emails and numbers and also_report_phone:
        return _by_both(contacts, emails, phone or "", country)
    if emails:
        rows = _look(contacts, _email_filter(emails))
        return _match("email", _with_email(rows, emails[0]))
    if numbers:
        rows = _look(contacts, _phone_filter(numbers))
        return _match("phone", _with_phone(rows, phone or "", country))
    return DuplicateMatch()


def normalise_email(email: str) -> str:
    """Trimmed and in lower case (contract section 11.3, step 1)."""
    return email.strip().lower()


def _by_both(
    contacts: Contacts, emails: tuple[str, ...], phone: str, country: str | None
) -> DuplicateMatch:
    """One call for both; a phone that more than the limit share may hide the e-mail's hit.

    Create then says so, and its answer is the authority.
    """
    either = {"$or": [_email_filter(emails), _phone_filter(forms(phone, country))]}
    rows = _look(contacts, either, _LIMIT_WITH_PHONE)
    matches = _with_email(rows, emails[0])
    matched = {row.id for row in matches}
    phone_rows = [row for row in _with_phone(rows, phone, country) if row.id not in matched]
    return _match("email", matches, phone_rows)


def _email_forms(email: str | None, typed: str | None) -> tuple[str, ...]:
    """The normalised form first, then each spelling that differs from it."""
    given = [form.strip() for form in (email, typed) if form and form.strip()]
    return tuple(dict.fromkeys([normalise_email(given[0]), *given])) if given else ()


def _email_filter(emails: tuple[str, ...]) -> dict[str, Any]:
    condition = {"$eq": emails[0]} if len(emails) == 1 else {"$in": list(emails)}
    return {"primaryInfo.email": condition}


def _phone_filter(numbers: tuple[str, ...]) -> dict[str, Any]:
    return {"primaryInfo.phone": {"$in": list(numbers)}}


def _look(contacts: Contacts, condition: dict[str, Any], limit: int = _LIMIT) -> list[Contact]:
    """Oldest first; FULL, so that a row and its revision are one snapshot (step 6)."""
    return list(contacts.query(condition, limit=limit, fieldsets=["FULL"]))


def _with_email(rows: Iterable[Contact], email: str) -> list[Contact]:
    return [row for row in rows if normalise_email(row.primary_email or "") == email]


def _with_phone(rows: Iterable[Contact], phone: str, country: str | None) -> list[Contact]:
    return [row for row in rows if same_phone(row, phone, country)]


def _match(
    by: Literal["email", "phone"], rows: list[Contact], others: Iterable[Contact] = ()
) -> DuplicateMatch:
    """The oldest row, ties by the smallest id (step 5); a row without a date comes last."""
    ranked = sorted(rows, key=lambda row: (row.created_date or _LATEST, row.id))
    rest = tuple(dict.fromkeys(row.id for row in (*ranked[1:], *others)))
    if not ranked:
        return DuplicateMatch(others=rest)
    return DuplicateMatch(ranked[0], by, len(ranked), rest)
