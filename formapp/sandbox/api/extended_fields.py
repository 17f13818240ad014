"""Extended fields: their definitions, and their values on a contact (CONTRACT.md section 10)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import records
from formapp.sandbox.api import validation as check
from formapp.sandbox.api.definitions import Kind
from formapp.sandbox.api.errors import Violations, application_error

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json

FIELDS = Kind(
    singular="field",
    plural="fields",
    type_name="fieldType",
    types=("SYSTEM", "USER_DEFINED"),
    max_name=150,
    list_default=100,
    list_max=None,
    filters={"fieldType": ("$eq",), "dataType": ("$eq", "$ne")},
)
DATA_TYPES = ("TEXT", "NUMBER", "DATE", "URL")
MAX_TEXT_VALUE = 1000
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)


def find_or_create(call: Call) -> Json:
    """Answer Find Or Create Extended Field; without a data type it is TEXT."""
    name = FIELDS.read_display_name(call.body.get("displayName"))
    found = Violations()
    data_type = check.choice(found, "dataType", call.body.get("dataType"), DATA_TYPES) or "TEXT"
    found.raise_if_any()
    known = FIELDS.find_by_name(call, name)
    if known is not None:
        return {"field": known, "newField": False}
    if FIELDS.count_custom(call) >= call.settings.fields_quota:
        raise application_error("FIELDS_QUOTA_EXCEEDED")
    field = {"displayName": name, "dataType": data_type, "fieldType": "USER_DEFINED"}
    return {"field": FIELDS.add(call, field), "newField": True}


def rename(call: Call) -> Json:
    """Answer Rename Extended Field; the name may be nested, in `displayName` or in `name`."""
    nested = call.body.get("field")
    if isinstance(nested, dict):
        return FIELDS.rename(call, nested.get("displayName"), "field.displayName")
    if "displayName" in call.body:
        return FIELDS.rename(call, call.body["displayName"], "displayName")
    return FIELDS.rename(call, call.body.get("name"), "field.displayName")


def delete(call: Call) -> Json:
    """Answer Delete Extended Field: remove its values from all contacts, without new revisions."""
    key = FIELDS.remove(call)
    for record in call.site.contacts.values():
        info = record.body["info"]
        values = info.get("extendedFields", {}).get("items", {})
        if key in values:
            rest = {name: value for name, value in values.items() if name != key}
            records.replace_info(call, record, {**info, "extendedFields": {"items": rest}})
    return {}


def changed_values(call: Call, stored: Json, sent: Json) -> Json:
    """Return the custom values after `sent` is merged into `stored` or replaces it.

    Null and "" clear a field; a value for a system field is ignored.

    Raises:
        WixError: INVALID_EXTENDED_FIELD_VALUE for an unknown key or a bad value.
    """
    values = dict(stored) if call.settings.extended_fields == "merge" else {}
    for key, value in sent.items():
        if call.site.is_system_field(key):
            continue
        if key not in call.site.fields:
            raise application_error("INVALID_EXTENDED_FIELD_VALUE", fieldKey=key)
        if value is None or value == "":
            values.pop(key, None)
            continue
        values[key] = _valid_value(call.site.fields[key]["dataType"], value)
        if values[key] is None:
            raise application_error("INVALID_EXTENDED_FIELD_VALUE", fieldKey=key)
    return values


def _valid_value(data_type: str, value: Any) -> str | int | float | None:
    """Return the value as it is stored, None if it is invalid (CONTRACT.md section 10.4)."""
    if data_type == "NUMBER":
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if not isinstance(value, str):
        return None
    if data_type == "DATE":
        return value if check.is_calendar_date(value) else None
    if data_type == "URL":
        return value if SCHEME.match(value) else f"https://{value}"
    return value if len(value) <= MAX_TEXT_VALUE else None
