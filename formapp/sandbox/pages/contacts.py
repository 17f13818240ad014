"""Contacts as people read them: display names instead of keys, words instead of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.api.contact_rules import items
from formapp.sandbox.api.field_values import custom_values
from formapp.sandbox.api.history import address_text

if TYPE_CHECKING:
    from formapp.sandbox.state import ContactRecord, Json, Site

NAMELESS = "No name"
OPERATION_WORDS = {
    "createContact": "Created",
    "updateContact": "Updated",
    "deleteContact": "Deleted",
    "labelContact": "Labelled",
    "unlabelContact": "Label taken off",
    "bulkLabelAndUnlabelContacts": "Labelled in bulk",
    "mergeContacts": "Merged",
    "changeMember": "Membership changed",
}
CALLER_WORDS = {"key": "API key", "app": "app", "dashboard": "a person in the dashboard"}
ROLE_WORDS = {"member": "Site member", "owner": "Site owner", "contributor": "Contributor"}
FIELD_WORDS = {
    "name.first": "First name",
    "name.last": "Last name",
    "emails": "Emails",
    "phones": "Phones",
    "addresses": "Addresses",
    "company": "Company",
    "jobTitle": "Position",
    "birthdate": "Birth date",
    "locale": "Language",
    "labelKeys": "Labels",
    "locations": "Locations",
    "picture": "Picture",
}
EXTENDED = "extendedFields."
DERIVED = "extendedFields.emailSubscriptions."
"""Follows the primary email by itself; a line of its own would only be noise."""


def card(site: Site, record: ContactRecord) -> Json:
    """Return what the page shows of a contact. Hold the site's lock."""
    body, info = record.body, record.body["info"]
    name = display_name(info)
    return {
        "id": body["id"],
        "site": site.id,
        "name": name,
        "initials": _initials(name),
        "revision": body["revision"],
        "created": moment_text(body["createdDate"]),
        "updated": moment_text(body["updatedDate"]),
        "updated_date": body["updatedDate"],
        "role": ROLE_WORDS.get(record.role or ""),
        "billing": record.has_billing_subscription,
        "gone": record.gone,
        "rows": _rows(site, info),
        "labels": [_label_name(site, key) for key in items_of_text(info, "labelKeys")],
        "history": [_event(site, entry) for entry in reversed(record.history)],
    }


def display_name(info: Json) -> str:
    """Return the name of a contact, else its email or phone."""
    name = info.get("name", {})
    full = " ".join(part for part in (name.get("first"), name.get("last")) if part)
    emails, phones = items(info, "emails"), items(info, "phones")
    instead = emails[0]["email"] if emails else phones[0]["phone"] if phones else NAMELESS
    return full or str(instead)


def items_of_text(info: Json, name: str) -> list[str]:
    """Return a list of plain strings in `info`, such as label keys."""
    found: list[str] = info.get(name, {}).get("items", [])
    return found


def matches(shown: Json, wanted: str) -> bool:
    """Tell whether a card holds `wanted` anywhere, without regard to case."""
    texts = [shown["name"], shown["id"], *shown["labels"]]
    texts += [text for row in shown["rows"] for text in (row["value"], row["note"])]
    return wanted.casefold() in "\n".join(texts).casefold()


def moment_text(wire: str) -> str:
    """Return a wire time for people, such as `2025-03-04 09:15:30 UTC`."""
    return f"{wire[:10]} {wire[11:19]} UTC"


def _initials(name: str) -> str:
    words = [word for word in name.split() if word[0].isalpha()]
    ends = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0] for word in ends).upper() or "#"


def _row(term: str, value: Any, note: str = "", *, primary: bool = False) -> Json:
    return {"term": term, "value": str(value), "note": note, "primary": primary}


def _rows(site: Site, info: Json) -> list[Json]:
    emails = [
        _row("Email", one["email"], _tag(one), primary=one["primary"])
        for one in items(info, "emails")
    ]
    phones = [
        _row("Phone", one["phone"], _phone_note(one), primary=one["primary"])
        for one in items(info, "phones")
    ]
    plain = [
        _row(FIELD_WORDS[name], info[name])
        for name in ("company", "jobTitle", "birthdate", "locale")
        if name in info
    ]
    addresses = [
        _row("Address", address_text(one["address"]), _tag(one)) for one in items(info, "addresses")
    ]
    fields = [
        _row(_field_name(site, key), value, "extended field")
        for key, value in custom_values(site, info).items()
    ]
    return [*emails, *phones, *plain, *addresses, *fields]


def _tag(item: Json) -> str:
    return "" if item["tag"] == "UNTAGGED" else str(item["tag"]).lower()


def _phone_note(phone: Json) -> str:
    e164 = phone.get("e164Phone")
    notes = [_tag(phone), e164 if e164 != phone["phone"] else ""]
    return ", ".join(note for note in notes if note)


def _label_name(site: Site, key: str) -> str:
    return str(site.labels.get(key, {}).get("displayName", key))


def _field_name(site: Site, key: str) -> str:
    return str(site.fields.get(key, {}).get("displayName", key))


def _event(site: Site, entry: Json) -> Json:
    return {
        "time": moment_text(entry["time"]),
        "what": OPERATION_WORDS.get(entry["operation"], entry["operation"]),
        "by": CALLER_WORDS.get(entry["by"], entry["by"]),
        "revision": entry["revision"],
        "changes": [
            _change(site, change)
            for change in entry["changes"]
            if not change["field"].startswith(DERIVED)
        ],
    }


def _change(site: Site, change: Json) -> Json:
    field = change["field"]
    name = (
        _field_name(site, field.removeprefix(EXTENDED))
        if field.startswith(EXTENDED)
        else FIELD_WORDS.get(field, field)
    )
    return {
        "field": name,
        "before": _text(site, field, change["before"]),
        "after": _text(site, field, change["after"]),
    }


def _text(site: Site, field: str, value: Any) -> str | None:
    if value is None or value == []:
        return None
    if not isinstance(value, list):
        return str(value)
    shown = [_label_name(site, one) for one in value] if field == "labelKeys" else value
    return ", ".join(shown)
