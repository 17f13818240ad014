"""The Extended Fields API (contract section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formapp.sandbox.api import definition_search, definitions
from formapp.sandbox.api import validation as check
from formapp.sandbox.api.definitions import Kind
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.api.records import complete

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json

FIELD = Kind(
    singular="field",
    plural="fields",
    type_name="fieldType",
    types=("SYSTEM", "USER_DEFINED"),
    longest_name=150,
    list_default=100,
    list_max=None,
    filters={"fieldType": ("$eq",), "dataType": ("$eq", "$ne")},
)
DATA_TYPES = ("TEXT", "NUMBER", "DATE", "URL")


def find_or_create_extended_field(call: Call) -> Json:
    """Answer Find Or Create Extended Field; without a data type it is TEXT.

    Raises:
        WixError: 400 for a bad name or type, FIELDS_QUOTA_EXCEEDED (429, not a rate limit).
    """
    name = definitions.read_display_name(FIELD, call.body.get("displayName"))
    found = Violations()
    data_type = check.choice(found, "dataType", call.body.get("dataType"), DATA_TYPES) or "TEXT"
    found.raise_if_any()
    known = definitions.find_by_name(FIELD, call, name)
    if known is not None:
        return {"field": known, "newField": False}
    if definitions.count_custom(FIELD, call) >= call.settings.fields_quota:
        raise application_error("FIELDS_QUOTA_EXCEEDED")
    field = {"displayName": name, "dataType": data_type, "fieldType": "USER_DEFINED"}
    return {"field": definitions.add(FIELD, call, field), "newField": True}


def get_extended_field(call: Call) -> Json:
    """Answer Get Extended Field."""
    return {"field": definitions.get(FIELD, call)}


def list_extended_fields(call: Call) -> Json:
    """Answer List Extended Fields."""
    return definition_search.list_all(FIELD, call)


def query_extended_fields(call: Call) -> Json:
    """Answer Query Extended Fields."""
    return definition_search.query(FIELD, call)


def rename_extended_field(call: Call) -> Json:
    """Answer Rename Extended Field; takes the nested form, flat `displayName` and `name`."""
    nested = call.body.get("field")
    if isinstance(nested, dict):
        name, path = nested.get("displayName"), "field.displayName"
    elif "displayName" in call.body:
        name, path = call.body["displayName"], "displayName"
    else:
        name, path = call.body.get("name"), "field.displayName"
    return {"field": definitions.rename(FIELD, call, name, path)}


def delete_extended_field(call: Call) -> Json:
    """Answer Delete Extended Field: its values go from all contacts, revisions stay."""
    key = definitions.remove(FIELD, call)
    for record in call.site.contacts.values():
        info = record.body["info"]
        values = info.get("extendedFields", {}).get("items", {})
        if key in values:
            rest = {name: value for name, value in values.items() if name != key}
            body = {**record.body, "info": {**info, "extendedFields": {"items": rest}}}
            call.site.store(record, complete(call.site, body, record.role), call.now)
    return {}
