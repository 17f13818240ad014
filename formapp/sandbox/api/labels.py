"""The Labels API (contract section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formapp.sandbox.api import definition_search, definitions
from formapp.sandbox.api.definitions import Kind
from formapp.sandbox.api.errors import application_error
from formapp.sandbox.api.records import complete

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json

LABEL = Kind(
    singular="label",
    plural="labels",
    type_name="labelType",
    types=("SYSTEM", "USER_DEFINED", "WIX_APP_DEFINED"),
    longest_name=180,
    list_default=1000,
    list_max=2000,
    filters={"labelType": ("$eq",)},
)


def find_or_create_label(call: Call) -> Json:
    """Answer Find Or Create Label.

    Raises:
        WixError: 400 for a bad name, LABELS_QUOTA_REACHED (428) with the numbers as strings.
    """
    name = definitions.read_display_name(LABEL, call.body.get("displayName"))
    known = definitions.find_by_name(LABEL, call, name)
    if known is not None:
        return {"label": known, "newLabel": False}
    total, quota = definitions.count_custom(LABEL, call), call.settings.labels_quota
    if total >= quota:
        raise application_error(
            "LABELS_QUOTA_REACHED", labelsQuota=str(quota), labelsCurrentTotal=str(total)
        )
    label = {"namespaceDisplayName": "", "displayName": name, "labelType": "USER_DEFINED"}
    return {"label": definitions.add(LABEL, call, label), "newLabel": True}


def get_label(call: Call) -> Json:
    """Answer Get Label."""
    return {"label": definitions.get(LABEL, call)}


def list_labels(call: Call) -> Json:
    """Answer List Labels."""
    return definition_search.list_all(LABEL, call)


def query_labels(call: Call) -> Json:
    """Answer Query Labels."""
    return definition_search.query(LABEL, call)


def rename_label(call: Call) -> Json:
    """Answer Rename Label; takes the nested and the flat form."""
    nested = call.body.get("label")
    if isinstance(nested, dict):
        return {
            "label": definitions.rename(LABEL, call, nested.get("displayName"), "label.displayName")
        }
    return {"label": definitions.rename(LABEL, call, call.body.get("displayName"), "displayName")}


def delete_label(call: Call) -> Json:
    """Answer Delete Label: it goes from all contacts, without a change of their revisions."""
    key = definitions.remove(LABEL, call)
    for record in call.site.contacts.values():
        info = record.body["info"]
        keys = info.get("labelKeys", {}).get("items", [])
        if key in keys:
            rest = [one for one in keys if one != key]
            plain = {name: info[name] for name in info if name != "labelKeys"}
            body = {
                **record.body,
                "info": {**plain, **({"labelKeys": {"items": rest}} if rest else {})},
            }
            call.site.store(record, complete(call.site, body, record.role), call.now)
    return {}
