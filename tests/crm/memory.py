"""A system in memory, with people who edit between the engine's calls, and an index that lags."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from formapp.crm.system import (
    AlreadyExistsError,
    Capabilities,
    Changes,
    CursorRefusedError,
    GoneError,
    Page,
    Record,
    StaleError,
    Value,
    Write,
)
from formapp.crm.system import System as _System
from formapp.forms.reading.contact import read_email, read_phone
from tests.support.clock import NOON

__all__ = ["MemorySystem", "Normaliser"]

Normaliser = Callable[[str, str], str]
"""What a system makes of one text of a field."""

Hook = Callable[[str], None]
"""Is called before and after each call, with its name; it may raise, or edit as people do."""


@dataclass
class Row:
    """A stored record."""

    values: dict[str, Value] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)
    key: str | None = None
    revision: int = 1
    created_at: datetime = NOON


def _plain(_name: str, text: str) -> str:
    return text.strip()


class MemorySystem(_System):
    """Records in a dictionary.

    Attributes:
        rows: by id. People change them by `put`, `edit`, `remove` and `combine`.
        calls: the names of the engine's calls.
        hook: called before and after each of them.
        on_update: called with each update just before it is applied.
        on_change: called with each record that was changed by anybody.
    """

    def __init__(
        self,
        name: str,
        clock: Callable[[], datetime],
        *,
        capabilities: Capabilities | None = None,
        normaliser: Normaliser = _plain,
        unique: bool = False,
        hook: Hook = lambda _name: None,
    ) -> None:
        self.name = name
        self.clock = clock
        self.capabilities = capabilities or Capabilities(
            preconditions=True, merge=True, archive=True
        )
        self.normaliser = normaliser
        self.unique = unique
        self.hook = hook
        self.rows: dict[str, Row] = {}
        self.merged: dict[str, str] = {}
        self.archived: set[str] = set()
        self.log: list[tuple[datetime, str]] = []
        self.calls: list[str] = []
        self.refuses_cursors = False
        self.on_update: Callable[[str, Write], None] = lambda _id, _write: None
        self.on_change: Callable[[str], None] = lambda _id: None
        self._numbers = itertools.count(1)

    # People

    def put(self, *, labels: Sequence[str] = (), key: str | None = None, **values: Value) -> str:
        """Create a record."""
        record_id = f"{self.name}{next(self._numbers)}"
        made = {name: self._made(name, value) for name, value in values.items()}
        now = self.clock()
        self.rows[record_id] = Row(_filled(made), set(labels), key, 1, now)
        self._changed(record_id)
        return record_id

    def edit(
        self,
        record_id: str,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        **values: Value | None,
    ) -> None:
        """Change a record's fields and labels."""
        row = self.rows[record_id]
        for name, value in values.items():
            made = self._made(name, value) if value else None
            if made:
                row.values[name] = made
            else:
                row.values.pop(name, None)
        row.labels |= set(add)
        row.labels -= set(remove)
        self._changed(record_id)

    def remove(self, record_id: str) -> None:
        """Delete a record."""
        del self.rows[record_id]
        self.log.append((self.clock(), record_id))

    def combine(self, survivor: str, source: str) -> None:
        """Merge a record into another."""
        row, gone = self.rows[survivor], self.rows.pop(source)
        row.values = {**gone.values, **row.values}
        row.labels |= gone.labels
        self.merged[source] = survivor
        self.log.append((self.clock(), source))
        self._changed(survivor)

    def _changed(self, record_id: str) -> None:
        row = self.rows[record_id]
        row.revision += 1
        self.log.append((self.clock(), record_id))
        self.on_change(record_id)

    def _made(self, name: str, value: Value) -> Value | None:
        made = self.normalise(name, value)
        return made or None

    # The engine

    def _call(self, name: str) -> None:
        self.calls.append(name)
        self.hook(f"{self.name}.{name}")

    def check(self) -> Sequence[str]:
        """No faults."""
        return []

    def changes(self, cursor: str | None) -> Iterator[Changes]:
        """The log since the cursor, as far as the index has it."""
        self._call("changes")
        if self.refuses_cursors and cursor is not None:
            raise CursorRefusedError("unknown cursor")
        seen = self.clock() - self.capabilities.index_lag
        known = [record_id for at, record_id in self.log if at <= seen]
        if cursor is None:
            yield Changes({}, (), str(len(known)))
            return
        ids = dict.fromkeys(known[int(cursor) :])
        changed = {each: self._revision(each) for each in ids if each in self.rows}
        gone = [each for each in ids if each not in self.rows]
        yield Changes(changed, gone, str(len(known)))

    def sweep(self) -> Iterator[Mapping[str, str]]:
        """All records that the index has, two a page."""
        self._call("sweep")
        ids = [each for each in self.rows if self._indexed(each)]
        for start in range(0, len(ids), 2):
            yield {each: self._revision(each) for each in ids[start : start + 2]}

    def list_all(self, offset: int = 0) -> Iterator[Page]:
        """All records, two a page, overlapping by one."""
        ids = [each for each in self.rows if self._indexed(each)]
        while offset < len(ids):
            self._call("list")
            start = max(offset - 1, 0)
            records = [self._record(each) for each in ids[start : start + 3]]
            offset = start + 3
            yield Page(records, min(offset, len(ids)), len(ids))

    def created_since(self, moment: datetime) -> Iterator[Page]:
        """Records created then or later, as far as the index has them."""
        self._call("created")
        found = [each for each, row in self.rows.items() if row.created_at >= moment]
        yield Page([self._record(each) for each in found if self._indexed(each)])

    def get(self, record_id: str) -> Record | None:
        """The record, or the one it was merged into."""
        self._call("get")
        while record_id in self.merged:
            record_id = self.merged[record_id]
        found = self._record(record_id) if record_id in self.rows else None
        self.hook(f"{self.name}.got")
        return found

    def get_many(self, record_ids: Sequence[str]) -> Mapping[str, Record]:
        """The records that are there."""
        self._call("get_many")
        return {each: self._record(each) for each in record_ids if each in self.rows}

    def find(
        self, *, key: str | None = None, email: str | None = None, phone: str | None = None
    ) -> Sequence[Record]:
        """By key, e-mail or phone, as far as the index has them."""
        self._call("find")
        records = [self._record(each) for each in self.rows if self._indexed(each)]
        if key is not None:
            return [each for each in records if each.key == key]
        if email is not None:
            return [each for each in records if read_email(email) in each.emails]
        return [each for each in records if phone in each.phones]

    def create(self, write: Write) -> Record:
        """Create a record; a second one of an e-mail is refused where they are unique."""
        self._call("create")
        emails = self._emails(_filled(write.values))
        for record_id in self.rows if self.unique else ():
            if set(self._record(record_id).emails) & set(emails):
                raise AlreadyExistsError("exists already", record_id)
        values = {name: value for name, value in write.values.items() if value}
        record_id = self.put(labels=sorted(write.add_labels), key=write.key, **values)
        found = self._record(record_id)
        self.hook(f"{self.name}.created")
        return found

    def update(self, record: Record, write: Write) -> Record:
        """Change a record, if it has the revision that was read."""
        self._call("update")
        self._check(record)
        self.on_update(record.id, write)
        self.edit(
            record.id,
            add=sorted(write.add_labels),
            remove=sorted(write.remove_labels),
            **write.values,
        )
        if write.key:
            self.rows[record.id].key = write.key
        found = self._record(record.id)
        self.hook(f"{self.name}.updated")
        return found

    def delete(self, record: Record) -> None:
        """Delete a record, if it has the revision that was read."""
        self._call("delete")
        if record.id in self.rows:
            self._check(record)
            self.remove(record.id)
        self.hook(f"{self.name}.deleted")

    def archive(self, record: Record) -> None:
        """Note that it is archived."""
        self._call("archive")
        self.archived.add(record.id)

    def merge(self, survivor: Record, source: Record) -> Record:
        """Merge the source into the survivor."""
        self._call("merge")
        self._check(survivor)
        self._check(source)
        self.combine(survivor.id, source.id)
        self.hook(f"{self.name}.merged")
        return self._record(survivor.id)

    def normalise(self, name: str, value: Value) -> Value | None:
        """By the normaliser; a set's items are sorted, each once."""
        if isinstance(value, str):
            return self.normaliser(name, value) or None
        return tuple(sorted({self.normaliser(name, each) for each in value})) or None

    def close(self) -> None:
        """Nothing is open."""

    def _check(self, record: Record) -> None:
        if record.id not in self.rows:
            raise GoneError("it is gone")
        if self.capabilities.preconditions and self._revision(record.id) != record.revision:
            raise StaleError("it has changed")

    def _revision(self, record_id: str) -> str:
        return str(self.rows[record_id].revision) if self.capabilities.preconditions else ""

    def _indexed(self, record_id: str) -> bool:
        lag: timedelta = self.capabilities.index_lag
        return self.rows[record_id].created_at <= self.clock() - lag

    def _record(self, record_id: str) -> Record:
        row = self.rows[record_id]
        return Record(
            record_id,
            self._revision(record_id),
            dict(row.values),
            frozenset(row.labels),
            row.key,
            self._emails(row.values),
            self._phones(row.values),
            row.created_at,
        )

    def _emails(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        found = [read_email(each) for each in _items(values.get("email"))]
        return tuple(each for each in found if each)

    def _phones(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        found = [read_phone(each, "GB") for each in _items(values.get("phone"))]
        return tuple(each.identity for each in found if each)


def _items(value: Value | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value or ()


def _filled(values: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if value}
