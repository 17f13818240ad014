"""A side of a book: what it must be able to do, and the values that pass between two of them.

A system speaks of fields by its own names; a book's file says which of them belong together. Every
call may raise one of the errors below; no error's text holds a person's data.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol, TypeVar

T = TypeVar("T")

Value = str | tuple[str, ...]
"""One text, or for a set-valued field (`emails`, `phones`, `addresses`) its items, sorted.

Never blank: a blank field is absent. An item of `addresses` is six lines: street, second line,
city, postal code, subdivision, country.
"""


def as_items(value: Value | None) -> tuple[str, ...]:
    """A set's items; none if it is blank. One text counts as a set of one."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def six_lines(address: str) -> list[str]:
    """The lines of an item of `addresses`, without superfluous blanks."""
    lines = [" ".join(line.split()) for line in address.split("\n")]
    return (lines + [""] * 6)[:6]


def normalised(value: Value, one: Callable[[str], str | None], *, is_set: bool) -> Value | None:
    """A value whose texts `one` has normalised, each item of a set once; None: nothing is left."""
    items = as_items(value)
    if is_set:
        return tuple(sorted({made for item in items if (made := one(item))})) or None
    return one(next(iter(items), ""))


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def read_time_cursor(cursor: str) -> datetime:
    """Read a cursor that is a time; CursorRefusedError if it is none."""
    try:
        found = datetime.fromisoformat(cursor)
    except ValueError:
        raise CursorRefusedError("the cursor is no time") from None
    if found.tzinfo is None:
        raise CursorRefusedError("the cursor is a time without an offset")
    return found


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """One person as a system returns it; its repr shows no data.

    Attributes:
        id: may differ from the id that was asked for: then that one was merged into this one.
        revision: what a write's precondition compares (Wix's revision, an ETag); empty where the
            system has none.
        values: by the system's field names, only those that the book maps.
        labels: display names.
        key: the other side's id, where this record stores one.
        emails, phones: all of them, for matching, whether or not the book maps them; phones E.164
            where they can be read.
        created_at: where the system says so.
    """

    id: str
    revision: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    key: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Write:
    """What a create or an update sends.

    Attributes:
        values: by field name; None clears. Fields that aren't named stay.
        add_labels, remove_labels: display names; labels that aren't named stay.
        key: the other side's id to store, or None to leave it as it is.
        all_labels: all labels as they will be, for a system that can't be read; None: they stay.
    """

    values: Mapping[str, Value | None] = field(default_factory=dict)
    add_labels: frozenset[str] = frozenset()
    remove_labels: frozenset[str] = frozenset()
    key: str | None = None
    all_labels: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of hints since a cursor: ids that may have changed, ids that seem to be gone.

    `changed` has the revisions, empty where they aren't known: a known one costs no read. `cursor`
    continues after this page; it is stored only once the hints are.
    """

    changed: Mapping[str, str]
    gone: Collection[str]
    cursor: str


@dataclass(frozen=True, slots=True, repr=False)
class Page:
    """Some records in full, oldest first.

    `offset` continues after them (`Source.list_all`), `total` is how many there are, if known.
    """

    records: Sequence[Record]
    offset: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a system can do beyond reading and writing.

    Attributes:
        preconditions: whether a stale `revision` is refused (`StaleError`).
        merge, archive, labels: whether there is such a thing.
        lists: False for a system that can't list or read its records (a webhook): then it is only
            written to, and changed by what it posts. `get` returns the fields of posts that wait to
            be worked off; a field that is absent there is unchanged.
        index_lag: how long a search may not yet find what was written.
        delete: False where records can't be deleted.
    """

    preconditions: bool = False
    merge: bool = False
    archive: bool = False
    labels: bool = True
    lists: bool = True
    delete: bool = True
    index_lag: timedelta = timedelta(0)


class System(Protocol):
    """One side of a book. Threads don't share one."""

    capabilities: Capabilities

    def check(self) -> Sequence[str]:
        """Faults of credentials, address and mapped fields, in words; none: ready."""

    def changes(self, cursor: str | None) -> Iterator[Changes]:
        """Hints since the cursor, page by page; without a cursor from now on (a page at least).

        CursorRefusedError: the cursor is unknown; `sweep` instead, and never read it as deletions.
        """

    def sweep(self) -> Iterator[Mapping[str, str]]:
        """All records, page by page: id to revision (empty where there is none)."""

    def get(self, record_id: str) -> Record | None:
        """The record in full; None: it is gone. Another id: it was merged into that one."""

    def get_many(self, record_ids: Sequence[str]) -> Mapping[str, Record]:
        """Records in full by id, in as few calls as the system allows (Wix: one for 100).

        One that is missing may be gone, merged or not found yet: `get` says.
        """

    def find(
        self, *, key: str | None = None, email: str | None = None, phone: str | None = None
    ) -> Sequence[Record]:
        """Records with this key, e-mail or E.164 phone (one of them is given); it may lag."""

    def create(self, write: Write) -> Record:
        """Create a record that stores `write.key`, the other side's id.

        Idempotent where the system lets us choose the id by the key. AlreadyExistsError: it refuses
        a second record of this person.
        """

    def update(self, record: Record, write: Write) -> Record:
        """Change the record as it was read; the answer says what the system made of it.

        Where it takes several calls, each field is as the call that wrote it answered.
        StaleError: it has changed since; read again. GoneError: it is gone.
        """

    def delete(self, record: Record) -> None:
        """Delete it as it was read; a record that is gone already is no error. StaleError."""

    def archive(self, record: Record) -> None:  # noqa: ARG002 - most systems have none
        """Archive it, where `capabilities.archive`."""
        raise RefusedError("it can't archive records")

    def merge(self, survivor: Record, source: Record) -> Record:  # noqa: ARG002 - as above
        """Merge the source into the survivor, where `capabilities.merge`; irreversible."""
        raise RefusedError("it can't merge records")

    def normalise(self, name: str, value: Value) -> Value | None:
        """What the system would make of a field's value, for comparison; None: it can't hold it."""

    def close(self) -> None:
        """Close connections."""


class Source(System, Protocol):
    """A system whose new records can be copied elsewhere: Wix."""

    def list_all(self, offset: int = 0) -> Iterator[Page]:
        """All records, oldest first, in as few calls as the system allows.

        Pages overlap, so that a record that is deleted meanwhile hides no other.
        """

    def created_since(self, moment: datetime) -> Iterator[Page]:
        """Records that were created then or later, oldest first; it may lag."""


class CrmError(Exception):
    """Base of a system's errors; the text is a reason for the owner, without anybody's data.

    Attributes:
        wait: the pause that the system asks for.
        maybe_applied: a write whose outcome is unknown, or that is in place though what followed it
            failed: look by the key before repeating it.
        overwritten: by field name, values of a person that the write replaced before they were
            read, and that could not be put back.
    """

    def __init__(
        self, reason: str, *, wait: timedelta | None = None, maybe_applied: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait = wait
        self.maybe_applied = maybe_applied
        self.overwritten: Mapping[str, Value] = MappingProxyType({})


class UnavailableError(CrmError):
    """Away, slow, overloaded or its answer can't be read: the same call may succeed later."""


class UnauthorizedError(CrmError):
    """The credentials are refused: the book pauses until they are set right."""


class StaleError(CrmError):
    """The record has changed since it was read."""


class GoneError(CrmError):
    """The record is gone."""


class AlreadyExistsError(CrmError):
    """The system has this person already; `record_id` where it says which."""

    def __init__(self, reason: str, record_id: str | None = None) -> None:
        super().__init__(reason)
        self.record_id = record_id


class RefusedError(CrmError):
    """The system refuses this write for good (a rule of its own): the link is held."""


class CursorRefusedError(CrmError):
    """The cursor is unknown or too old."""


@contextmanager
def after_write(*, applied: bool = True) -> Iterator[None]:
    """Mark the errors of what follows a write that was applied as `maybe_applied`."""
    try:
        yield
    except CrmError as error:
        error.maybe_applied = applied or error.maybe_applied
        raise
