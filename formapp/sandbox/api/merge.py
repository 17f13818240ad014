"""Merge and Preview Merge (contract section 7.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.contact_items import same_email_text, same_phone
from formapp.sandbox.api.contact_rules import SCALARS, items
from formapp.sandbox.api.contacts import find_contact, revise
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.api.field_values import custom_values
from formapp.sandbox.api.history import remember
from formapp.sandbox.api.records import complete
from formapp.sandbox.clock import iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import ContactRecord, Json

MAX_SOURCES = 5


def merge_contacts(call: Call) -> Json:
    """Answer Merge Contacts: the sources are deleted and their ids remembered.

    Raises:
        WixError: 400 ILLEGAL_MERGE or shape, CONTACT_NOT_FOUND, 428 FAILED_PRECONDITION.
    """
    found = Violations()
    revision = check.integer(found, "targetContactRevision", call.body.get("targetContactRevision"))
    target, sources = _parties(call, found)
    if revision != target.body["revision"]:
        raise application_error("FAILED_PRECONDITION")
    info = _merged(call, target, sources)
    for source in sources:
        remember(source, source.body, {**source.body, "info": {}}, call)
        call.site.remove(source.body["id"], "merged", call.now)
        call.site.merged[source.body["id"]] = target.body["id"]
    activity = {"activityDate": iso(call.now), "activityType": "CONTACT_MERGED"}
    return {"contact": revise(call, target, info, lastActivity=activity)}


def preview_merge_contacts(call: Call) -> Json:
    """Answer Preview Merge Contacts: the target as it would be, under its present revision.

    Raises:
        WixError: as for merge.
    """
    target, sources = _parties(call, Violations())
    body = {**target.body, "info": _merged(call, target, sources)}
    return {"contact": complete(call.site, body, target.role)}


def _parties(call: Call, found: Violations) -> tuple[ContactRecord, list[ContactRecord]]:
    """Return target and sources after all checks but that of the revision."""
    ids = _source_ids(found, call.body.get("sourceContactIds"))
    found.raise_if_any()
    target_id = call.path["targetContactId"].lower()
    if not ids or len(set(ids)) < len(ids) or target_id in ids:
        raise application_error("ILLEGAL_MERGE")
    target = find_contact(call, target_id)
    sources = [find_contact(call, one) for one in ids]
    if any(source.role is not None for source in sources):
        raise application_error("FAILED_PRECONDITION")
    return target, sources


def _source_ids(found: Violations, raw: Any) -> list[str]:
    if raw is None:
        found.add("sourceContactIds", "is required", "REQUIRED_FIELD")
    ids = []
    for index, one in enumerate(check.sequence(found, "sourceContactIds", raw, MAX_SOURCES) or []):
        path = f"sourceContactIds[{index}]"
        value = check.required_text(found, path, one, check.GUID_LENGTH)
        check.pattern(found, path, value, check.GUID, "GUID")
        ids.append((value or "").lower())
    return ids


def _merged(call: Call, target: ContactRecord, sources: list[ContactRecord]) -> Json:
    """Return the target's info with what the sources add; nothing of it is overwritten."""
    info = dict(target.body["info"])
    values = custom_values(call.site, info)
    for source in (record.body["info"] for record in sources):
        info["name"] = {**source.get("name", {}), **info.get("name", {})}
        for name in SCALARS:
            if name in source:
                info.setdefault(name, source[name])
        for name, same in _SAME.items():
            info[name] = {"items": _appended(items(info, name), items(source, name), same)}
        values = {**custom_values(call.site, source), **values}
    info["extendedFields"] = {"items": values}
    return {name: value for name, value in info.items() if value not in ({}, {"items": []})}


def _appended(held: list[Any], added: list[Any], same: Callable[[Any, Any], bool]) -> list[Any]:
    """Append what is not there yet; an appended item is primary only in an empty list."""
    grown = list(held)
    for item in added:
        if not any(same(item, one) for one in grown):
            grown.append(item)
    had_primary = any(isinstance(item, dict) and item.get("primary") for item in held)
    if not had_primary:
        return grown
    return [
        {**item, "primary": False}
        if isinstance(item, dict) and "primary" in item and item not in held
        else item
        for item in grown
    ]


_SAME: dict[str, Callable[[Any, Any], bool]] = {
    "emails": lambda one, other: same_email_text(one["email"], other["email"]),
    "phones": lambda one, other: one["phone"] == other["phone"] or same_phone(one, other),
    "addresses": lambda one, other: bool(one["address"] == other["address"]),
    "labelKeys": lambda one, other: bool(one == other),
    "locations": lambda one, other: bool(one == other),
}
