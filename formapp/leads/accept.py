"""Accepting a submission: one transaction for it, its delivery and its jobs, before any answer.

A commit that outlives a power cut waits for the disk, and on PostgreSQL for several answers of the
server. So `GroupCommit` keeps the submissions of several requests by one commit; each request still
waits for the commit that holds its own.
"""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import JSON, Connection, Integer, Table, select
from sqlalchemy.exc import IntegrityError
from uuid6 import uuid7

from formapp.db.columns import UtcDateTime
from formapp.db.counters import UsageLimit, count_up
from formapp.db.database import ContentRefusedError, Database, DatabaseUnavailableError
from formapp.db.group import Group
from formapp.db.notify import CHANNEL
from formapp.db.tables import deliveries, errands, submissions
from formapp.jobs.queue import Job
from formapp.lead import Lead

_SORTED = json.JSONEncoder(sort_keys=True).encode
_encode = msgspec.json.Encoder().encode

Row = dict[str, Any]
_NONE: tuple[str, ...] = ()


class Status(StrEnum):
    """The state of a submission; only an accepted one has a delivery."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    UNCONFIRMED = "unconfirmed"
    SPAM = "spam"


class KeyReusedError(Exception):
    """The same key came before, with other answers. Nothing was kept."""


@dataclass(frozen=True, slots=True, repr=False)
class Submission:
    """What a visitor sent, validated and about to be kept.

    Attributes:
        answers: by field name, cleaned.
        consents: of each ticked consent its `field`, exact `text` and `at` (ISO 8601, UTC).
        meta: `page`, `referrer`, `use`, `utm`, `_subject`, `_replyto` where they are known.
        key: the nonce, Idempotency-Key or `_id`; None where there is none.
        address: the visitor's IP address, only where the form's owner asks for it.
        keep_days: how long the answers stay after delivery; None: as the setting says.
        errands: a worker's jobs for it, besides a delivery.
        usage_limits: what it takes of what may be taken a few times only; where nothing is left, it
            is quarantined and leaves no work.
    """

    form: str
    form_version: str
    received_at: datetime
    lead: Lead
    answers: dict[str, Any]
    consents: list[dict[str, Any]] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)
    status: Status = Status.ACCEPTED
    key: str | None = None
    address: str | None = None
    keep_days: int | None = None
    errands: tuple[Job, ...] = ()
    usage_limits: tuple[UsageLimit, ...] = ()

    @property
    def leaves_work(self) -> bool:
        """Whether a worker has something to do once this is kept."""
        return self.status is Status.ACCEPTED or bool(self.errands)

    @property
    def digest(self) -> str:
        """SHA-256 of the answers, which distinguishes a repetition from other answers."""
        return hashlib.sha256(_SORTED(self.answers).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What has become of a submission.

    Attributes:
        id: UUIDv7.
        repeated: whether it had been kept by an earlier post.
        status: as it was kept.
        leaves_work: whether a worker has something to do about it that it hadn't before.
        used_up: names of the usage limits that it was the first to find used up.
    """

    id: str
    repeated: bool = False
    status: Status = Status.ACCEPTED
    leaves_work: bool = False
    used_up: tuple[str, ...] = ()


class GroupCommit:
    """Keeps submissions in one database; threads share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._group = Group(self._keep_all)

    def keep(self, submission: Submission) -> Receipt:
        """Keep a submission; returns after the commit.

        Raises:
            KeyReusedError: the key came before with other answers.
            DatabaseUnavailableError: nothing was kept; the visitor must be told.
        """
        # Usage limits lock their rows until the commit: those of several forms, taken in another
        # order by another process, could lock each other out.
        if submission.usage_limits:
            return keep(self._database, submission)
        return self._group.do(submission)

    def _keep_all(self, together: Sequence[Submission]) -> Sequence[Receipt | Exception]:
        if len(together) > 1:
            # One of them, by its key or its content, must not cost the others their place.
            with suppress(IntegrityError, ContentRefusedError):
                with self._database.write() as connection:
                    ids = _insert(connection, together)
                return [_receipt(*each) for each in zip(ids, together, strict=True)]
        answers: list[Receipt | Exception] = []
        for submission in together:
            try:
                answers.append(keep(self._database, submission))
            except (KeyReusedError, DatabaseUnavailableError) as error:
                answers.append(error)
        return answers


def keep(database: Database, submission: Submission) -> Receipt:
    """Keep a submission by a commit of its own, with its delivery where it is accepted.

    Raises:
        KeyReusedError: the key came before with other answers.
        DatabaseUnavailableError: nothing was kept; the visitor must be told.
    """
    try:
        with database.write() as connection:
            kept, used_up = submission, _NONE
            if submission.usage_limits:
                kept, used_up = _take_usage_limits(connection, submission)
            [submission_id] = _insert(connection, [kept])
    except IntegrityError:
        return _earlier(database, submission)
    return _receipt(submission_id, kept, used_up)


def _receipt(submission_id: str, kept: Submission, used_up: tuple[str, ...] = ()) -> Receipt:
    return Receipt(submission_id, status=kept.status, leaves_work=kept.leaves_work, used_up=used_up)


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

    In the transaction that keeps it: what wasn't kept, or was kept before, has taken nothing. A
    quarantined submission takes none of those that follow: one solution can't use a quota up.
    """
    for limit in submission.usage_limits:
        count = count_up(connection, limit.hash, limit.until, submission.received_at)
        if count > limit.amount:
            reasons = [*submission.meta.get("suspect", ()), limit.reason]
            meta = submission.meta | {"suspect": reasons}
            held = replace(submission, status=Status.QUARANTINED, meta=meta, errands=())
            is_first = count == limit.amount + 1
            return held, (limit.name,) if limit.name and is_first else ()
    return submission, ()


def delivery_of(submission_id: str, form: str, lead: Lead, now: datetime) -> Row:
    """Return the row of a delivery that is due at once."""
    return {
        "submission_id": submission_id,
        "form": form,
        "site": lead.site,
        "email": lead.email.address if lead.email else None,
        "phone": lead.phones[0].e164 if lead.phones else None,
        "state": "pending",
        "created_at": now,
        "due_at": now,
    }


def _insert(connection: Connection, together: Sequence[Submission]) -> list[str]:
    """Insert the rows of all of them; returns the new ids in the same order."""
    ids = [str(uuid7()) for _ in together]
    rows: dict[Table, list[Row]] = {submissions: [], deliveries: [], errands: []}
    for submission_id, each in zip(ids, together, strict=True):
        now = _utc(each.received_at)
        rows[submissions].append(_row(submission_id, each, now))
        if each.status is Status.ACCEPTED:
            rows[deliveries].append(delivery_of(submission_id, each.form, each.lead, now))
        for job in each.errands:
            rows[errands].append(
                {
                    "submission_id": submission_id,
                    "kind": job.kind,
                    "content": _json(job.content),
                    "created_at": now,
                    "due_at": now,
                }
            )
    # Two processes that keep the same two keys at once must not wait for each other.
    rows[submissions].sort(key=lambda row: row["key"] or "")
    insert = _insert_postgresql if connection.dialect.name == "postgresql" else _insert_sqlite
    insert(connection, rows)
    return ids


def _row(submission_id: str, submission: Submission, now: datetime) -> Row:
    return {
        "id": submission_id,
        "form": submission.form,
        "form_version": submission.form_version,
        "status": submission.status,
        "received_at": now,
        "answers": _json(submission.answers),
        "consents": _json(submission.consents),
        "meta": _json(submission.meta),
        "lead": _json(submission.lead),
        "address": submission.address,
        "key": submission.key,
        "digest": submission.digest,
        "keep_days": submission.keep_days,
    }


# Rows go to the driver as they are: SQLAlchemy's own insert() takes longer than the database. Each
# statement is written once, from the columns of the rows above.

_COLUMNS: dict[Table, tuple[str, ...]] = {
    submissions: (
        *("id", "form", "form_version", "status", "received_at", "answers", "consents", "meta"),
        *("lead", "address", "key", "digest", "keep_days"),
    ),
    deliveries: (
        *("submission_id", "form", "site", "email", "phone", "state", "created_at", "due_at"),
    ),
    errands: ("submission_id", "kind", "content", "created_at", "due_at"),
}


def _of_type(kind: type) -> dict[Table, list[str]]:
    return {
        table: [name for name in names if isinstance(table.c[name].type, kind)]
        for table, names in _COLUMNS.items()
    }


_TIMES, _JSONS, _INTEGERS = _of_type(UtcDateTime), _of_type(JSON), _of_type(Integer)


def _insert_sqlite(connection: Connection, rows: dict[Table, list[Row]]) -> None:
    for table, given in rows.items():
        for row in given:
            for name in _TIMES[table]:
                # As `UtcDateTime` stores it.
                row[name] = row[name].replace(tzinfo=None).isoformat(" ", "microseconds")
        if given:
            connection.exec_driver_sql(_SQLITE[table], given)


_SQLITE = {
    table: f"INSERT INTO {table.name} ({', '.join(names)}) VALUES (:{', :'.join(names)})"  # noqa: S608 - our own names
    for table, names in _COLUMNS.items()
}


def _insert_postgresql(connection: Connection, rows: dict[Table, list[Row]]) -> None:
    """Insert all rows by one statement, in one round trip, and wake all listeners.

    Each table's rows are one JSON parameter. The notification comes with the commit.
    """
    tables = [table for table, given in rows.items() if given]
    inserts = ", ".join(f"{table.name}_ AS ({_POSTGRESQL[table]})" for table in tables)
    wake = f"pg_notify('{CHANNEL}', '')" if tables != [submissions] else "1"
    connection.exec_driver_sql(
        f"WITH {inserts} SELECT {wake}",
        tuple(_encode(rows[table]).decode() for table in tables),
    )


def _from_json(table: Table) -> str:
    names = ", ".join(_COLUMNS[table])
    types = dict.fromkeys(_TIMES[table], "timestamptz") | dict.fromkeys(_INTEGERS[table], "integer")
    given = ", ".join(f"{name} {types.get(name, 'text')}" for name in _COLUMNS[table])
    # JSON columns come as text: within a row PostgreSQL would refuse an escaped NUL.
    values = ", ".join(f"{n}::json" if n in _JSONS[table] else n for n in _COLUMNS[table])
    return (
        f"INSERT INTO {table.name} ({names}) "  # noqa: S608 - our own names
        f"SELECT {values} FROM json_to_recordset(%s::json) AS given({given})"
    )


_POSTGRESQL = {table: _from_json(table) for table in _COLUMNS}


def _utc(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("a time without a zone can't be kept")
    return time.astimezone(UTC)


def _json(content: object) -> str:
    return _encode(content).decode()
