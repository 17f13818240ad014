"""Values of extended fields on a contact (contract section 10.4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from formapp.sandbox.api.errors import application_error
from formapp.sandbox.api.validation import is_calendar_date

if TYPE_CHECKING:
    from formapp.sandbox.options import ExtendedFieldsMode
    from formapp.sandbox.state import Json, Site

MAX_TEXT_VALUE = 1000
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)
READ_ONLY_PREFIX = "ecom."
"""Deprecated system fields that the contract names by their prefix only."""


def is_system(site: Site, key: str) -> bool:
    """Tell whether `key` names a system field, which a write leaves alone."""
    definition = site.fields.get(key)
    if definition is None:
        return key.startswith(READ_ONLY_PREFIX)
    return bool(definition["fieldType"] == "SYSTEM")


def custom_values(site: Site, info: Json) -> Json:
    """Return the values of the fields that the site defined."""
    values = info.get("extendedFields", {}).get("items", {})
    return {key: value for key, value in values.items() if not is_system(site, key)}


def changed_values(site: Site, stored: Json, sent: Json, mode: ExtendedFieldsMode) -> Json:
    """Return the custom values after `sent` is merged into `stored`, or has replaced it.

    Null and "" clear a field; a value for a system field is ignored.

    Raises:
        WixError: INVALID_EXTENDED_FIELD_VALUE for an unknown key or a bad value.
    """
    values = dict(stored) if mode == "merge" else {}
    for key, value in sent.items():
        if is_system(site, key):
            continue
        if key not in site.fields:
            raise application_error("INVALID_EXTENDED_FIELD_VALUE", fieldKey=key)
        if value is None or value == "":
            values.pop(key, None)
        else:
            values[key] = _stored_value(key, site.fields[key]["dataType"], value)
    return values


def _stored_value(key: str, data_type: str, value: Any) -> str | int | float:
    checked = _CHECKS[data_type](value)
    if checked is None:
        raise application_error("INVALID_EXTENDED_FIELD_VALUE", fieldKey=key)
    return checked


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= MAX_TEXT_VALUE else None


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _date(value: Any) -> str | None:
    return str(value) if is_calendar_date(value) else None


def _url(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return value if SCHEME.match(value) else f"https://{value}"


_CHECKS = {"TEXT": _text, "NUMBER": _number, "DATE": _date, "URL": _url}
