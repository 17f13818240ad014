"""A stand-in for HubSpot's contacts, written from the published facts apart from the client.

What it keeps to: the e-mail and `wix_contact_id` are unique (409 with the id in the text alone),
an update changes what was sent, an empty text clears, unknown properties are errors, merging gives
a new id that both old ones lead to, deleting archives, the search index lags, calls are limited.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, make_response, request

Json = dict[str, Any]
UNIQUE = ("email", "wix_contact_id")
PROPERTIES = (
    "email",
    "firstname",
    "lastname",
    "phone",
    "mobilephone",
    "company",
    "hs_additional_emails",
    "wix_contact_id",
    "lastmodifieddate",
    "hs_object_id",
)
ROOT = "/crm/objects/2026-09/contacts"


@dataclass
class Contact:
    """One contact; each property's versions, the newest last."""

    id: str
    created: datetime
    updated: datetime
    history: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)

    def get(self, name: str) -> str:
        versions = self.history.get(name)
        return versions[-1][1] if versions else ""


class HubSpot:
    """One account, with a clock that a test turns.

    Attributes:
        lag: how long Search doesn't find a change.
        limit: calls that are left in the window; None: no limit.
        refuses: a property that an administrator's rule lets nobody set.
        before: called before a call changes anything, with method and path.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.contacts: dict[str, Contact] = {}
        self.archived: dict[str, Contact] = {}
        self.merged: dict[str, str] = {}
        self.lag = timedelta(seconds=30)
        self.limit: int | None = None
        self.refuses = ""
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        self.calls: list[tuple[str, str]] = []
        self._ids = itertools.count(101)
        self.app = Flask(__name__)
        self._add_routes()

    # People

    def edit(self, contact_id: str, **values: str) -> None:
        """Change a contact."""
        contact, now = self.contacts[contact_id], self.clock()
        for name, value in values.items():
            if contact.get(name) != value:
                contact.history.setdefault(name, []).append((now, value))
        contact.updated = max(now, contact.updated + timedelta(milliseconds=1))

    def remove(self, contact_id: str) -> None:
        """Archive a contact."""
        self.archived[contact_id] = self.contacts.pop(contact_id)

    # The API

    def _add_routes(self) -> None:
        rules: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "/crm/properties/2026-09/contacts", self._properties),
            ("GET", ROOT, self._list),
            ("POST", ROOT, self._create),
            ("POST", f"{ROOT}/search", self._search),
            ("POST", f"{ROOT}/merge", self._merge),
            ("POST", f"{ROOT}/batch/read", self._batch_read),
            ("GET", f"{ROOT}/<value>", self._get),
            ("PATCH", f"{ROOT}/<value>", self._update),
            ("DELETE", f"{ROOT}/<value>", self._delete),
        ]
        for number, (method, rule, view) in enumerate(rules):
            self.app.add_url_rule(rule, str(number), view, methods=[method])
        self.app.before_request(self._admit)
        self.app.after_request(self._count)

    def _admit(self) -> Response | None:
        self.calls.append((request.method, request.path.removeprefix(ROOT)))
        if request.headers.get("Authorization") != "Bearer pat-key":
            return self._error(401, "INVALID_AUTHENTICATION", "no key")
        if self.limit == 0:
            answer = self._error(429, "RATE_LIMITS", "You have reached your ten_secondly limit.")
            answer.headers["Retry-After"] = "10"
            return answer
        if self.limit is not None:
            self.limit -= 1
        self.before(request.method, request.path.removeprefix(ROOT))
        return None

    def _count(self, answer: Response) -> Response:
        if self.limit is not None:
            answer.headers["X-HubSpot-RateLimit-Remaining"] = str(self.limit)
            answer.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = "10000"
        return answer

    def _error(self, status: int, category: str, message: str, **more: Any) -> Response:
        body = {"status": "error", "message": message, "correlationId": "c", "category": category}
        return make_response(jsonify(body | more), status)

    def _properties(self) -> Json:
        rows = [{"name": name, "hasUniqueValue": name in UNIQUE} for name in PROPERTIES]
        return {"results": rows}

    def _as_json(self, contact: Contact, names: list[str], past: list[str] | None = None) -> Json:
        row: Json = {
            "id": contact.id,
            "createdAt": _iso(contact.created),
            "updatedAt": _iso(contact.updated),
            "archived": contact.id in self.archived,
            "properties": {name: contact.get(name) or None for name in names},
        }
        if past:
            row["propertiesWithHistory"] = {
                name: [
                    {"value": value, "timestamp": _iso(at), "sourceType": "API", "sourceId": "x"}
                    for at, value in reversed(contact.history.get(name, []))
                ]
                for name in past
            }
        return row

    def _find(self, value: str) -> Contact | None:
        by = request.args.get("idProperty")
        if by:
            assert by in UNIQUE
            same = (each for each in self.contacts.values() if _same(each.get(by), value))
            return next(same, None)
        while value in self.merged:
            value = self.merged[value]
        return self.contacts.get(value)

    def _get(self, value: str) -> Any:
        contact = self._find(value)
        if contact is None:
            return self._error(404, "OBJECT_NOT_FOUND", "resource not found")
        return self._as_json(contact, _names("properties"), _names("propertiesWithHistory"))

    def _list(self) -> Json:
        after, limit = int(request.args.get("after", "0")), int(request.args.get("limit", "10"))
        assert limit <= 100
        rows = sorted(self.contacts.values(), key=lambda one: int(one.id))
        rest = [one for one in rows if int(one.id) > after]
        page: Json = {"results": [self._as_json(one, ["email"]) for one in rest[:limit]]}
        if len(rest) > limit:
            page["paging"] = {"next": {"after": rest[limit - 1].id}}
        return page

    def _refusal(self, sent: Mapping[str, str], own: Contact | None = None) -> Response | None:
        for name, value in sent.items():
            if name not in PROPERTIES or name == self.refuses:
                message = f'Property values were not valid: "{value}" isn\'t allowed'
                context = [{"context": {"propertyName": [name]}, "message": message}]
                return self._error(400, "VALIDATION_ERROR", message, errors=context)
        for name in UNIQUE:
            for other in self.contacts.values():
                if other is not own and sent.get(name) and _same(other.get(name), sent[name]):
                    message = f"Contact already exists. Existing ID: {other.id}"
                    return self._error(409, "CONFLICT", message)
        return None

    def _create(self) -> Any:
        sent = request.get_json()["properties"]
        if refusal := self._refusal(sent):
            return refusal
        now = self.clock()
        contact = Contact(str(next(self._ids)), now, now)
        self.contacts[contact.id] = contact
        self.edit(contact.id, **_made(sent))
        answer = make_response(jsonify(self._as_json(contact, list(sent))), 201)
        answer.headers["Location"] = f"{ROOT}/{contact.id}"
        return answer

    def _update(self, value: str) -> Any:
        contact, sent = self._find(value), request.get_json()["properties"]
        if contact is None:
            return self._error(404, "OBJECT_NOT_FOUND", "resource not found")
        if refusal := self._refusal(sent, contact):
            return refusal
        self.edit(contact.id, **_made(sent))
        return self._as_json(contact, list(sent))

    def _delete(self, value: str) -> Any:
        if value in self.contacts:
            self.remove(value)
        return "", 204

    def _merge(self) -> Any:
        body = request.get_json()
        primary, other = (
            self.contacts.pop(body[name]) for name in ("primaryObjectId", "objectIdToMerge")
        )
        now = self.clock()
        contact = Contact(str(next(self._ids)), now, now)
        contact.history = {**other.history, **primary.history}
        self.contacts[contact.id] = contact
        self.merged |= {primary.id: contact.id, other.id: contact.id}
        return self._as_json(contact, ["email"])

    def _batch_read(self) -> Any:
        body = request.get_json()
        assert len(body["inputs"]) <= 100
        found = [self.contacts.get(one["id"]) for one in body["inputs"]]
        rows = [self._as_json(one, body["properties"]) for one in found if one]
        return jsonify({"status": "COMPLETE", "results": rows}), 200 if all(found) else 207

    def _search(self) -> Any:
        body = request.get_json()
        assert body["limit"] <= 200
        assert body["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        seen = self.clock() - self.lag
        rows = [
            one
            for one in sorted(self.contacts.values(), key=lambda one: int(one.id))
            if one.updated <= seen
            and any(
                all(_matches(one, each) for each in group["filters"])
                for group in body["filterGroups"]
            )
        ]
        page = rows[: body["limit"]]
        return {
            "total": len(rows),
            "results": [self._as_json(one, body["properties"]) for one in page],
        }


def _matches(contact: Contact, condition: Json) -> bool:
    name, wanted = condition["propertyName"], condition["value"]
    match name, condition["operator"]:
        case "lastmodifieddate", "BETWEEN":
            at = int(contact.updated.timestamp() * 1000)
            return int(wanted) <= at <= int(condition["highValue"])
        case "hs_object_id", "GT":
            return int(contact.id) > int(wanted)
        case _, "EQ":
            return contact.get(name) == str(wanted)
    raise AssertionError(condition)


def _made(sent: Mapping[str, str]) -> dict[str, str]:
    return {n: v.strip().lower() if n == "email" else v.strip() for n, v in sent.items()}


def _same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.strip().casefold()


def _names(argument: str) -> list[str]:
    return [name for name in request.args.get(argument, "").split(",") if name]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
