"""Duplicate contacts: the check of Create and Update, and merging.

CONTRACT.md sections 7.1, 7.5 and 11.4.
"""

from collections.abc import Callable, Iterable
from operator import eq
from typing import Any

from formapp.sandbox.api import records
from formapp.sandbox.api.call import Call
from formapp.sandbox.api.contact_info import (
    SCALARS,
    Same,
    items,
    primary_of,
    same_address,
    same_email,
    same_phone,
    same_phone_or_text,
    without_blanks,
)
from formapp.sandbox.api.errors import application_error
from formapp.sandbox.api.validation import GUID, Sent
from formapp.sandbox.state import ContactRecord, Json

MAX_SOURCES = 5
GUID_LENGTH = 36


def refuse_duplicate(call: Call, info: Json, before: ContactRecord | None = None) -> None:
    """Refuse `info` if its email, or without one its phone, belongs to another contact.

    `before` is the contact that an update changes; the check applies only if the update changes
    the compared value. The error has the other contact's id and stored value.
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
        kind = name.removesuffix("s")
        stored = matching(other.body["info"])[0][kind]
        data = {"duplicateContactId": other.body["id"], f"duplicate{kind.capitalize()}": stored}
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
    sent = Sent(call.body)
    revision = sent["targetContactRevision"].integer()
    target, sources = _read_parties(call, sent)
    if revision != target.body["revision"]:
        raise application_error("FAILED_PRECONDITION")
    info = _merged_info(call, target, sources)
    for source in sources:
        records.remove(call, source, "merged")
        call.site.merged[source.body["id"]] = target.body["id"]
    activity = {"activityDate": call.moment, "activityType": "CONTACT_MERGED"}
    return {"contact": records.revise(call, target, info, lastActivity=activity)}


def preview_merge(call: Call) -> Json:
    """Answer Preview Merge Contacts: the merged target, with its present revision."""
    target, sources = _read_parties(call, Sent(call.body))
    body = {**target.body, "info": _merged_info(call, target, sources)}
    return {"contact": records.complete(call.site, body, target.role)}


def _read_parties(call: Call, sent: Sent) -> tuple[ContactRecord, list[ContactRecord]]:
    """Return target and sources after all checks except that of the revision."""
    listed = sent["sourceContactIds"]
    if listed.value is None:
        listed.refuse("is required", "REQUIRED_FIELD")
    ids = []
    for one in listed.items(MAX_SOURCES) or []:
        one.required(GUID_LENGTH)
        ids.append(one.pattern(GUID, "GUID").lower())
    sent.raise_violations()
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
    return without_blanks({**info, "extendedFields": {"items": values}})


def _appended(held: list[Any], added: list[Any], same: Same) -> list[Any]:
    """Append the new items; an appended item is primary only if the list had no primary one."""
    merged = list(held)
    had_primary = any(isinstance(item, dict) and item.get("primary") for item in held)
    for item in added:
        if not any(same(item, one) for one in merged):
            demoted = had_primary and isinstance(item, dict) and "primary" in item
            merged.append({**item, "primary": False} if demoted else item)
    return merged


_SAME: dict[str, Same] = {
    "emails": same_email,
    "phones": same_phone_or_text,
    "addresses": same_address,
    "labelKeys": eq,
    "locations": eq,
}
