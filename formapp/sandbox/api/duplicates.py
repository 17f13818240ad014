"""The service's own duplicate check (contract sections 7.1 and 11.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formapp.sandbox.api.contact_items import primary_of, same_email_text, same_phone
from formapp.sandbox.api.contact_rules import items
from formapp.sandbox.api.errors import application_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import ContactRecord, Json


def refuse_duplicate(call: Call, info: Json, before: ContactRecord | None = None) -> None:
    """Refuse `info` if its email, or without one its phone, belongs to another contact.

    `before` is the contact that an update changes; it is checked only if the update changes
    the value that counts.

    Raises:
        WixError: DUPLICATE_CONTACT_EXISTS with the other contact's id and stored value.
    """
    former = before.body["info"] if before else {}
    email = primary_of(items(info, "emails"))
    if email is not None:
        if not _is_email(email["email"], primary_of(items(former, "emails"))):
            _refuse_email(call, email["email"], before)
        return
    phone = primary_of(items(info, "phones"))
    if phone is not None and not _is_phone(phone, primary_of(items(former, "phones"))):
        _refuse_phone(call, phone, before)


def _refuse_email(call: Call, email: str, before: ContactRecord | None) -> None:
    def stored_email(info: Json) -> str | None:
        candidates = items(info, "emails")
        if not call.settings.any_email_duplicates:
            candidates = [one for one in [primary_of(candidates)] if one]
        return next((one["email"] for one in candidates if _is_email(email, one)), None)

    holders = call.site.with_email(email)
    other = _oldest(call, before, holders, lambda info: stored_email(info) is not None)
    if other is not None:
        raise application_error(
            "DUPLICATE_CONTACT_EXISTS",
            duplicateContactId=other.body["id"],
            duplicateEmail=stored_email(other.body["info"]),
        )


def _refuse_phone(call: Call, phone: Json, before: ContactRecord | None) -> None:
    everybody = call.site.contacts.values()
    other = _oldest(
        call, before, everybody, lambda info: _is_phone(phone, primary_of(items(info, "phones")))
    )
    if other is not None:
        raise application_error(
            "DUPLICATE_CONTACT_EXISTS",
            duplicateContactId=other.body["id"],
            duplicatePhone=other.body["primaryInfo"]["phone"],
        )


def _is_email(email: str, item: Json | None) -> bool:
    return item is not None and same_email_text(email, item["email"])


def _is_phone(phone: Json, item: Json | None) -> bool:
    return item is not None and same_phone(phone, item)


def _oldest(
    call: Call,
    before: ContactRecord | None,
    candidates: Iterable[ContactRecord],
    matches: Callable[[Json], bool],
) -> ContactRecord | None:
    """Return the match among `candidates` that counts: the oldest, then the smallest id.

    With a blind window a contact is overlooked while it is that young: this is how two
    creates at once can both pass.
    """
    window = call.settings.duplicate_blind_window
    found = [
        record
        for record in candidates
        if record is not before
        and not (window and call.now - record.created_at < window)
        and matches(record.body["info"])
    ]
    return min(
        found, key=lambda record: (record.body["createdDate"], record.body["id"]), default=None
    )
