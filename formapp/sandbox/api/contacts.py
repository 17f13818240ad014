"""Create, Get, Update and Delete Contact (contract sections 7.1 to 7.4)."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from formapp.sandbox.api import validation as check
from formapp.sandbox.api.contact_info import KNOWN_FIELDS, read_info
from formapp.sandbox.api.contact_rules import changed_info, protect_member_email, require_enough
from formapp.sandbox.api.duplicates import refuse_duplicate
from formapp.sandbox.api.errors import Violations, application_error
from formapp.sandbox.api.history import remember
from formapp.sandbox.api.projection import project, read_projection
from formapp.sandbox.api.records import complete
from formapp.sandbox.clock import iso
from formapp.sandbox.state import ContactRecord

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json


def create_contact(call: Call) -> Json:
    """Answer Create Contact.

    Raises:
        WixError: 400 for shape, labels, fields or too little data; 409 for a duplicate.
    """
    found = Violations()
    if call.body.get("info") is None:
        found.add("info", "is required", "REQUIRED_FIELD")
    sent = read_info(found, call.body.get("info")) or {}
    allow_duplicates = check.flag(found, "allowDuplicates", call.body.get("allowDuplicates"))
    found.raise_if_any()
    info = changed_info(call, {}, sent)
    require_enough(info)
    if not allow_duplicates:
        refuse_duplicate(call, info)
    return {"contact": _store_first(call, info)}


def _store_first(call: Call, info: Json) -> Json:
    moment = iso(call.now)
    body = complete(
        call.site,
        {
            "id": str(uuid.uuid4()),
            "revision": 1,
            "source": _source(call),
            "createdDate": moment,
            "updatedDate": moment,
            "lastActivity": {"activityDate": moment, "activityType": "CONTACT_CREATED"},
            "info": info,
        },
        None,
    )
    record = ContactRecord(body, call.now)
    remember(record, {}, body, call)
    call.site.store(record, body, call.now)
    return body


def _source(call: Call) -> Json:
    """Return where a contact comes from (contract section 5.1).

    The id of an app is left out unless it is a GUID, as the contract wants one there.
    """
    if call.caller.kind == "dashboard":
        return {"sourceType": "ADMIN"}
    if call.caller.kind == "key":
        return {"sourceType": "OTHER"}
    app_id = call.caller.app_id or ""
    return {"sourceType": "WIX_APP", **({"appId": app_id} if check.GUID.fullmatch(app_id) else {})}


def get_contact(call: Call) -> Json:
    """Answer Get Contact; an id that was merged away gives the surviving contact.

    Raises:
        WixError: 400 for bad fields or fieldsets; CONTACT_NOT_FOUND.
    """
    wanted = read_projection(call.many("fields"), call.many("fieldsets"))
    asked = call.path["contactId"].lower()
    survivor = _survivor(call, asked)
    record = find_contact(call, survivor)
    return {
        "contact": project(record.body, wanted),
        "responseType": "REGULAR" if survivor == asked else "MERGED",
    }


def _survivor(call: Call, contact_id: str) -> str:
    """Follow merges; a target may have been merged away itself later."""
    while contact_id in call.site.merged:
        contact_id = call.site.merged[contact_id]
    return contact_id


def find_contact(call: Call, contact_id: str) -> ContactRecord:
    """Return the record of a contact. An id that is no GUID is simply not found.

    Raises:
        WixError: CONTACT_NOT_FOUND.
    """
    record = call.site.contacts.get(contact_id.lower())
    if record is None:
        raise application_error("CONTACT_NOT_FOUND")
    return record


def update_contact(call: Call) -> Json:
    """Answer Update Contact, with the checks in the order of contract section 7.3.

    Raises:
        WixError: 400, 404, 409 or 428 as the contract lists them.
    """
    found = Violations()
    revision = check.integer(found, "revision", call.body.get("revision"))
    sent = read_info(found, call.body.get("info"))
    allow_duplicates = check.flag(found, "allowDuplicates", call.body.get("allowDuplicates"))
    found.raise_if_any()
    record = find_contact(call, call.path["contactId"])
    if revision != record.body["revision"]:
        raise application_error("CONTACT_ALREADY_CHANGED")
    return {"contact": apply_update(call, record, sent or {}, allow_duplicates=allow_duplicates)}


def apply_update(call: Call, record: ContactRecord, sent: Json, *, allow_duplicates: bool) -> Json:
    """Apply a checked update and return the contact.

    Raises:
        WixError: 400, 409 (duplicate) or 428.
    """
    protect_member_email(record, sent)
    if not any(name in KNOWN_FIELDS for name in call.body.get("info") or {}):
        raise application_error("INSUFFICIENT_UPDATE_CONTACT_DATA")
    info = changed_info(call, record.body["info"], sent)
    require_enough(info)
    if not allow_duplicates:
        refuse_duplicate(call, info, record)
    return revise(call, record, info)


def revise(call: Call, record: ContactRecord, info: Json, **root: Json) -> Json:
    """Store `info` (and replaced parts of the root) under the next revision; return the body."""
    before = record.body
    body = {**before, **root, "info": info}
    body["revision"] = before["revision"] + 1
    body["updatedDate"] = iso(call.now)
    body = complete(call.site, body, record.role)
    remember(record, before, body, call)
    call.site.store(record, body, call.now)
    return body


def delete_contact(call: Call) -> Json:
    """Answer Delete Contact.

    Raises:
        WixError: CONTACT_NOT_FOUND, or 428 for members, owners, contributors and contacts with
            a billing subscription.
    """
    record = find_contact(call, call.path["contactId"])
    if record.role in ("owner", "contributor"):
        raise application_error("CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR")
    if record.role == "member":
        raise application_error("CANNOT_DELETE_MEMBER")
    if record.has_billing_subscription:
        raise application_error("CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION")
    remember(record, record.body, {**record.body, "info": {}}, call)
    call.site.remove(record.body["id"], "deleted", call.now)
    return {}
