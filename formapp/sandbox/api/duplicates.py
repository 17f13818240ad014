"""Duplicate contacts: the check of Create and Update, and merging.

CONTRACT.md sections 7.1, 7.5 and 11.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from formapp.sandbox.api import records
from formapp.sandbox.api import validation as check
from formapp.sandbox.api.contact_info import (
    SCALARS,
    items,
    primary_of,
    same_address,
    same_email,
    same_phone,
    same_phone_or_text,
)
from formapp.sandbox.api.errors import Violations, application_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import ContactRecord, Json

MAX_SOURCES = 5


def refuse_duplicate(call: Call, info: Json, before: ContactRecord | None = None) -> None:
    """Refuse `info` if its email, or without one its phone, belongs to another contact.

    `before` is the contact that an update changes; the check applies only if the update changes
    the compared value.

    Raises:
        WixError: DUPLICATE_CONTACT_EXISTS with the other contact's id and stored value.
    """
    name, same = ("emails", same_email) if items(info, "emails") else ("phones", same_phone)
    wanted = primary_of(items(info, name))
    former = primary_of(items(before.body["info"], name)) if before else None
    if wanted is None or (former is not None and same(wanted, former)):
        return

    def matching(other: Json) -> list[Json]:
        primary = primary_of(items(other, name))
        compare_all = name == "emails" and call.settings.any_email_duplicates
        candidates = items(other, name) if compare_all else [primary] if primary else []
        return [one for one in candidates if same(wanted, one)]

    contacts: Iterable[ContactRecord] = call.site.contacts.values()
    if name == "emails":
        contacts = call.site.with_email(wanted["email"])
    other = _oldest(call, before, contacts, matching)
    if other is not None:
        stored = matching(other.body["info"])[0]
        data = {"duplicateContactId": other.body["id"]}
        if name == "emails":
            data["duplicateEmail"] = stored["email"]
        else:
            data["duplicatePhone"] = stored["phone"]
        raise application_error("DUPLICATE_CONTACT_EXISTS", **data)


def _oldest(
    call: Call,
    before: ContactRecord | None,
    candidates: Iterable[ContactRecord],
    matches: Callable[[Json], list[Json]],
) -> ContactRecord | None:
    """Return the oldest match among `candidates`, then the one with the smallest id.

    With a blind window the check misses contacts younger than it: this is how two simultaneous
    creates can both succeed.
    """
    window = call.settings.duplicate_blind_window
    found = [
        record
        for record in candidates
        if record is not before
        and not (window and call.now - record.created_at < window)
        and matches(record.body["info"])
    ]
    return min(found, key=lambda one: (one.body["createdDate"], one.body["id"]), default=None)


def merge_contacts(call: Call) -> Json:
    """Answer Merge Contacts: delete the sources and remember their ids for Get Contact."""
    found = Violations()
    revision = check.integer(found, "targetContactRevision", call.body.get("targetContactRevision"))
    target, sources = _read_parties(call, found)
    if revision != target.body["revision"]:
        raise application_error("FAILED_PRECONDITION")
    info = _merged_info(call, target, sources)
    for source in sources:
        records.remove(call, source, "merged")
        call.site.merged[source.body["id"]] = target.body["id"]
    activity = {"activityDate": call.moment, "activityType": "CONTACT_MERGED"}
    return {"contact": records.revise(call, target, info, lastActivity=activity)}


def preview_merge_contacts(call: Call) -> Json:
    """Answer Preview Merge Contacts: the merged target, with its present revision."""
    target, sources = _read_parties(call, Violations())
    body = {**target.body, "info": _merged_info(call, target, sources)}
    return {"contact": records.complete(call.site, body, target.role)}


def _read_parties(call: Call, found: Violations) -> tuple[ContactRecord, list[ContactRecord]]:
    """Return target and sources after all checks except that of the revision."""
    raw = call.body.get("sourceContactIds")
    if raw is None:
        found.add("sourceContactIds", "is required", "REQUIRED_FIELD")
    ids = []
    for index, one in enumerate(check.sequence(found, "sourceContactIds", raw, MAX_SOURCES) or []):
        path = f"sourceContactIds[{index}]"
        value = check.required_text(found, path, one, check.GUID_LENGTH)
        check.pattern(found, path, value, check.GUID, "GUID")
        ids.append((value or "").lower())
    found.raise_if_any()
    target_id = call.path["targetContactId"].lower()
    if not ids or len(set(ids)) < len(ids) or target_id in ids:
        raise application_error("ILLEGAL_MERGE")
    target = records.find(call, target_id)
    sources = [records.find(call, one) for one in ids]
    if any(source.role is not None for source in sources):
        raise application_error("FAILED_PRECONDITION")
    return target, sources


def _merged_info(call: Call, target: ContactRecord, sources: list[ContactRecord]) -> Json:
    """Return the target's info with what the sources add; no value of it is overwritten."""
    info = dict(target.body["info"])
    values = call.site.custom_values(info)
    for source in (record.body["info"] for record in sources):
        info["name"] = {**source.get("name", {}), **info.get("name", {})}
        for name in SCALARS:
            if name in source:
                info.setdefault(name, source[name])
        for name, same in _SAME.items():
            info[name] = {"items": _appended(items(info, name), items(source, name), same)}
        values = {**call.site.custom_values(source), **values}
    info["extendedFields"] = {"items": values}
    return {name: value for name, value in info.items() if value not in ({}, {"items": []})}


def _appended(held: list[Any], added: list[Any], same: Callable[[Any, Any], bool]) -> list[Any]:
    """Append the new items; an appended item is primary only if the list had no primary one."""
    merged = list(held)
    had_primary = any(isinstance(item, dict) and item.get("primary") for item in held)
    for item in added:
        if not any(same(item, one) for one in merged):
            demoted = had_primary and isinstance(item, dict) and "primary" in item
            merged.append({**item, "primary": False} if demoted else item)
    return merged


def _equal(one: str, other: str) -> bool:
    return one == other


_SAME: dict[str, Callable[[Any, Any], bool]] = {
    "emails": same_email,
    "phones": same_phone_or_text,
    "addresses": same_address,
    "labelKeys": _equal,
    "locations": _equal,
}
