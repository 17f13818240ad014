"""Tryton 8.2's parties as a side of a book, by JSON-RPC, whose `_timestamp` is a precondition.

In the tests alone: a party has one name, and Wix's contacts have two, so that no book can map both.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from formapp.crm.model import Book
from formapp.crm.system import (
    AlreadyExistsError,
    Capabilities,
    Changes,
    CursorRefusedError,
    GoneError,
    Record,
    RefusedError,
    StaleError,
    UnauthorizedError,
    UnavailableError,
    Value,
    Write,
)
from formapp.crm.systems.card_fields import CardFields
from formapp.crm.systems.http_calls import HttpCalls

FIELDS = ("name", "email", "phone", "other", "emails", "phones")
_TYPES = {"email": "email", "emails": "email", "phone": "phone", "phones": "phone"}
_SETS = ("emails", "phones")
_KEY = "wix:"
_PARTY, _MECHANISM = "party.party", "party.contact_mechanism"
_READ = (
    *("name", "active", "replaced_by", "_timestamp", "create_date", "categories.name"),
    *(f"contact_mechanisms.{name}" for name in ("type", "value", "_timestamp")),
    *(f"identifiers.{name}" for name in ("code", "_timestamp")),
)
_ALL = ["active", "in", [True, False]]
_PAGE = 100
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Party(Record):
    """A record with the rows that it was read from, and their timestamps."""

    row: Json = field(default_factory=dict)


class TrytonSystem:
    """The parties of one database, with the fields of one book."""

    capabilities = Capabilities(preconditions=True, merge=True)

    def __init__(self, book: Book, calls: HttpCalls, user: str, password: str) -> None:
        self._names = sorted({pair.crm for pair in book.fields})
        self._forms = CardFields(frozenset(self._names), book.region)
        self._url = book.url.rstrip("/") + "/rpc/"
        self._calls = calls
        self._login = (user, password)
        self._session = ""

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def check(self) -> Sequence[str]:
        """Faults in words; reads only."""
        try:
            self.rpc("model.party.party.search", [], 0, 1, None)
        except (UnauthorizedError, UnavailableError) as error:
            return [str(error)]
        return [f'Tryton has no field "{name}"' for name in self._names if name not in FIELDS]

    # Reading

    def changes(self, cursor: str | None) -> Iterator[Changes]:
        """Parties and contact mechanisms written since; a mechanism alone moves no party's time."""
        last = _moment(self._newest() if cursor is None else cursor)
        if cursor is None:
            yield Changes({}, (), last.isoformat())
            return
        since = ["write_date", ">=", _encoded(last)]
        ids = set(self.rpc("model.party.party.search", [since, _ALL], 0, None, None))
        rows = self._search(_MECHANISM, [since, _ALL], ["party"])
        ids |= {row["party"] for row in rows}
        changed = {each.id: each.revision for each in self._read(sorted(ids)) if each.row["active"]}
        yield Changes(changed, (), max(last, _moment(self._newest())).isoformat())

    def _newest(self) -> str:
        rows = [*self._last(_PARTY), *self._last(_MECHANISM)]
        found = [_decoded(row["write_date"]) for row in rows]
        return max(found, default=datetime(2000, 1, 1, tzinfo=UTC)).isoformat()

    def _last(self, model: str) -> list[Json]:
        return self._search(model, [_ALL], ["write_date"], 1, [["write_date", "DESC"]])

    def sweep(self) -> Iterator[Mapping[str, str]]:
        """All active parties, 100 a call."""
        ids = self.rpc("model.party.party.search", [], 0, None, [["id", "ASC"]])
        for start in range(0, len(ids), _PAGE):
            yield {each.id: each.revision for each in self._read(ids[start : start + _PAGE])}

    def get(self, record_id: str) -> Record | None:
        """A party, or what it was replaced by."""
        for party in self._read([int(record_id)]) if record_id.isdecimal() else ():
            if party.row["replaced_by"]:
                return self.get(str(party.row["replaced_by"]))
            return party if party.row["active"] else None
        return None

    def get_many(self, record_ids: Sequence[str]) -> Mapping[str, Record]:
        """Active parties in full."""
        ids = [int(each) for each in record_ids if each.isdecimal()]
        return {each.id: each for each in self._read(ids) if each.row["active"]}

    def find(
        self, *, key: str | None = None, email: str | None = None, phone: str | None = None
    ) -> Sequence[Record]:
        """Active parties with this key, e-mail or phone."""
        if key is not None:
            where: list[Any] = ["identifiers.code", "=", _KEY + key]
        else:
            kind, value = ("email", email) if email is not None else ("phone", phone)
            wanted = [["type", "=", kind], ["value_compact", "ilike", value]]
            where = ["contact_mechanisms", "where", wanted]
        return self._read(self.rpc("model.party.party.search", [where], 0, None, None))

    def _search(
        self, model: str, domain: list[Any], names: list[str], limit: Any = None, order: Any = None
    ) -> list[Json]:
        rows: list[Json] = self.rpc(f"model.{model}.search_read", domain, 0, limit, order, names)
        return rows

    def _read(self, ids: Iterable[int]) -> list[Party]:
        domain = [["id", "in", [*ids]], _ALL]
        return [self._party(row) for row in self._search(_PARTY, domain, [*_READ])]

    def _party(self, row: Json) -> Party:
        codes = [each["code"] for each in row["identifiers."]]
        parts = (row, *row["contact_mechanisms."], *row["identifiers."])
        names = frozenset(each["name"] for each in row["categories."])
        values = {name: value for name in self._names if (value := self._value(row, name))}
        return Party(
            str(row["id"]),
            ",".join(sorted(f"{each['id']}:{each['_timestamp']}" for each in parts))
            + "".join(sorted(names)),
            values,
            names,
            next((code[len(_KEY) :] for code in codes if code.startswith(_KEY)), None),
            emails=self._items(row, "emails"),
            phones=self._items(row, "phones"),
            created_at=_decoded(row["create_date"]),
            row=row,
        )

    def _value(self, row: Json, name: str) -> Value | None:
        if name == "name":
            return self.normalise(name, row["name"] or "")
        found = [each["value"] or "" for each in _of_type(row, name)]
        if name in _SETS:
            return self._items(row, name) or None
        return self.normalise(name, found[0]) if found else None

    def _items(self, row: Json, name: str) -> tuple[str, ...]:
        found = self.normalise(name, tuple(each["value"] or "" for each in _of_type(row, name)))
        return found if isinstance(found, tuple) else ()

    def normalise(self, name: str, value: Value) -> Value | None:
        """Phones in E.164, e-mails in lower case, other texts without outer blanks."""
        return self._forms.normalise(name, value)

    # Writing

    def create(self, write: Write) -> Record:
        """Create a party, unless one has the key already."""
        if write.key and (held := self.find(key=write.key)):
            made = self._predicted(Party(""), write)
            if (held[0].values, held[0].labels) == (made.values, made.labels):
                return held[0]
            raise AlreadyExistsError("a party with this key is there already", held[0].id)
        (party_id,) = self.rpc("model.party.party.create", [self._sent(Party(""), write)])
        return self._answer(replace(self._predicted(Party(""), write), id=str(party_id)))

    def update(self, record: Record, write: Write) -> Record:
        """Change a party, if it has not been changed since it was read."""
        if not isinstance(record, Party) or not record.row:
            raise StaleError("the party was not read")
        sent = self._sent(record, write)
        if sent:
            self._write("write", record, sent)
        return self._answer(self._predicted(record, write))

    def _write(self, method: str, record: Party, *values: Json) -> None:
        stamps = {f"{_PARTY},{record.id}": record.row["_timestamp"]}
        for row in record.row["contact_mechanisms."]:
            stamps[f"{_MECHANISM},{row['id']}"] = row["_timestamp"]
        try:
            call = f"model.party.party.{method}"
            self.rpc(call, [int(record.id)], *values, context={"_timestamp": stamps})
        except RefusedError:
            if self.get(record.id) is None:
                raise GoneError("the party is gone") from None
            raise

    def _predicted(self, record: Party, write: Write) -> Party:
        """What was sent, in place of an answer: Tryton's writes return nothing."""
        values = dict(record.values)
        for name, value in write.values.items():
            made = self.normalise(name, value) if value else None
            values.pop(name, None)
            if made:
                values[name] = made
        labels = (record.labels | write.add_labels) - write.remove_labels
        key = write.key or record.key
        sent = replace(record, revision="", values=values, labels=labels, key=key, row={})
        emails, phones = values.get("email"), values.get("phone")
        return replace(
            sent,
            emails=(emails,) if isinstance(emails, str) else record.emails,
            phones=(phones,) if isinstance(phones, str) else record.phones,
        )

    def _answer(self, sent: Party) -> Record:
        """The party as it is read, if that is what was sent; else an edit came in between."""
        found = self.get(sent.id)
        if found and (found.values, found.labels) == (sent.values, sent.labels):
            return found
        return sent

    def _sent(self, record: Party, write: Write) -> Json:
        sent: Json = {}
        if "name" in write.values:
            sent["name"] = write.values["name"] or ""
        mechanisms = [
            each for name in write.values for each in self._operations(record, write, name)
        ]
        if mechanisms:
            sent["contact_mechanisms"] = mechanisms
        adds = [self._category(name) for name in sorted(write.add_labels)]
        removes = [self._category(name) for name in write.remove_labels & record.labels]
        if adds or removes:
            sent["categories"] = [["add", adds], ["remove", removes]]
        if write.key and not record.key:
            sent["identifiers"] = [["create", [{"code": _KEY + write.key}]]]
        return sent

    def _operations(self, record: Party, write: Write, name: str) -> Iterator[list[Any]]:
        if name == "name":
            return
        value, held = write.values[name], list(_of_type(record.row, name))
        wanted = value if isinstance(value, tuple) else (value,) if value else ()
        kind = _TYPES.get(name, "other")
        if name not in _SETS:
            held = held[:1]
        gone = [each["id"] for each in held if self._spelled(name, each["value"]) not in wanted]
        known = {self._spelled(name, each["value"]) for each in held}
        new = [{"type": kind, "value": each} for each in wanted if each not in known]
        if name not in _SETS and gone and new:
            yield ["write", gone, {"value": new[0]["value"]}]
            return
        if gone:
            yield ["delete", gone]
        if new:
            yield ["create", new]

    def _spelled(self, name: str, text: str) -> str | None:
        found = self.normalise(name.removesuffix("s"), text)
        return found if isinstance(found, str) else None

    def _category(self, name: str) -> int:
        found = self.rpc("model.party.category.search", [["name", "=", name]], 0, 1, None)
        return int((found or self.rpc("model.party.category.create", [{"name": name}]))[0])

    def delete(self, record: Record) -> None:
        """Delete a party, if it is as it was read."""
        with suppress(GoneError):
            if isinstance(record, Party) and record.row:
                self._write("delete", record)

    def archive(self, record: Record) -> None:
        """Make it inactive."""
        self.rpc("model.party.party.write", [int(record.id)], {"active": False})

    def merge(self, survivor: Record, source: Record) -> Record:
        """Replace the source by the survivor, as the wizard does for a person who confirms it."""
        context: Json = {"active_model": _PARTY, "active_id": int(source.id)}
        session, _, _ = self.rpc("wizard.party.replace.create")
        chosen = {"ask": {"source": int(source.id), "destination": int(survivor.id)}}
        execute = "wizard.party.replace.execute"
        for _ in range(3):
            try:
                self.rpc(execute, session, chosen, "replace", context=context)
                break
            except _WarnedError as warned:
                confirmed = {"name": warned.name, "user": self._user, "always": False}
                self.rpc("model.res.user.warning.create", [confirmed])
        return self.get(survivor.id) or survivor

    # Calls

    def rpc(self, method: str, *params: Any, context: Json | None = None) -> Any:
        """Call a method of Tryton's, signed in."""
        if not self._session:
            user, password = self._login
            found = self._post("common.db.login", user, {"password": password}, "en")
            if not found:
                raise UnauthorizedError("Tryton refuses the credentials")
            self._user, token = found[0], found[1]
            text = f"{user}:{self._user}:{token}"
            self._session = f"Session {base64.b64encode(text.encode()).decode()}"
        return self._post(method, *params, context or {})

    def _post(self, method: str, *params: Any) -> Any:
        # Tryton says that long answers are compressed, even to those who take none.
        headers = {"Accept-Encoding": "gzip"}
        if self._session:
            headers["Authorization"] = self._session
        body = {"id": 0, "method": method, "params": [*params]}
        answer = self._calls.call("POST", self._url, json=body, headers=headers)
        try:
            said = answer.json()
        except ValueError:
            raise UnavailableError("Tryton's answer can't be read", maybe_applied=True) from None
        if isinstance(said, dict) and "error" in said:
            kind, details = said["error"]
            if kind == "ConcurrencyException":
                raise StaleError("the party has changed")
            if kind == "UserWarning":
                raise _WarnedError(details[0])
            raise RefusedError(f"Tryton refuses it ({kind})")
        return said["result"] if isinstance(said, dict) and "result" in said else said


class _WarnedError(RefusedError):
    """Tryton asks a person to confirm."""

    def __init__(self, name: str) -> None:
        super().__init__("Tryton asks for a confirmation")
        self.name = name


def _of_type(row: Json, name: str) -> Iterator[Json]:
    kind = _TYPES.get(name, "other")
    return (each for each in row.get("contact_mechanisms.", ()) if each["type"] == kind)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise CursorRefusedError("the cursor is no time") from None


_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")


def _encoded(moment: datetime) -> Json:
    return {"__class__": "datetime", **{part: getattr(moment, part) for part in _PARTS}}


def _decoded(sent: Json) -> datetime:
    return datetime(**{part: sent[part] for part in _PARTS}, tzinfo=UTC)
