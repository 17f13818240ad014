"""Keeping a submission: one transaction for it and its delivery, before anybody gets an answer."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Insert, insert, select
from sqlalchemy.exc import IntegrityError
from uuid6 import uuid7

from formapp.db.counters import UsageLimit, count_up
from formapp.db.database import Database
from formapp.db.notify import notify
from formapp.db.tables import deliveries
from formapp.db.tables import submissions as table
from formapp.jobs.queue import Job, add_job
from formapp.lead import Lead

_SUBMISSION = insert(table)
_DELIVERY = insert(deliveries)


class Status(StrEnum):
    """What becomes of a submission; only an accepted one has a delivery."""

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
        errands: what a worker is to do about it, besides a delivery.
        usage_limits: what it takes of what may be taken a few times only; where nothing is left, it goes
            to quarantine and leaves no work.
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
        """SHA-256 of what was answered, to tell a repetition from other answers."""
        text = json.dumps(self.answers, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What has become of a submission.

    Attributes:
        id: UUIDv7.
        repeated: whether it had been kept by an earlier post.
        status: as it was kept.
        leaves_work: whether a worker has something to do about it that it hadn't before.
        used_up: names of the usage_limits that it was the first to find used up.
    """

    id: str
    repeated: bool = False
    status: Status = Status.ACCEPTED
    leaves_work: bool = False
    used_up: tuple[str, ...] = ()


def keep(database: Database, submission: Submission) -> Receipt:
    """Keep a submission, with its delivery where it is accepted; returns after the commit.

    Raises:
        KeyReusedError: the key came before with other answers.
        DatabaseUnavailableError: nothing was kept; the visitor must hear so.
    """
    try:
        with database.write() as connection:
            kept, used_up = _rationed(connection, submission)
            [submission_id] = _insert(connection, [kept])
            return Receipt(
                submission_id, status=kept.status, leaves_work=kept.leaves_work, used_up=used_up
            )
    except IntegrityError:
        return _earlier(database, submission)


def keep_together(database: Database, submissions: Sequence[Submission]) -> list[Receipt]:
    """Keep several submissions that take no usage_limits by one commit, or none of them.

    Raises:
        IntegrityError: a key among them came before.
        DatabaseUnavailableError: as `keep` does.
    """
    with database.write() as connection:
        idents = _insert(connection, submissions)
    return [
        Receipt(submission_id, status=each.status, leaves_work=each.leaves_work)
        for submission_id, each in zip(idents, submissions, strict=True)
    ]


def _rationed(connection: Connection, submission: Submission) -> tuple[Submission, tuple[str, ...]]:
    """Take the usage_limits; where one is used up, hold the submission back and say why.

    In the transaction that keeps it: what wasn't kept, or was kept before, has taken nothing. What
    is held back takes none of those that follow: nobody uses a quota up by one solution.
    """
    for usage_limit in submission.usage_limits:
        count = count_up(connection, usage_limit.hash, usage_limit.until, submission.received_at)
        if count > usage_limit.amount:
            held = replace(
                submission,
                status=Status.QUARANTINED,
                meta=submission.meta
                | {"suspect": [*submission.meta.get("suspect", ()), usage_limit.reason]},
                errands=(),
            )
            is_first = count == usage_limit.amount + 1
            return held, (usage_limit.name,) if usage_limit.name and is_first else ()
    return submission, ()


def _insert(connection: Connection, kept: Sequence[Submission]) -> list[str]:
    """Insert the rows of all of them; returns the new ids in the same order."""
    idents = [str(uuid7()) for _ in kept]
    rows = map(_row, idents, kept)
    # Two processes that keep the same two keys at once must not wait for each other.
    _add(connection, _SUBMISSION, sorted(rows, key=lambda row: row["key"] or ""))
    work = [
        (submission_id, each)
        for submission_id, each in zip(idents, kept, strict=True)
        if each.leaves_work
    ]
    due = [
        delivery_of(submission_id, each.form, each.lead, each.received_at)
        for submission_id, each in work
        if each.status is Status.ACCEPTED
    ]
    _add(connection, _DELIVERY, due)
    for submission_id, each in work:
        for errand in each.errands:
            add_job(connection, errand, each.received_at, submission_id)
    if work:
        notify(connection)
    return idents


def _add(connection: Connection, statement: Insert, rows: list[dict[str, Any]]) -> None:
    if rows:
        # A list of one would cost PostgreSQL's driver a pipeline.
        connection.execute(statement, rows if len(rows) > 1 else rows[0])


def _row(submission_id: str, submission: Submission) -> dict[str, Any]:
    return {
        "id": submission_id,
        "form": submission.form,
        "form_version": submission.form_version,
        "status": submission.status,
        "received_at": submission.received_at,
        "answers": submission.answers,
        "consents": submission.consents,
        "meta": submission.meta,
        "lead": submission.lead.model_dump(mode="json"),
        "address": submission.address,
        "key": submission.key,
        "digest": submission.digest,
        "keep_days": submission.keep_days,
    }


def delivery_of(submission_id: str, form: str, lead: Lead, now: datetime) -> dict[str, Any]:
    """The row of a delivery that is due at once."""
    return {
        "submission_id": submission_id,
        "form": form,
        "site": lead.site,
        "email": lead.email_identity,
        "phone": lead.phone_identity,
        "state": "pending",
        "created_at": now,
        "due_at": now,
    }


def _earlier(database: Database, submission: Submission) -> Receipt:
    same = (table.c.form == submission.form) & (table.c.key == submission.key)
    with database.read() as connection:
        row = connection.execute(
            select(table.c.id, table.c.digest).where(same),
        ).one()
    if row.digest != submission.digest:
        raise KeyReusedError
    return Receipt(row.id, repeated=True)
