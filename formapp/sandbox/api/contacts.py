"""Create, Get, Update and Delete Contact (CONTRACT.md sections 7.1 to 7.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formapp.sandbox.api import records
from formapp.sandbox.api import validation as check
from formapp.sandbox.api.contact_info import (
    SCALARS,
    WRITABLE,
    build_items,
    items,
    primary_of,
    read_info,
)
from formapp.sandbox.api.duplicates import refuse_duplicate
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.api.extended_fields import changed_values
from formapp.sandbox.api.labels import require_labels
from formapp.sandbox.api.queries import project, read_projection
from formapp.sandbox.state import normalize_email

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import ContactRecord, Json

LISTS = ("emails", "phones", "addresses", "labelKeys", "locations")


def create_contact(call: Call) -> Json:
    """Answer Create Contact."""
    found = Violations()
    if call.body.get("info") is None:
        found.add("info", "is required", "REQUIRED_FIELD")
    sent = read_info(found, call.body.get("info")) or {}
    allow_duplicates = check.flag(found, "allowDuplicates", call.body.get("allowDuplicates"))
    found.raise_if_any()
    info = _changed_info(call, {}, sent)
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
    found = Violations()
    revision = check.integer(found, "revision", call.body.get("revision"))
    sent = read_info(found, call.body.get("info"))
    allow_duplicates = check.flag(found, "allowDuplicates", call.body.get("allowDuplicates"))
    found.raise_if_any()
    record = records.find(call, call.path["contactId"])
    if revision != record.body["revision"]:
        raise application_error("CONTACT_ALREADY_CHANGED")
    return {"contact": _update(call, record, sent, allow_duplicates=allow_duplicates)}


def edit_contact(call: Call) -> Json:
    """Update a contact as a person in the dashboard does: without revision or duplicate check."""
    found = Violations()
    sent = read_info(found, call.body.get("info"))
    found.raise_if_any()
    record = records.find(call, call.path["contactId"])
    return {"contact": _update(call, record, sent, allow_duplicates=True)}


def _update(
    call: Call, record: ContactRecord, sent: Json | None, *, allow_duplicates: bool
) -> Json:
    _protect_member_email(record, sent or {})
    if not any(name in WRITABLE for name in call.body.get("info") or {}):
        raise application_error("INSUFFICIENT_UPDATE_CONTACT_DATA")
    info = _changed_info(call, record.body["info"], sent or {})
    if not allow_duplicates:
        refuse_duplicate(call, info, record)
    return records.revise(call, record, info)


def _changed_info(call: Call, stored: Json, sent: Json) -> Json:
    """Return `info` after `sent` (as `read_info` returns it) is applied to `stored`."""
    require_labels(call.site, sent.get("labelKeys", ()), "info.labelKeys.items")
    info = dict(stored)
    if "name" in sent:
        info["name"] = _without_blanks({**stored.get("name", {}), **sent["name"]})
    for name in SCALARS:
        if name in sent:
            info[name] = sent[name]
    for name in LISTS:
        if name in sent:
            info[name] = {"items": build_items(name, sent[name], items(stored, name))}
    values = call.site.custom_values(stored)
    if "extendedFields" in sent:
        values = changed_values(call, values, sent["extendedFields"])
    info = _without_blanks({**info, "extendedFields": {"items": values}})
    if not any(name in info for name in ("name", "emails", "phones")):
        raise application_error("INSUFFICIENT_CONTACT_DATA")
    return info


def _without_blanks(info: Json) -> Json:
    return {name: value for name, value in info.items() if value not in ("", {}, {"items": []})}


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
    record = records.find(call, call.path["contactId"])
    if record.role in ("owner", "contributor"):
        raise application_error("CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR")
    if record.role == "member":
        raise application_error("CANNOT_DELETE_MEMBER")
    if record.has_billing_subscription:
        raise application_error("CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION")
    records.remove(call, record, "deleted")
    return {}
