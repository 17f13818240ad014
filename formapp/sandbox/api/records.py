"""How a contact is stored: its derived parts, revision, history, creation and removal.

Every operation that writes a contact does it through this module.
"""

import uuid
from typing import Any

import phonenumbers

from formapp.sandbox.api.call import Call
from formapp.sandbox.api.contact_info import format_phone, items, primary_of, without_blanks
from formapp.sandbox.api.errors import application_error
from formapp.sandbox.api.validation import GUID
from formapp.sandbox.state import MAX_HISTORY, ContactRecord, Json, Role, Site
from formapp.sandbox.webhooks import events

MEMBERSHIP_STATUS = "APPROVED"
"""Value of `members.membershipStatus` of every member; CONTRACT.md leaves the values open."""

DERIVED = ("primaryInfo", "primaryEmail", "primaryPhone")


def find(call: Call, contact_id: str | None = None) -> ContactRecord:
    """Return a contact, that of the path by default, or raise CONTACT_NOT_FOUND.

    An id that is not a GUID is unknown like any other.
    """
    wanted = call.path["contactId"] if contact_id is None else contact_id
    record = call.site.contacts.get(wanted.lower())
    if record is None:
        raise application_error("CONTACT_NOT_FOUND")
    return record


def create(call: Call, info: Json) -> Json:
    body = {
        "id": str(uuid.uuid4()),
        "revision": 1,
        "source": _source(call),
        "createdDate": call.moment,
        "updatedDate": call.moment,
        "lastActivity": {"activityDate": call.moment, "activityType": "CONTACT_CREATED"},
        "info": info,
    }
    stored = store(call, ContactRecord({"info": {}}, call.now), body)
    events.created(call, stored)
    return stored


def _source(call: Call) -> Json:
    """Return where a contact comes from (CONTRACT.md section 5.1).

    The id of an app is left out unless it is a GUID, which CONTRACT.md requires.
    """
    if call.caller.kind == "dashboard":
        return {"sourceType": "ADMIN"}
    if call.caller.kind == "key":
        return {"sourceType": "OTHER"}
    app_id = call.caller.app_id or ""
    return {"sourceType": "WIX_APP", **({"appId": app_id} if GUID.fullmatch(app_id) else {})}


def revise(call: Call, record: ContactRecord, info: Json, **root: Json) -> Json:
    """Store `info` (and replaced parts of the root) as the next revision; return the body."""
    revision = record.body["revision"] + 1
    body = {**record.body, **root, "revision": revision, "updatedDate": call.moment, "info": info}
    stored = store(call, record, body)
    events.updated(call, stored)
    return stored


def store(call: Call, record: ContactRecord, body: Json) -> Json:
    """Store a body with its derived parts and an entry in the history, and return it."""
    body = complete(call.site, body, record.role)
    _remember(record, body, call)
    call.site.store(record, body, call.now)
    return body


def replace_info(call: Call, record: ContactRecord, info: Json) -> None:
    """Store `info` without a new revision, history or event, as after the deletion of a label."""
    body = complete(call.site, {**record.body, "info": info}, record.role)
    call.site.store(record, body, call.now)


def remove(call: Call, record: ContactRecord, reason: str) -> None:
    """Remove a contact; `reason` is "deleted" or "merged"."""
    _remember(record, {**record.body, "info": {}}, call)
    call.site.remove(record.body["id"], reason, call.now)
    events.deleted(call, record.body["id"])


def complete(site: Site, body: Json, role: Role | None) -> Json:
    """Return `body` with its read-only parts derived from `info` (CONTRACT.md section 5.1).

    Subscription and deliverability keep their defaults: no operation sets them.
    """
    info = body["info"]
    email = primary_of(items(info, "emails"))
    phone = primary_of(items(info, "phones"))
    values = site.custom_values(info)
    derived: Json = {"primaryInfo": {}}
    if email is not None:
        address = email["email"]
        derived["primaryInfo"]["email"] = address
        derived["primaryEmail"] = {
            "email": address,
            "subscriptionStatus": "NOT_SET",
            "deliverabilityStatus": "NOT_SET",
        }
        values["emailSubscriptions.subscriptionStatus"] = "NOT_SET"
        values["emailSubscriptions.effectiveEmail"] = address
    if phone is not None:
        derived["primaryInfo"]["phone"] = phone["phone"]
        derived["primaryPhone"] = _primary_phone(phone)
    if role is not None:
        values["members.membershipStatus"] = MEMBERSHIP_STATUS
    kept = {name: body[name] for name in body if name not in (*DERIVED, "info")}
    info = without_blanks({**info, "extendedFields": {"items": values}})
    return {**kept, **without_blanks(derived), "info": info}


def _primary_phone(phone: Json) -> Json:
    e164 = phone.get("e164Phone")
    parts = {
        "phone": phone["phone"],
        "countryCode": phone.get("countryCode"),
        "e164Phone": e164,
        "formattedPhone": format_phone(phone, phonenumbers.PhoneNumberFormat.INTERNATIONAL),
        "subscriptionStatus": "NOT_SET" if e164 else "NO_SUBSCRIPTION_STATUS",
    }
    return {name: value for name, value in parts.items() if value}


def _remember(record: ContactRecord, after: Json, call: Call) -> None:
    """Add an entry to the record's history, for the pages and for tests.

    An entry is `{time, operation, by, revision, changes}`, a change `{field, before, after}`
    with a string, a number, a list of strings, or null for an absent value.
    """
    old, new = flatten(record.body["info"]), flatten(after["info"])
    entry = {
        "time": call.moment,
        "operation": call.operation,
        "by": call.caller.kind,
        "revision": after["revision"],
        "changes": [
            {"field": field, "before": old.get(field), "after": new.get(field)}
            for field in {**new, **old}
            if old.get(field) != new.get(field)
        ],
    }
    record.history.append(entry)
    del record.history[:-MAX_HISTORY]


def flatten(info: Json) -> Json:
    """Return the values by field, each a text, a number or a list of texts."""
    flat: Json = {}
    for name, value in info.items():
        if name == "name":
            flat.update({f"name.{part}": text for part, text in value.items()})
        elif name == "extendedFields":
            flat.update({f"extendedFields.{key}": one for key, one in value["items"].items()})
        elif name == "picture":
            image = value.get("image", {})
            flat[name] = str(image.get("url") or image.get("id") or "picture")
        elif isinstance(value, dict):
            flat[name] = [_item_text(item) for item in value["items"]]
        else:
            flat[name] = value
    return flat


def _item_text(item: Any) -> str:
    """Return an email, phone or address with its tag; a label key or location unchanged."""
    if isinstance(item, str):
        return item
    text = item.get("email") or item.get("phone") or address_text(item["address"])
    tag = "" if item["tag"] == "UNTAGGED" else item["tag"].lower()
    marks = [mark for mark in (tag, "primary" if item.get("primary") else "") if mark]
    return f"{text} ({', '.join(marks)})" if marks else str(text)


def address_text(address: Json) -> str:
    street = address.get("streetAddress", {})
    line = address.get("addressLine") or " ".join(filter(None, map(street.get, STREET)))
    return ", ".join(filter(None, [line, *map(address.get, AFTER_STREET)]))


STREET = ("number", "name")
AFTER_STREET = ("addressLine2", "postalCode", "city", "subdivision", "country")
