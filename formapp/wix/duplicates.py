"""Find Duplicate Contact: a routine over Query Contacts (CONTRACT.md section 11.3, steps 1 to 5).

It only predicts: the authority is the check that Wix makes in Create and Update.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import phonenumbers

from formapp.wix.contacts import Contacts
from formapp.wix.models import Contact

_LIMIT = 10
_LIMIT_WITH_PHONE = 50

By = Literal["email", "phone"]
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DuplicateMatch:
    """The contact that Create would call a duplicate, if any.

    Attributes:
        contact: complete and with its revision, so that it can be updated without a Get.
        matched_by: what it was matched by.
        hits: number of contacts that match by that, this one included.
        others: ids of further hits, for a person to look at; beside an e-mail also of the contacts
            with the phone. Those are never the match: a shared phone must not attach one person to
            another.
    """

    contact: Contact | None = None
    matched_by: By | None = None
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
) -> DuplicateMatch:
    """Make one query, or none without e-mail and phone.

    The e-mail is compared trimmed and in lower case, and searched for as typed, too; so is the
    phone. It decides only where there is no e-mail, as at Wix; `country` (alpha-2) is for a number
    without a country code.
    """
    emails = _email_forms(email, typed_email)
    numbers = phone_forms(phone or "", country, typed_phone or "")
    conditions: list[dict[str, Any]] = []
    if emails:
        wanted = {"$eq": emails[0]} if len(emails) == 1 else {"$in": list(emails)}
        conditions.append({"primaryInfo.email": wanted})
    if numbers:
        conditions.append({"primaryInfo.phone": {"$in": list(numbers)}})
    if not conditions:
        return DuplicateMatch()
    both = len(conditions) > 1
    # More than the limit may share the phone and push the e-mail's hit off the page. Create then
    # reports the duplicate. FULL, so that a row and its revision are one snapshot (step 6).
    rows = contacts.query(
        {"$or": conditions} if both else conditions[0],
        limit=_LIMIT_WITH_PHONE if both else _LIMIT,
        fieldsets=["FULL"],
    )
    number, digits = e164(phone or "", country), set(map(_digits, numbers))
    same_phone = [row for row in rows if numbers and _has_phone(row, number, digits)]
    if not emails:
        return _match("phone", same_phone)
    same_email = [row for row in rows if normalise_email(row.primary_email or "") == emails[0]]
    return _match("email", same_email, same_phone)


def normalise_email(email: str) -> str:
    """Trimmed and in lower case (CONTRACT.md section 11.3, step 1)."""
    return email.strip().lower()


def _email_forms(email: str | None, typed: str | None) -> tuple[str, ...]:
    """The normalised form first, then each spelling that differs from it."""
    given = [form.strip() for form in (email, typed) if form and form.strip()]
    return tuple(dict.fromkeys([normalise_email(given[0]), *given])) if given else ()


def _match(by: By, rows: list[Contact], others: Sequence[Contact] = ()) -> DuplicateMatch:
    """The oldest row, ties by the smallest id (step 5); a row without a date comes last."""
    ranked = sorted(rows, key=lambda row: (row.created_date or _LATEST, row.id))
    ids = tuple(dict.fromkeys(row.id for row in (*ranked, *others)))
    if not ranked:
        return DuplicateMatch(others=ids)
    return DuplicateMatch(ranked[0], by, len(ranked), ids[1:])


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
    """The raw number, E.164, the national digits and as typed, each once (section 11.3, step 3).

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
