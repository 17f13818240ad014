"""The shape of `info` in a request: types, lengths, formats (contract sections 5.2 and 5.3).

What comes out holds the writable parts only: unknown and read-only fields are left out, as
the contract has them ignored. Rules that need the site's state are elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import item_shape
from formapp.sandbox.api import validation as check
from formapp.sandbox.api.item_shape import MAX_ITEMS, read_items

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.api.errors import Violations
    from formapp.sandbox.state import Json

MAX_LABELS = 2000
MAX_TEXT = 1000
MAX_KEY = 80

KNOWN_FIELDS = (
    "name",
    "emails",
    "phones",
    "addresses",
    "company",
    "jobTitle",
    "birthdate",
    "locale",
    "labelKeys",
    "extendedFields",
    "locations",
    "picture",
)


def read_info(found: Violations, raw: Any) -> Json | None:
    """Return the writable parts of `raw`, or None if it is absent.

    Each key is there only if it was sent. Scalars are a string, or "" for null; lists are
    plain arrays; a null list is left out (contract section 7.3, "Clearing").
    """
    info = check.mapping(found, "info", raw)
    if info is None:
        return None
    clean: Json = {}
    for name in KNOWN_FIELDS:
        if name in info:
            value = _READERS[name](found, f"info.{name}", info[name])
            if value is not None:
                clean[name] = value
    return clean


def _name(found: Violations, path: str, raw: Any) -> Json | None:
    name = check.mapping(found, path, raw)
    if name is None:
        return None
    parts = (part for part in ("first", "last") if part in name)
    return {part: _clearable(found, f"{path}.{part}", name[part]) for part in parts}


def _clearable(found: Violations, path: str, raw: Any) -> str:
    return check.text(found, path, raw, MAX_TEXT) or ""


def _birthdate(found: Violations, path: str, raw: Any) -> str:
    if raw in (None, ""):
        return ""
    if not check.is_calendar_date(raw):
        found.add(path, "must be a valid date", "FORMAT", type="DATE")
        return ""
    return str(raw)


def _locale(found: Violations, path: str, raw: Any) -> str:
    return check.pattern(found, path, raw, check.LOCALE, "LANGUAGE_TAG") or ""


def _key(found: Violations, path: str, raw: Any) -> str:
    return check.required_text(found, path, raw, MAX_KEY) or ""


def _guid(found: Violations, path: str, raw: Any) -> str:
    value = check.required_text(found, path, raw, MAX_KEY)
    return (check.pattern(found, path, value, check.GUID, "GUID") or "").lower()


def _label_keys(found: Violations, path: str, raw: Any) -> list[str] | None:
    keys = read_items(found, path, raw, MAX_LABELS, _key)
    return None if keys is None else list(dict.fromkeys(keys))


def _locations(found: Violations, path: str, raw: Any) -> list[str] | None:
    return read_items(found, path, raw, MAX_ITEMS, _guid)


def _extended_fields(found: Violations, path: str, raw: Any) -> Json | None:
    """Values are judged later, against the field's type (contract section 10.4)."""
    wrapped = check.mapping(found, path, raw)
    if wrapped is None:
        return None
    items = check.mapping(found, f"{path}.items", wrapped.get("items"))
    for key in items or {}:
        check.required_text(found, f"{path}.items key", key, MAX_KEY)
    return items


def _picture(found: Violations, path: str, raw: Any) -> Json | None:
    """Null clears the picture, like a scalar; the contract leaves this case open."""
    if raw is None:
        return {}
    wrapped = check.mapping(found, path, raw)
    image = check.mapping(found, f"{path}.image", (wrapped or {}).get("image"))
    if image is None:
        return None
    parts: Json = {
        name: check.text(found, f"{path}.image.{name}", image.get(name))
        for name in ("id", "url", "altText")
    }
    for name in ("width", "height"):
        if image.get(name) is not None:
            parts[name] = check.integer(found, f"{path}.image.{name}", image[name])
    return {"image": {name: value for name, value in parts.items() if value is not None}}


_READERS: dict[str, Callable[[Violations, str, Any], Any]] = {
    "name": _name,
    "emails": item_shape.read_emails,
    "phones": item_shape.read_phones,
    "addresses": item_shape.read_addresses,
    "company": _clearable,
    "jobTitle": _clearable,
    "birthdate": _birthdate,
    "locale": _locale,
    "labelKeys": _label_keys,
    "extendedFields": _extended_fields,
    "locations": _locations,
    "picture": _picture,
}
