"""What changed in a contact, when and by which operation, for people and for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.clock import iso
from formapp.sandbox.state import KEPT_HISTORY

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import ContactRecord, Json

SHOWN_ITEMS = {"emails": "email", "phones": "phone"}


def remember(record: ContactRecord, before: Json, after: Json, call: Call) -> None:
    """Add an entry to the record's history.

    An entry is `{time, operation, by, revision, changes}`, a change `{field, before, after}`
    with a string, number or list of strings, or null for what was not there.
    """
    entry = {
        "time": iso(call.now),
        "operation": call.operation,
        "by": call.caller.kind,
        "revision": after["revision"],
        "changes": _changes(before.get("info", {}), after["info"]),
    }
    record.history.append(entry)
    del record.history[:-KEPT_HISTORY]


def _changes(before: Json, after: Json) -> list[Json]:
    old, new = _flat(before), _flat(after)
    return [
        {"field": field, "before": old.get(field), "after": new.get(field)}
        for field in {**new, **old}
        if old.get(field) != new.get(field)
    ]


def _flat(info: Json) -> Json:
    flat: Json = {}
    for name, value in info.items():
        if name == "name":
            flat.update({f"name.{part}": text for part, text in value.items()})
        elif name == "extendedFields":
            flat.update({f"extendedFields.{key}": one for key, one in value["items"].items()})
        elif isinstance(value, dict) and "items" in value:
            flat[name] = [_item_text(name, item) for item in value["items"]]
        else:
            flat[name] = value if isinstance(value, str) else _image_text(value)
    return flat


def _item_text(name: str, item: Any) -> str:
    if name in SHOWN_ITEMS:
        return str(item[SHOWN_ITEMS[name]]) + _marks(item)
    if name == "addresses":
        return address_text(item["address"]) + _marks(item)
    return str(item)


def _marks(item: Json) -> str:
    tag = "" if item["tag"] == "UNTAGGED" else item["tag"].lower()
    marks = [tag, "primary" if item.get("primary") else ""]
    told = ", ".join(mark for mark in marks if mark)
    return f" ({told})" if told else ""


def _image_text(picture: Json) -> str:
    image = picture.get("image", {})
    return str(image.get("url") or image.get("id") or "picture")


def address_text(address: Json) -> str:
    """Return an address in one line."""
    street = address.get("streetAddress", {})
    parts = (
        address.get("addressLine") or " ".join(filter(None, map(street.get, ("number", "name")))),
        address.get("addressLine2"),
        address.get("postalCode"),
        address.get("city"),
        address.get("subdivision"),
        address.get("country"),
    )
    return ", ".join(part for part in parts if part)
