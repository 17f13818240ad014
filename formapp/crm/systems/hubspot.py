"""HubSpot's contacts by its dated API (`/crm/objects/2026-09/contacts`), with a service key.

Written from the published OpenAPI files; it was never tried on a real account. HubSpot has neither
revisions nor preconditions: after a write the history of what was written shows whether a person's
value came between our reading and our writing. That value is put back, and the link is read again.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import quote

import requests

from formapp.crm.model import Book
from formapp.crm.system import (
    AlreadyExistsError,
    Capabilities,
    Changes,
    CrmError,
    GoneError,
    Record,
    RefusedError,
    StaleError,
    System,
    UnavailableError,
    Value,
    Write,
    after_write,
    batches,
    read_time_cursor,
)
from formapp.crm.systems.http_calls import HttpCalls
from formapp.forms.reading.contact import read_email, read_phone

BASE_URL = "https://api.hubapi.com"
VERSION = "2026-09"
KEY = "wix_contact_id"
"""The property that stores the Wix contact's id: single-line text with unique values."""

INDEX_LAG = timedelta(seconds=60)
OVERLAP = timedelta(minutes=5)
"""Search lags, by half a minute and more: changes this old are read once more."""

_SEARCHED, _LISTED, _BATCH = 200, 100, 100
_ABSENT, _TAKEN, _DONE = 404, 409, range(200, 300)
_EXISTING = re.compile(r"Existing ID: ([0-9]{1,20})")
_PHONES = ("phone", "mobilephone")
_EMAILS = ("email", "hs_additional_emails")
_LONGEST_PAUSE = 30.0
_UNREADABLE = "HubSpot's answer can't be read"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class HubSpotRecord(Record):
    """A record with the properties as HubSpot has them."""

    stored: Mapping[str, str] = field(default_factory=dict)


class HubSpotSystem(System):
    """The contacts of one account, with the fields of one book."""

    capabilities = Capabilities(merge=True, archive=True, labels=False, index_lag=INDEX_LAG)

    def __init__(
        self,
        book: Book,
        calls: HttpCalls,
        clock: Callable[[], datetime],
        wait: Callable[[float], object],
    ) -> None:
        """`wait` waits for some seconds, where HubSpot's limit leaves no room for a call."""
        self._names = sorted({pair.crm for pair in book.fields})
        self._read = sorted({*self._names, *_PHONES, *_EMAILS, KEY})
        self._region = book.region
        self._calls = calls
        self._clock = clock
        self._wait = wait
        self._base = book.url.rstrip("/") or BASE_URL

    def close(self) -> None:
        self._calls.close()

    def check(self) -> Sequence[str]:
        try:
            answer = self._call("GET", f"/crm/properties/{VERSION}/contacts")
            rows = {row["name"]: row for row in _rows(_json(answer), "name")}
        except CrmError as error:
            return [str(error)]
        faults = [f'HubSpot has no property "{name}"' for name in self._names if name not in rows]
        if not rows.get(KEY, {}).get("hasUniqueValue"):
            need = "single-line text, unique values"
            faults.append(f'create the property "{KEY}" for contacts in HubSpot ({need})')
        return faults

    # Reading

    def changes(self, cursor: str | None) -> Iterator[Changes]:
        """Contacts modified since the cursor, less an overlap; deletions show in the sweep.

        The window has an end, and pages go on behind the last id: more than 10,000 contacts of one
        moment would otherwise come again and again.
        """
        now = self._clock()
        if cursor is None:
            yield Changes({}, (), now.isoformat())
            return
        newest, last = read_time_cursor(cursor), 0
        window = {
            "propertyName": "lastmodifieddate",
            "operator": "BETWEEN",
            "value": _milliseconds(newest - OVERLAP),
            "highValue": _milliseconds(now),
        }
        while True:
            behind = {"propertyName": "hs_object_id", "operator": "GT", "value": str(last)}
            rows = self._search([[window, behind]], ["lastmodifieddate"])
            for row in rows:
                last = max(last, int(row["id"]))
                newest = max(newest, _time(row.get("updatedAt")) or newest)
            is_last = len(rows) < _SEARCHED
            changed = {str(row["id"]): str(row.get("updatedAt") or "") for row in rows}
            yield Changes(changed, (), newest.isoformat() if is_last else cursor)
            if is_last:
                return

    def sweep(self) -> Iterator[Mapping[str, str]]:
        """All contacts, 100 a call."""
        after = ""
        while True:
            query = f"?limit={_LISTED}" + (f"&after={quote(after, safe='')}" if after else "")
            page = _json(self._contacts("GET", query))
            yield {str(row["id"]): str(row.get("updatedAt") or "") for row in _rows(page)}
            further = _mapping(_mapping(page.get("paging")).get("next"))
            after = str(further.get("after") or "")
            if not after:
                return

    def get(self, record_id: str, id_property: str = "") -> HubSpotRecord | None:
        """Read one contact; a merged one answers with the id of what it went into.

        `id_property`: the unique property to look up `record_id` by; HubSpot's own id without it.
        """
        query = f"?properties={','.join(self._read)}"
        if id_property:
            query += f"&idProperty={id_property}"
        path = f"/{quote(record_id, safe='')}{query}"
        answer = self._contacts("GET", path, allow=(_ABSENT,))
        return None if answer.status_code == _ABSENT else self._record(_json(answer))

    def get_many(self, record_ids: Sequence[str]) -> Mapping[str, Record]:
        found: dict[str, Record] = {}
        for batch in batches(record_ids, _BATCH):
            body = {"inputs": [{"id": id_} for id_ in batch], "properties": self._read}
            for row in _rows(_json(self._contacts("POST", "/batch/read", body, reads=True))):
                found[str(row["id"])] = self._record(row)
        return {id_: found[id_] for id_ in record_ids if id_ in found}

    def find(
        self, *, key: str | None = None, email: str | None = None, phone: str | None = None
    ) -> Sequence[Record]:
        """By key and e-mail at once; by phone with Search, which lags."""
        if key is not None:
            held = self.get(key, KEY)
            return [held] if held and held.key == key else []
        if email is not None:
            held = self.get(email.strip(), "email")
            return [held] if held and (self.normalise("email", email) in held.emails) else []
        wanted = self.normalise("phone", phone or "")
        groups = [
            [{"propertyName": name, "operator": "EQ", "value": phone or ""}] for name in _PHONES
        ]
        found = [self._record(row) for row in self._search(groups, self._read)]
        return [record for record in found if wanted in record.phones]

    def _search(
        self, groups: Iterable[Sequence[Mapping[str, str]]], names: Sequence[str]
    ) -> Sequence[Mapping[str, Any]]:
        body = {
            "filterGroups": [{"filters": list(filters)} for filters in groups],
            "properties": list(names),
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "limit": _SEARCHED,
        }
        return _rows(_json(self._contacts("POST", "/search", body, reads=True)))

    def _record(
        self, row: Mapping[str, Any], sent: Mapping[str, str] | None = None
    ) -> HubSpotRecord:
        """Return a contact; `sent` are properties that an answer to a write may leave out."""
        properties = row.get("properties")
        if not isinstance(properties, dict) or not _is_id(row.get("id")):
            raise UnavailableError(_UNREADABLE)
        given = {name: str(value) for name, value in properties.items() if value is not None}
        stored = {**(sent or {}), **given}
        return HubSpotRecord(
            str(row["id"]),
            str(row.get("updatedAt") or ""),
            self._values(stored),
            frozenset(),
            stored.get(KEY) or None,
            emails=self._all(_EMAILS, stored),
            phones=self._all(_PHONES, stored),
            created_at=_time(row.get("createdAt")),
            stored=stored,
        )

    def _values(self, stored: Mapping[str, str]) -> dict[str, Value]:
        found = {name: self.normalise(name, stored.get(name, "")) for name in self._names}
        return {name: value for name, value in found.items() if value}

    def _all(self, names: Sequence[str], stored: Mapping[str, str]) -> tuple[str, ...]:
        texts = [text for name in names for text in stored.get(name, "").split(";")]
        kind = names[0]
        found = [value for text in texts if (value := self.normalise(kind, text))]
        return tuple(dict.fromkeys(value for value in found if isinstance(value, str)))

    # Writing

    def create(self, write: Write) -> Record:
        """Create a contact; one with this e-mail or key is refused."""
        sent = _properties(write)
        answer = self._contacts("POST", "", {"properties": sent}, allow=(_TAKEN,))
        if answer.status_code != _TAKEN:
            with after_write():
                return self._record(_json(answer), sent)
        found = _EXISTING.search(answer.text)
        held = self.get(found[1]) if found else None
        if write.key and held is None:
            held = self.get(write.key, KEY)
        if held and write.key and held.key == write.key:
            stored = held.stored
            if all(self._same(name, stored.get(name, ""), value) for name, value in sent.items()):
                return held
        raise AlreadyExistsError("HubSpot has this contact already", held.id if held else None)

    def update(self, record: Record, write: Write) -> Record:
        """Send what changes, then look whether a person's value was overwritten by it."""
        sent = _properties(write)
        if not sent:
            return record
        if not isinstance(record, HubSpotRecord):
            raise StaleError("the contact was not read")
        path = f"/{quote(record.id, safe='')}"
        answer = self._contacts("PATCH", path, {"properties": sent}, allow=(_ABSENT, _TAKEN))
        if answer.status_code == _ABSENT:
            raise GoneError("the contact is gone")
        if answer.status_code == _TAKEN:
            raise RefusedError("HubSpot refuses the e-mail: another contact has it")
        with after_write():
            lost, edited = self._overwritten(record, sent)
            if lost:
                self._put_back(path, lost, edited)
            if lost or edited:
                stale = StaleError("the contact has changed")
                stale.overwritten = edited
                raise stale
            changed = self._record(_json(answer), {**record.stored, **sent})
        return replace(changed, created_at=record.created_at)

    def _put_back(self, path: str, lost: Mapping[str, str], edited: Mapping[str, str]) -> None:
        """Write `lost` anew; an error names those that it leaves overwritten, and `edited`."""
        try:
            self._contacts("PATCH", path, {"properties": lost}, allow=(_ABSENT,))
        except RefusedError:
            stale = StaleError("the contact has changed, and its value can't be put back")
            stale.overwritten = {**lost, **edited}
            raise stale from None
        except CrmError as error:
            error.overwritten = {**lost, **edited}
            raise

    def _overwritten(
        self, record: HubSpotRecord, sent: Mapping[str, str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Values that a person wrote between our reading and our writing, by property.

        Those to put back, and those of properties that were edited again after our writing: to put
        them back would overwrite the newer value.
        """
        query = f"?propertiesWithHistory={','.join(sent)}"
        answer = self._contacts("GET", f"/{quote(record.id, safe='')}{query}", allow=(_ABSENT,))
        if answer.status_code == _ABSENT:
            return {}, {}
        history = _mapping(_json(answer).get("propertiesWithHistory"))
        lost: dict[str, str] = {}
        edited: dict[str, str] = {}
        for name, value in sent.items():
            past = _objects(history.get(name) or [])
            versions = [str(each.get("value") or "") for each in past]
            ours = next(
                (i for i, each in enumerate(versions) if self._same(name, each, value)), None
            )
            before = versions[ours + 1] if ours is not None and ours + 1 < len(versions) else ""
            known = record.stored.get(name, "")
            if (
                before
                and not self._same(name, before, known)
                and not self._same(name, before, value)
            ):
                (edited if ours else lost)[name] = before
        return lost, edited

    def _same(self, name: str, one: str, other: str) -> bool:
        return self.normalise(name, one) == self.normalise(name, other)

    def delete(self, record: Record) -> None:
        """Archive the contact, unless it has changed: HubSpot keeps it for 90 days."""
        held = self.get(record.id)
        if held is None:
            return
        if held.id != record.id or (record.revision and held.revision != record.revision):
            raise StaleError("the contact has changed")
        self._contacts("DELETE", f"/{quote(record.id, safe='')}", allow=(_ABSENT,))

    def archive(self, record: Record) -> None:
        """The same: HubSpot's deleting is archiving."""
        self.delete(record)

    def merge(self, survivor: Record, source: Record) -> Record:
        """Merge the source into the survivor; the result has an id of its own."""
        body = {"primaryObjectId": survivor.id, "objectIdToMerge": source.id}
        answer = self._contacts("POST", "/merge", body)
        with after_write():
            merged = self._record(_json(answer))
            return self.get(merged.id) or merged

    def normalise(self, name: str, value: Value) -> Value | None:
        """Return the value in the form in which it is compared; HubSpot has no sets of them."""
        if not isinstance(value, str) or not (line := value.strip()):
            return None
        if name in _EMAILS:
            return read_email(line) or line.casefold()
        if name in _PHONES:
            found = read_phone(line, self._region)
            return found.identity if found else line
        return line

    # Calls

    def _contacts(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        allow: tuple[int, ...] = (),
        reads: bool = False,
    ) -> requests.Response:
        """Call the contacts; `reads` marks a POST that changes nothing."""
        path = f"/crm/objects/{VERSION}/contacts{path}"
        try:
            return self._call(method, path, json, allow)
        except UnavailableError as error:
            if reads and error.maybe_applied:
                raise UnavailableError(str(error), wait=error.wait) from None
            raise

    def _call(
        self, method: str, path: str, json: Any = None, allow: tuple[int, ...] = ()
    ) -> requests.Response:
        answer = self._calls.call(method, self._base + path, json=json)
        if answer.headers.get("X-HubSpot-RateLimit-Remaining") == "0":
            pause = answer.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "")
            self._wait(min(int(pause[:9]) / 1000, _LONGEST_PAUSE) if pause.isdecimal() else 1.0)
        if answer.status_code not in _DONE and answer.status_code not in allow:
            _refuse(answer)
        return answer


def _refuse(answer: requests.Response) -> NoReturn:
    """Say which properties are wrong, by their names: HubSpot's texts repeat values."""
    if answer.status_code == _ABSENT:
        raise UnavailableError("HubSpot has nothing at this address (404)")
    try:
        contexts = [each.get("context") or {} for each in answer.json().get("errors") or ()]
        found = {str(name) for each in contexts for name in each.get("propertyName") or ()}
        names = sorted(found)
    except (ValueError, AttributeError, TypeError):
        names = []
    known = ", ".join(name for name in names if re.fullmatch(r"[a-z0-9_]{1,100}", name))
    raise RefusedError(f"HubSpot refuses the values ({answer.status_code}) of {known or 'a field'}")


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnavailableError(_UNREADABLE)
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return an object of an answer, empty for null; UnavailableError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnavailableError(_UNREADABLE)
    return value


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return a list of objects of an answer; UnavailableError for anything else."""
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return value
    raise UnavailableError(_UNREADABLE)


def _is_id(value: Any) -> bool:
    return re.fullmatch(r"[0-9]{1,20}", str(value)) is not None


def _rows(content: Mapping[str, Any], key: str = "id") -> list[dict[str, Any]]:
    """Return the rows of an answer, each of which has this key; an id is a number.

    UnavailableError if it has another shape.
    """
    rows = _objects(content.get("results"))
    if all(_is_id(row.get(key)) if key == "id" else isinstance(row.get(key), str) for row in rows):
        return rows
    raise UnavailableError(_UNREADABLE)


def _properties(write: Write) -> dict[str, str]:
    """Return what is sent; an empty text clears."""
    sent = {name: value if isinstance(value, str) else "" for name, value in write.values.items()}
    return sent if write.key is None else {**sent, KEY: write.key}


def _time(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))
