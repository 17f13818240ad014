"""Find Duplicate Contact: a routine over Query Contacts (CONTRACT.md section 11.3, steps 1 to 5).

It only predicts: the authority is the check that Wix makes in Create and Update.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import phonenumbers

from formapp.wix.contacts import Contacts
from formapp.wix.models import Contact

_LIMIT = 10
_LIMIT_WITH_PHONE = 50
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DuplicateMatch:
    """The contact that Create would call a duplicate, if any.

    Attributes:
        contact: complete and with its revision, so that it can be updated without a Get.
        matched_by: what it was matched by.
        hits: number of contacts that match by that, this one included.
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
    typed_phone: str | None = None,
    country: str | None = None,
    also_report_phone: bool = False,
) -> DuplicateMatch:
    """Make one query, or none without e-mail and phone.

    Args:
        contacts: of the site.
        email: the address; compared trimmed and in lower case.
        typed_email: the address as typed, searched for as well where it differs.
        phone: the number; decides only where there is no e-mail, as at Wix.
        typed_phone: the number as typed, searched for as well where it differs.
        country: alpha-2, for a number without a country code.
        also_report_phone: with an e-mail and a phone, list contacts with the phone in `others`.
            They are never the match: a shared phone must not attach one person to another.
    """
    emails = _email_forms(email, typed_email)
    numbers = phone_forms(phone or "", country, typed_phone or "")
    number = e164(phone or "", country)
    if emails and numbers and also_report_phone:
        # More than the limit may share the phone and push the e-mail's hit off the page. Create
        # then reports the duplicate.
        either = {"$or": [_email_filter(emails), _phone_filter(numbers)]}
        rows = _query(contacts, either, _LIMIT_WITH_PHONE)
        matches = _with_email(rows, emails[0])
        return _match("email", matches, _with_phone(rows, number, numbers))
    if emails:
        return _match("email", _with_email(_query(contacts, _email_filter(emails)), emails[0]))
    if numbers:
        rows = _query(contacts, _phone_filter(numbers))
        return _match("phone", _with_phone(rows, number, numbers))
    return DuplicateMatch()


def normalise_email(email: str) -> str:
    """Trimmed and in lower case (CONTRACT.md section 11.3, step 1)."""
    return email.strip().lower()


def _email_forms(email: str | None, typed: str | None) -> tuple[str, ...]:
    """The normalised form first, then each spelling that differs from it."""
    given = [form.strip() for form in (email, typed) if form and form.strip()]
    return tuple(dict.fromkeys([normalise_email(given[0]), *given])) if given else ()


def _email_filter(emails: tuple[str, ...]) -> dict[str, Any]:
    condition = {"$eq": emails[0]} if len(emails) == 1 else {"$in": list(emails)}
    return {"primaryInfo.email": condition}


def _phone_filter(numbers: tuple[str, ...]) -> dict[str, Any]:
    return {"primaryInfo.phone": {"$in": list(numbers)}}


def _query(contacts: Contacts, condition: dict[str, Any], limit: int = _LIMIT) -> list[Contact]:
    """Oldest first; FULL, so that a row and its revision are one snapshot (step 6)."""
    return list(contacts.query(condition, limit=limit, fieldsets=["FULL"]))


def _with_email(rows: Iterable[Contact], email: str) -> list[Contact]:
    return [row for row in rows if normalise_email(row.primary_email or "") == email]


def _with_phone(
    rows: Iterable[Contact], number: str | None, forms: tuple[str, ...]
) -> list[Contact]:
    digits = {_digits(form) for form in forms}
    return [row for row in rows if _has_phone(row, number, digits)]


def _match(
    by: Literal["email", "phone"], rows: list[Contact], others: Iterable[Contact] = ()
) -> DuplicateMatch:
    """The oldest row, ties by the smallest id (step 5); a row without a date comes last."""
    ranked = sorted(rows, key=lambda row: (row.created_date or _LATEST, row.id))
    ids = tuple(dict.fromkeys(row.id for row in (*ranked, *others)))
    if not ranked:
        return DuplicateMatch(others=ids)
    return DuplicateMatch(ranked[0], by, len(ranked), ids[1:])


# Phone numbers in the forms in which Wix may store them (CONTRACT.md section 11.3, step 3)


def _parse_phone(number: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(number, country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return None
    # "Possible" checks only the length: number plans change, and a number that Wix would not call
    # valid must still be found. E.164 leaves an extension out, so a number that has one has none:
    # it would be that of others at the same switchboard.
    possible = phonenumbers.is_possible_number(parsed) and not parsed.extension
    return parsed if possible else None


def e164(number: str, country: str | None) -> str | None:
    """The E.164 form; None for no number, or one without a country (alpha-2 or a leading +)."""
    parsed = _parse_phone(number, country)
    if parsed is None:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def phone_forms(number: str, country: str | None, typed: str = "") -> tuple[str, ...]:
    """The raw number, E.164, the national digits and the number as typed; each once.

    Empty for a text without a digit: all such texts would compare as equal.
    """
    forms = [number.strip()]
    parsed = _parse_phone(number, country)
    if parsed:
        international = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        forms += [international, _digits(national)]
    return tuple(dict.fromkeys(form for form in [*forms, typed.strip()] if _digits(form)))


def _digits(number: str) -> str:
    """The digits alone, in ASCII."""
    return phonenumbers.normalize_digits_only(number)


def _stored_e164(contact: Contact) -> str | None:
    """E.164 of the primary phone: as Wix computed it, else from the item's country."""
    for item in contact.info.phones:
        if item.number == contact.primary_phone:
            return item.e164 or e164(item.number, item.country)
    return e164(contact.primary_phone, None) if contact.primary_phone else None


def _has_phone(contact: Contact, number: str | None, digits: set[str]) -> bool:
    """Same E.164 where both have one, else the same digits as one of the number's forms."""
    if not contact.primary_phone:
        return False
    stored = _stored_e164(contact)
    if number and stored:
        return number == stored
    return _digits(contact.primary_phone) in digits
