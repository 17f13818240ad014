"""How a write changes a contact, and what it may not do (contract sections 5.4, 7.1, 7.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formapp.sandbox.api.contact_items import (
    build_addresses,
    build_emails,
    build_phones,
    primary_of,
    same_email_text,
)
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.api.field_values import changed_values, custom_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import ContactRecord, Json, Site

SCALARS = ("company", "jobTitle", "birthdate", "locale", "picture")
LISTS = ("emails", "phones", "addresses", "labelKeys", "locations")
BUILDERS = {"emails": build_emails, "phones": build_phones, "addresses": build_addresses}


def items(info: Json, name: str) -> list[Json]:
    """Return the items of a list in `info`; an empty list if it is absent."""
    found: list[Json] = info.get(name, {}).get("items", [])
    return found


def changed_info(call: Call, stored: Json, sent: Json) -> Json:
    """Return `info` after `sent` (as `read_info` gives it) is applied to `stored`.

    Raises:
        WixError: 400 for a label that does not exist, for a bad extended field value or for
            several primary items.
    """
    require_labels(call.site, sent.get("labelKeys", ()), "info.labelKeys.items")
    info = dict(stored)
    if "name" in sent:
        info["name"] = _without_blanks({**stored.get("name", {}), **sent["name"]})
    for name in SCALARS:
        if name in sent:
            info[name] = sent[name]
    for name in LISTS:
        if name in sent:
            build = BUILDERS.get(name)
            info[name] = {"items": build(sent[name], items(stored, name)) if build else sent[name]}
    info["extendedFields"] = {"items": _extended_fields(call, stored, sent)}
    return _without_blanks(info)


def _extended_fields(call: Call, stored: Json, sent: Json) -> Json:
    values = custom_values(call.site, stored)
    if "extendedFields" not in sent:
        return values
    return changed_values(call.site, values, sent["extendedFields"], call.settings.extended_fields)


def _without_blanks(info: Json) -> Json:
    """Drop what is empty: blank fields are not returned."""
    return {name: value for name, value in info.items() if value not in ("", {}, {"items": []})}


def require_labels(site: Site, keys: Iterable[str], path: str) -> None:
    """Refuse labels that do not exist.

    Raises:
        WixError: 400 with a violation for each (contract section 9.5).
    """
    found = Violations()
    for index, key in enumerate(keys):
        if key not in site.labels:
            found.add(f"{path}[{index}]", "label does not exist")
    found.raise_if_any()


def require_enough(info: Json) -> None:
    """Refuse a contact without name, email and phone.

    Raises:
        WixError: INSUFFICIENT_CONTACT_DATA.
    """
    if not (info.get("name") or items(info, "emails") or items(info, "phones")):
        raise application_error("INSUFFICIENT_CONTACT_DATA")


def protect_member_email(record: ContactRecord, sent: Json) -> None:
    """Refuse a change of a member's primary email.

    The email that the contact would have is the one marked in `sent`; with none marked it is
    the former one if it is still there, else the first.

    Raises:
        WixError: CANNOT_UPDATE_MEMBER_EMAIL.
    """
    if record.role is None or "emails" not in sent:
        return
    former = primary_of(items(record.body["info"], "emails"))
    marked = [item["email"] for item in sent["emails"] if item["primary"]]
    offered = marked or [item["email"] for item in sent["emails"]]
    if former is None:
        changed = bool(offered)
    else:
        changed = not any(same_email_text(email, former["email"]) for email in offered)
    if changed:
        raise application_error("CANNOT_UPDATE_MEMBER_EMAIL")
