"""Create, Get, Update and Delete Contact (CONTRACT.md sections 7.1 to 7.4)."""

import re
from typing import Any

from formapp.sandbox.api import records
from formapp.sandbox.api.call import Call
from formapp.sandbox.api.contact_info import (
    LISTS,
    SCALARS,
    WRITABLE,
    build_items,
    items,
    primary_of,
    read_info,
    without_blanks,
)
from formapp.sandbox.api.definitions import require_labels
from formapp.sandbox.api.duplicates import refuse_duplicate
from formapp.sandbox.api.errors import application_error
from formapp.sandbox.api.queries import project, read_projection
from formapp.sandbox.api.validation import Sent, is_calendar_date
from formapp.sandbox.state import ContactRecord, Json, normalize_email

MAX_TEXT_VALUE = 1000
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:", re.ASCII)


def create_contact(call: Call) -> Json:
    """Answer Create Contact."""
    sent = Sent(call.body)
    if call.body.get("info") is None:
        sent["info"].refuse("is required", "REQUIRED_FIELD")
    parts = read_info(sent["info"]) or {}
    allow_duplicates = sent["allowDuplicates"].flag()
    sent.raise_violations()
    info = _changed_info(call, {}, parts)
    if not allow_duplicates:
        refuse_duplicate(call, info)
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
        refuse_duplicate(call, info, record)
    return {"contact": records.revise(call, record, info)}


def _changed_info(call: Call, stored: Json, sent: Json) -> Json:
    """Return `info` after `sent` (as `read_info` returns it) is applied to `stored`."""
    require_labels(call.site, sent.get("labelKeys", ()), "info.labelKeys.items")
    info = dict(stored)
    if "name" in sent:
        info["name"] = without_blanks({**stored.get("name", {}), **sent["name"]})
    info.update({name: sent[name] for name in SCALARS if name in sent})
    for name in LISTS:
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


def delete_contact(call: Call) -> Json:
    """Answer Delete Contact."""
    record = records.find(call)
    if record.role in ("owner", "contributor"):
        raise application_error("CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR")
    if record.role == "member":
        raise application_error("CANNOT_DELETE_MEMBER")
    if record.has_billing_subscription:
        raise application_error("CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION")
    records.remove(call, record, "deleted")
    return {}
