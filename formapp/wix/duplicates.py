"""Find Duplicate Contact: a routine over Query Contacts (CONTRACT.md section 11.3, steps 1 to 5).

It only predicts: the authority is the check that Wix makes in Create and Update.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import phonenumbers

from formapp.wix.contacts import Contacts
from formapp.wix.models import Contact
from formapp.wix.parsing import MAX_PAGE

_LIMIT = 10
_LIMIT_WITH_PHONE = 50

_MOST_VALUES = 100
"""Of one `$in`: Wix publishes no limit."""

By = Literal["email", "phone"]
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DuplicateMatch:
    """The contact that Create would call a duplicate, if any.

    Attributes:
        contact: complete and with its revision, so that it can be updated without a Get.
        others: ids of further hits, for a person to look at; beside an e-mail also of the contacts
            with the phone. Those are never the match: a shared phone must not attach one person to
            another.
    """

    contact: Contact | None = None
    matched_by: By | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """What is known of a person; `country` (alpha-2) is for a number without a country code."""

    email: str | None = None
    typed_email: str | None = None
    phone: str | None = None
    typed_phone: str | None = None
    country: str | None = None

    @property
    def emails(self) -> tuple[str, ...]:
        """The e-mail as it is searched for: normalised first, then each spelling that differs."""
        given = [form.strip() for form in (self.email, self.typed_email) if form and form.strip()]
        return tuple(dict.fromkeys([normalise_email(given[0]), *given])) if given else ()

    @property
    def numbers(self) -> tuple[str, ...]:
        return phone_forms(self.phone or "", self.country, self.typed_phone or "")


class Candidates:
    """Contacts among which people are searched for.

    Args:
        complete: whether none is missing that has one of their e-mails or phones.
    """

    def __init__(self, rows: Iterable[Contact], *, complete: bool) -> None:
        self.complete = complete
        self.by_id = {row.id: row for row in rows}
        self._by_email: dict[str, list[Contact]] = {}
        self._phones: list[tuple[Contact, str | None, str]] = []
        for row in self.by_id.values():
            if row.primary_email:
                self._by_email.setdefault(normalise_email(row.primary_email), []).append(row)
            if row.primary_phone:
                self._phones.append((row, _stored_e164(row), _digits(row.primary_phone)))

    def match(self, person: Person) -> DuplicateMatch:
        """The oldest contact with the person's e-mail, or without one with their phone."""
        emails, same_phone = person.emails, list(self._with_phone(person))
        if not emails:
            return _match("phone", same_phone)
        return _match("email", self._by_email.get(emails[0], []), same_phone)

    def _with_phone(self, person: Person) -> Iterator[Contact]:
        """Same E.164 where both have one, else the same digits as one of the number's forms."""
        number, digits = e164(person.phone or "", person.country), set(map(_digits, person.numbers))
        for row, stored, stored_digits in self._phones:
            if number == stored if number and stored else stored_digits in digits:
                yield row


def find_duplicate(contacts: Contacts, person: Person) -> DuplicateMatch:
    """Make one query, or none without e-mail and phone.

    The phone decides only where there is no e-mail, as at Wix.
    """
    emails, numbers = person.emails, person.numbers
    if not (emails or numbers):
        return DuplicateMatch()
    # More than the limit may share the phone and push the e-mail's hit off the page. Create then
    # reports the duplicate.
    limit = _LIMIT_WITH_PHONE if emails and numbers else _LIMIT
    condition = _any_of({"primaryInfo.email": emails, "primaryInfo.phone": numbers})
    return _candidates(contacts, condition, limit).match(person)


def find_candidates(
    contacts: Contacts, persons: Sequence[Person], ids: Sequence[str] = ()
) -> Candidates:
    """Find the contacts of several people, and those of these ids, in one query."""
    wanted = {
        "id": ids,
        "primaryInfo.email": [form for person in persons for form in person.emails],
        "primaryInfo.phone": [form for person in persons for form in person.numbers],
    }
    return _candidates(contacts, _any_of(wanted), MAX_PAGE)


def _candidates(contacts: Contacts, condition: dict[str, Any], limit: int) -> Candidates:
    """FULL, so that a row and its revision are one snapshot (step 6)."""
    page = contacts.query(condition, limit=limit, fieldsets=["FULL"])
    return Candidates(page, complete=len(page.items) < limit)


def _any_of(wanted: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The filter for contacts that have one of the values of one of the fields."""
    conditions: list[dict[str, Any]] = []
    for field, given in wanted.items():
        values = list(dict.fromkeys(given))
        if len(values) == 1:
            conditions.append({field: {"$eq": values[0]}})
            continue
        starts = range(0, len(values), _MOST_VALUES)
        parts = [values[start : start + _MOST_VALUES] for start in starts]
        conditions += [{field: {"$in": part}} for part in parts]
    return conditions[0] if len(conditions) == 1 else {"$or": conditions}


def normalise_email(email: str) -> str:
    """Trimmed and in lower case (CONTRACT.md section 11.3, step 1)."""
    return email.strip().lower()


def _match(by: By, rows: list[Contact], others: Sequence[Contact] = ()) -> DuplicateMatch:
    """The oldest row, ties by the smallest id (step 5); a row without a date comes last."""
    ranked = sorted(rows, key=lambda row: (row.created_date or _LATEST, row.id))
    ids = tuple(dict.fromkeys(row.id for row in (*ranked, *others)))
    if not ranked:
        return DuplicateMatch(others=ids)
    return DuplicateMatch(ranked[0], by, ids[1:])


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
