"""Create, Get, Update, Delete and Merge Contact, and the check for duplicates.

CONTRACT.md sections 7.1 to 7.5 and 11.4.
"""

import re
from operator import itemgetter
from typing import Any

from formapp.sandbox.api import records
from formapp.sandbox.api.call import Call
from formapp.sandbox.api.contact_info import (
    SAME,
    SCALARS,
    WRITABLE,
    Same,
    build_items,
    items,
    primary_of,
    read_info,
    same_phone,
    without_blanks,
)
from formapp.sandbox.api.definitions import require_labels
from formapp.sandbox.api.errors import application_error
from formapp.sandbox.api.queries import project, read_projection
from formapp.sandbox.api.validation import GUID, Sent, is_calendar_date
from formapp.sandbox.state import ContactRecord, Json, normalize_email
from formapp.sandbox.webhooks import events

MAX_TEXT_VALUE = 1000
MAX_SOURCES = 5
GUID_LENGTH = 36
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)


def create_contact(call: Call) -> Json:
    sent = Sent(call.body)
    if call.body.get("info") is None:
        sent["info"].refuse("is required", "REQUIRED_FIELD")
    parts = read_info(sent["info"]) or {}
    allow_duplicates = sent["allowDuplicates"].flag()
    sent.raise_violations()
    info = _changed_info(call, {}, parts)
    if not allow_duplicates:
        _refuse_duplicate(call, info)
    return {"contact": records.create(call, info)}


def get_contact(call: Call) -> Json:
    """Answer Get Contact; the id of a merged contact leads to the surviving one."""
    wanted = read_projection(call.many("fields"), call.many("fieldsets"))
    requested = survivor = call.path["contactId"].lower()
    while survivor in call.site.merged:
        survivor = call.site.merged[survivor]
    record = records.find(call, survivor)
    return {
        "contact": project(record.body, wanted),
        "responseType": "REGULAR" if survivor == requested else "MERGED",
    }


def update_contact(call: Call) -> Json:
    """Answer Update Contact, with the checks in the order of CONTRACT.md section 7.3."""
    sent = Sent(call.body)
    revision = sent["revision"].integer()
    parts = read_info(sent["info"]) or {}
    allow_duplicates = sent["allowDuplicates"].flag()
    sent.raise_violations()
    record = records.find(call)
    if revision != record.body["revision"]:
        raise application_error("CONTACT_ALREADY_CHANGED")
    return _update(call, record, parts, allow_duplicates=allow_duplicates)


def edit_contact(call: Call) -> Json:
    """Update a contact as a person in the dashboard does: without revision or duplicate check."""
    sent = Sent(call.body)
    parts = read_info(sent["info"]) or {}
    sent.raise_violations()
    return _update(call, records.find(call), parts, allow_duplicates=True)


def _update(call: Call, record: ContactRecord, sent: Json, *, allow_duplicates: bool) -> Json:
    _protect_member_email(record, sent)
    if not any(name in WRITABLE for name in call.body.get("info") or {}):
        raise application_error("INSUFFICIENT_UPDATE_CONTACT_DATA")
    info = _changed_info(call, record.body["info"], sent)
    if not allow_duplicates:
        _refuse_duplicate(call, info, record)
    return {"contact": records.revise(call, record, info)}


def _changed_info(call: Call, stored: Json, sent: Json) -> Json:
    """Return `info` after `sent` (as `read_info` returns it) is applied to `stored`."""
    require_labels(call.site, sent.get("labelKeys", ()), "info.labelKeys.items")
    info = dict(stored)
    if "name" in sent:
        info["name"] = without_blanks({**stored.get("name", {}), **sent["name"]})
    info.update({name: sent[name] for name in SCALARS if name in sent})
    for name in SAME:
        if name in sent:
            info[name] = {"items": build_items(name, sent[name], items(stored, name))}
    values = call.site.custom_values(stored)
    if "extendedFields" in sent:
        values = _changed_values(call, values, sent["extendedFields"])
    info = without_blanks({**info, "extendedFields": {"items": values}})
    if not any(name in info for name in ("name", "emails", "phones")):
        raise application_error("INSUFFICIENT_CONTACT_DATA")
    return info


def _changed_values(call: Call, stored: Json, sent: Json) -> Json:
    """Return the custom values after `sent` is merged into `stored` or replaces it.

    Null and "" clear a field; a value for a system field is ignored.
    """
    values = dict(stored) if call.settings.extended_fields == "merge" else {}
    for key, value in sent.items():
        if call.site.is_system_field(key):
            continue
        if key in call.site.fields and value in (None, ""):
            values.pop(key, None)
            continue
        values[key] = _valid_value(call.site.fields.get(key, {}).get("dataType"), value)
        if values[key] is None:
            raise application_error("INVALID_EXTENDED_FIELD_VALUE", fieldKey=key)
    return values


def _valid_value(data_type: str | None, value: Any) -> str | int | float | None:
    """Return the value as it is stored, None if it is invalid (CONTRACT.md section 10.4)."""
    if data_type == "NUMBER":
        return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if data_type is None or not isinstance(value, str):
        return None
    if data_type == "DATE":
        return value if is_calendar_date(value) else None
    if data_type == "URL":
        return value if SCHEME.match(value) else f"https://{value}"
    return value if len(value) <= MAX_TEXT_VALUE else None


def _protect_member_email(record: ContactRecord, sent: Json) -> None:
    """Refuse a change of a member's primary email.

    The new primary email is the one marked in `sent`; with none marked it is the former one if
    it is still there, else the first.
    """
    if record.role is None or "emails" not in sent:
        return
    former = primary_of(items(record.body["info"], "emails"))
    marked = [item["email"] for item in sent["emails"] if item["primary"]]
    offered = {normalize_email(one) for one in marked or [it["email"] for it in sent["emails"]]}
    unchanged = normalize_email(former["email"]) in offered if former else not offered
    if not unchanged:
        raise application_error("CANNOT_UPDATE_MEMBER_EMAIL")


def _refuse_duplicate(call: Call, info: Json, before: ContactRecord | None = None) -> None:
    """Refuse `info` if its email, or without one its phone, belongs to another contact.

    `before` is the contact that an update changes; the check applies only if the update changes
    the compared value. The error has the id and stored value of the oldest match, then of that
    with the smallest id. With a blind window the check misses contacts younger than it: this is
    how two simultaneous creates can both succeed.
    """
    name, same = ("emails", SAME["emails"]) if items(info, "emails") else ("phones", same_phone)
    wanted = primary_of(items(info, name))
    former = primary_of(items(before.body["info"], name)) if before else None
    if wanted is None or (former is not None and same(wanted, former)):
        return
    site, kind, window = call.site, name.removesuffix("s"), call.settings.duplicate_blind_window
    compare_all = name == "emails" and call.settings.any_email_duplicates
    others = site.with_email(wanted["email"]) if kind == "email" else site.contacts.values()
    matches = [
        (record.body["createdDate"], record.body["id"], item[kind])
        for record in others
        if record is not before and not (window and call.now - record.created_at < window)
        for item in items(record.body["info"], name)
        if same(wanted, item) and (compare_all or item["primary"])
    ]
    if matches:
        _, other_id, stored = min(matches, key=itemgetter(0, 1))
        data = {"duplicateContactId": other_id, f"duplicate{kind.capitalize()}": stored}
        raise application_error("DUPLICATE_CONTACT_EXISTS", **data)


def delete_contact(call: Call) -> Json:
    record = records.find(call)
    if record.role in ("owner", "contributor"):
        raise application_error("CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR")
    if record.role == "member":
        raise application_error("CANNOT_DELETE_MEMBER")
    if record.has_billing_subscription:
        raise application_error("CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION")
    records.remove(call, record, "deleted")
    return {}


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
    contact = records.revise(call, target, info, lastActivity=activity)
    events.merged(call, contact, [source.body["id"] for source in sources])
    return {"contact": contact}


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
        for name, same in SAME.items():
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
