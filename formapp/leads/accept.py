"""Accepting a submission: one transaction for it, its delivery and its jobs, before any answer.

A commit that outlives a power cut waits for the disk, and on PostgreSQL for several answers of the
server. So `GroupCommit` stores the submissions of several requests in one commit; each request
still waits for the commit of its own submission.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, partial
from itertools import chain, count
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import JSON, Connection, Integer, Table, select, update
from sqlalchemy.exc import IntegrityError
from uuid6 import UUID

from formapp.db.counters import UsageLimit, count_up
from formapp.db.database import (
    ContentRefusedError,
    Database,
    DatabaseUnavailableError,
    Execute,
    UtcDateTime,
)
from formapp.db.notify import Notifier, notify
from formapp.db.tables import deliveries, jobs, submissions, unindexed
from formapp.files.records import FileRecord, attach
from formapp.forms.notes import Note
from formapp.jobs.queue import Job
from formapp.lead import Lead, Private
from formapp.leads.search_index import index_later
from formapp.randomness import getrandbits
from formapp.waiting import Group, in_own_thread, in_thread

_SORTED = json.JSONEncoder(sort_keys=True).encode
# A number of a JSON post is a text of its own class.
_encode = msgspec.json.Encoder(enc_hook=str).encode

Row = dict[str, Any]
_NONE: tuple[str, ...] = ()

MAX_BATCH = 32
"""Submissions in one commit: where one can't be stored, each gets a commit of its own."""

_counter = count()


class Status(StrEnum):
    """The state of a submission; only an accepted one has a delivery."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    UNCONFIRMED = "unconfirmed"
    SPAM = "spam"


class KeyReusedError(Exception):
    """The key was used before, with other answers. Nothing was stored."""


class Submission(Private, frozen=True):
    """A validated submission that is about to be stored.

    Attributes:
        answers: by field name, cleaned.
        consents: of each ticked consent its `field`, exact `text` and `at` (ISO 8601, UTC).
        notes: remarks on how it was read, for the owner.
        unknown: name -> text or texts of fields that the form doesn't know.
        meta: `page`, `referrer`, `use`, `utm`, `_subject`, `_replyto` where they are known.
        key: the nonce, Idempotency-Key or `_id`; None where there is none.
        address: the visitor's IP address, only if the form file has `keep_ip`.
        keep_days: how long the answers stay after delivery; None: the setting applies.
        jobs: a worker's jobs for it, besides a delivery.
        usage_limits: the limits that it counts towards; if one is used up, it is quarantined and
            leaves no work.
        files: new ones, whose contents are stored, and staged ones.
    """

    form: str
    form_version: str
    received_at: datetime
    lead: Lead
    answers: dict[str, Any]
    consents: list[dict[str, Any]] = msgspec.field(default_factory=list)
    meta: dict[str, Any] = msgspec.field(default_factory=dict)
    notes: list[Note] = msgspec.field(default_factory=list)
    unknown: dict[str, Any] = msgspec.field(default_factory=dict)
    status: Status = Status.ACCEPTED
    key: str | None = None
    address: str | None = None
    keep_days: int | None = None
    jobs: tuple[Job, ...] = ()
    usage_limits: tuple[UsageLimit, ...] = ()
    files: tuple[FileRecord, ...] = ()

    @property
    def leaves_work(self) -> bool:
        """Whether storing it creates work for a worker."""
        return self.status is Status.ACCEPTED or bool(self.jobs)

    @property
    def digest(self) -> str:
        """SHA-256 of the answers, which distinguishes a repetition from other answers."""
        sent: Any = [self.answers, self.unknown] if self.unknown else self.answers
        if self.files:
            sent = [sent, [file.sha256 for file in self.files]]
        return hashlib.sha256(_SORTED(sent).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of storing a submission.

    Attributes:
        id: UUIDv7.
        repeated: whether an earlier post had stored it.
        status: as stored.
        leaves_work: whether this created work for a worker.
        used_up: names of the usage limits that it was the first to find used up.
    """

    id: str
    repeated: bool = False
    status: Status = Status.ACCEPTED
    leaves_work: bool = False
    used_up: tuple[str, ...] = ()


class GroupCommit:
    """Stores submissions in one database; threads share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._group = Group[_Rows, Receipt](self._keep_all, MAX_BATCH, blocks=database.is_sqlite)
        self._notifier = None if database.is_sqlite else Notifier(database)

    def keep(self, submission: Submission) -> Receipt:
        """Store a submission; returns after the commit.

        Raises:
            KeyReusedError: the key was used before with other answers.
            StagedFileGoneError: one of its staged files was deleted meanwhile.
            DatabaseUnavailableError: nothing was stored; the visitor must get an error.
        """
        # Usage limits lock their rows until the commit: those of several forms, taken in another
        # order by another process, could lock each other out. Files may refuse the whole commit.
        if submission.usage_limits or submission.files:
            return in_thread(partial(keep, self._database, submission))
        # Its rows are made before the commit, which others wait for, not within it.
        return self._group.do(_rows_of(submission, is_sqlite=self._database.is_sqlite))

    def _keep_all(self, together: Sequence["_Rows"]) -> Sequence[Receipt | Exception]:
        # One of them, by its key or its content, must not cost the others their place.
        with suppress(IntegrityError, ContentRefusedError):
            with self._database.write_by_driver() as execute:
                _insert(execute, together, is_sqlite=self._database.is_sqlite)
            if self._notifier and any(each.submission.leaves_work for each in together):
                self._notifier.notify()
            return [_receipt(each) for each in together]
        return in_own_thread(partial(self._keep_each, together))

    def _keep_each(self, together: Sequence["_Rows"]) -> Sequence[Receipt | Exception]:
        answers: list[Receipt | Exception] = []
        for each in together:
            try:
                answers.append(keep(self._database, each.submission))
            except DatabaseUnavailableError as error:
                answers.append(error)
                if not isinstance(error, ContentRefusedError):
                    # Each of the others would wait for it in turn.
                    return answers + [error] * (len(together) - len(answers))
            except Exception as error:  # noqa: BLE001 - raised to the sender of this one alone
                answers.append(error)
        return answers


def keep(database: Database, submission: Submission) -> Receipt:
    """Store a submission in its own commit, as `GroupCommit.keep` does."""
    try:
        with database.write() as connection:
            kept, used_up = submission, _NONE
            if submission.usage_limits:
                kept, used_up = _take_usage_limits(connection, submission)
            rows = _rows_of(kept, is_sqlite=database.is_sqlite)
            _insert(connection.exec_driver_sql, [rows], is_sqlite=database.is_sqlite)
            if kept.files:
                attach(connection, rows.id, kept.files, submission.received_at)
            if kept.leaves_work:
                notify(connection)
    except IntegrityError:
        return _earlier(database, submission)
    return _receipt(rows, used_up)


def _receipt(rows: "_Rows", used_up: tuple[str, ...] = ()) -> Receipt:
    kept = rows.submission
    return Receipt(rows.id, status=kept.status, leaves_work=kept.leaves_work, used_up=used_up)


def _earlier(database: Database, submission: Submission) -> Receipt:
    same = (submissions.c.form == submission.form) & (submissions.c.key == submission.key)
    with database.read() as connection:
        row = connection.execute(
            select(submissions.c.id, submissions.c.digest).where(same),
        ).one()
    if row.digest != submission.digest:
        raise KeyReusedError
    return Receipt(row.id, repeated=True)


def _take_usage_limits(
    connection: Connection, submission: Submission
) -> tuple[Submission, tuple[str, ...]]:
    """Take the usage limits; where one is used up, quarantine the submission and say why.

    In the transaction that stores it: a failed or repeated post counts towards no limit. A
    quarantined submission counts towards none of the following limits: one solution can't use a
    quota up.
    """
    for limit in submission.usage_limits:
        used = count_up(connection, limit.hash, limit.until, submission.received_at)
        if used > limit.amount:
            reasons = [*submission.meta.get("suspect", ()), limit.reason]
            meta = submission.meta | {"suspect": reasons}
            held = replace(submission, status=Status.QUARANTINED, meta=meta, jobs=())
            is_first = used == limit.amount + 1
            return held, (limit.name,) if limit.name and is_first else ()
    return submission, ()


def delivery_of(submission_id: str, form: str, lead: Lead, now: datetime | str) -> Row:
    """Return the row of a delivery that is due at once."""
    phone = lead.phones[0] if lead.phones else None
    return {
        "submission_id": submission_id,
        "form": form,
        "site": lead.site,
        "email": lead.email.address if lead.email else None,
        "phone": phone and (phone.number if phone.extension else phone.e164),
        "state": "pending",
        "created_at": now,
        "due_at": now,
    }


def replace_lead(connection: Connection, submission_id: str, lead: Lead) -> None:
    """Store another lead of a submission, in the caller's transaction."""
    this = update(submissions).where(submissions.c.id == submission_id)
    connection.execute(this.values(lead=lead.to_json(), site=lead.site))
    index_later(connection, submission_id)


# Rows go to the driver as they are: SQLAlchemy's own insert() takes longer than the database.


class _Rows(NamedTuple):
    """A submission with its id and all its rows, each with its table."""

    id: str
    submission: Submission
    rows: list[tuple[Table, Row]]


def _rows_of(submission: Submission, *, is_sqlite: bool) -> _Rows:
    id_, now = _new_id(submission.received_at), _time(submission.received_at, is_sqlite=is_sqlite)
    rows = [(submissions, _row(id_, submission, now)), (unindexed, {"submission_id": id_})]
    if submission.status is Status.ACCEPTED:
        rows.append((deliveries, delivery_of(id_, submission.form, submission.lead, now)))
    for job in submission.jobs:
        row = {"submission_id": id_, "kind": job.kind, "content": _json(job.content)}
        rows.append((jobs, row | {"created_at": now, "due_at": now}))
    return _Rows(id_, submission, rows)


def _insert(execute: Execute, together: Sequence[_Rows], *, is_sqlite: bool) -> None:
    """Insert the rows of all of them."""
    rows: dict[Table, list[Row]] = {submissions: []}
    for each in together:
        for table, row in each.rows:
            rows.setdefault(table, []).append(row)
    # Two processes that store the same two keys at once must not deadlock.
    rows[submissions].sort(key=lambda row: row["key"] or "")
    if not is_sqlite:
        # One statement for all, whose parameters are the rows of a table: one round trip.
        inserts = [f"{each.name}_ AS ({_postgresql(each, tuple(rows[each][0]))})" for each in rows]
        contents = tuple(_json(given) for given in rows.values())
        execute(f"WITH {', '.join(inserts)} SELECT 1", contents)
        return
    # One statement for each table: the driver hands the interpreter to other threads once a
    # statement.
    for table, given in rows.items():
        values = tuple(chain.from_iterable(map(dict.values, given)))
        execute(_sqlite(table, tuple(given[0]), len(given)), values)


def _new_id(received_at: datetime) -> str:
    """Make a UUIDv7 of the time of receipt, in units of 1/4096 ms, and a count.

    RFC 9562, 6.2, methods 3 and 1: lists and their limits in time are in this order. Short ids, its
    last 32 bits, begin with the time in units of 16 ms, which starts anew after 17 minutes: those
    of a time are neighbours in their index, whose pages a commit then shares.
    """
    milliseconds, rest = divmod(int(received_at.timestamp() * 1_000_000), 1000)
    bits = milliseconds << 80 | (rest * 4096 // 1000) << 64
    bits |= (next(_counter) & 0xFFFFF) << 42 | (milliseconds >> 4 & 0xFFFF) << 16
    chance = getrandbits(26)
    bits |= (chance >> 16) << 32 | chance & 0xFFFF
    return str(UUID(int=bits, version=7))


def _row(submission_id: str, submission: Submission, now: str) -> Row:
    return {
        "id": submission_id,
        "form": submission.form,
        "site": submission.lead.site,
        "form_version": submission.form_version,
        "status": submission.status,
        "received_at": now,
        "answers": _json(submission.answers),
        "consents": _json(submission.consents),
        "meta": _json(submission.meta),
        "lead": _json(submission.lead),
        "notes": _json(submission.notes) if submission.notes else None,
        "unknown": _json(submission.unknown) if submission.unknown else None,
        "address": submission.address,
        "key": submission.key,
        "digest": submission.digest,
        "keep_days": submission.keep_days,
    }


@cache
def _sqlite(table: Table, names: tuple[str, ...], number: int) -> str:
    row = f"({', '.join('?' * len(names))})"
    return f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([row] * number)}"  # noqa: S608 - our own names


@cache
def _postgresql(table: Table, names: tuple[str, ...]) -> str:
    types = {name: _POSTGRESQL.get(type(table.c[name].type), "text") for name in names}
    # JSON columns come as text: within a row PostgreSQL would refuse an escaped NUL.
    values = [f"{n}::json" if isinstance(table.c[n].type, JSON) else n for n in names]
    given = ", ".join(f"{name} {kind}" for name, kind in types.items())
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} "  # noqa: S608 - our own names
        f"FROM json_to_recordset(%s::json) AS given({given})"
    )


_POSTGRESQL: dict[type, str] = {UtcDateTime: "timestamptz", Integer: "integer"}


def _time(time: datetime, *, is_sqlite: bool) -> str:
    if time.tzinfo is None:
        raise ValueError("a time without a zone can't be kept")
    utc = time.astimezone(UTC)
    # On SQLite as `UtcDateTime` stores it.
    return utc.replace(tzinfo=None).isoformat(" ", "microseconds") if is_sqlite else utc.isoformat()


def _json(content: object) -> str:
    return _encode(content).decode()
