"""Keeping a submission: one transaction for it and its delivery, before anybody gets an answer."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError
from uuid6 import uuid7

from formapp.lead import Lead
from formapp.submissions.counts import Ration, count_up
from formapp.submissions.database import Database
from formapp.submissions.errands import Errand, add_errand
from formapp.submissions.listening import notify
from formapp.submissions.schema import deliveries, submissions


class Status(StrEnum):
    """What becomes of a submission; only an accepted one has a delivery."""

    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"
    UNCONFIRMED = "unconfirmed"
    SPAM = "spam"


class KeyReused(Exception):  # noqa: N818 - says what happened
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
        rations: what it takes of what may be taken a few times only; where nothing is left, it goes
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
    errands: tuple[Errand, ...] = ()
    rations: tuple[Ration, ...] = ()

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
        used_up: names of the rations that it was the first to find used up.
    """

    id: str
    repeated: bool = False
    status: Status = Status.ACCEPTED
    leaves_work: bool = False
    used_up: tuple[str, ...] = ()


def keep(database: Database, submission: Submission) -> Receipt:
    """Keep a submission, with its delivery where it is accepted; returns after the commit.

    Raises:
        KeyReused: the key came before with other answers.
        DatabaseUnavailable: nothing was kept; the visitor must hear so.
    """
    try:
        with database.write() as connection:
            kept, used_up = _rationed(connection, submission)
            ident = _insert(connection, kept)
            return Receipt(ident, status=kept.status, leaves_work=kept.leaves_work, used_up=used_up)
    except IntegrityError:
        return _earlier(database, submission)


def _rationed(connection: Connection, submission: Submission) -> tuple[Submission, tuple[str, ...]]:
    """Take the rations; where one is used up, hold the submission back and say why.

    In the transaction that keeps it: what wasn't kept, or was kept before, has taken nothing. What
    is held back takes none of those that follow: nobody uses a quota up by one solution.
    """
    for ration in submission.rations:
        count = count_up(connection, ration.hash, ration.until, submission.received_at)
        if count > ration.amount:
            held = replace(
                submission,
                status=Status.QUARANTINED,
                meta=submission.meta
                | {"suspect": [*submission.meta.get("suspect", ()), ration.reason]},
                errands=(),
            )
            is_first = count == ration.amount + 1
            return held, (ration.name,) if ration.name and is_first else ()
    return submission, ()


def _insert(connection: Connection, submission: Submission) -> str:
    ident = str(uuid7())
    connection.execute(
        insert(submissions),
        {
            "id": ident,
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
        },
    )
    if submission.status is Status.ACCEPTED:
        lead, now = submission.lead, submission.received_at
        connection.execute(insert(deliveries), delivery_of(ident, submission.form, lead, now))
    for errand in submission.errands:
        add_errand(connection, ident, errand, submission.received_at)
    if submission.leaves_work:
        notify(connection)
    return ident


def delivery_of(ident: str, form: str, lead: Lead, now: datetime) -> dict[str, Any]:
    """The row of a delivery that is due at once."""
    return {
        "submission_id": ident,
        "form": form,
        "site": lead.site,
        "email": lead.email_identity,
        "phone": lead.phone_identity,
        "state": "pending",
        "created_at": now,
        "due_at": now,
    }


def _earlier(database: Database, submission: Submission) -> Receipt:
    same = (submissions.c.form == submission.form) & (submissions.c.key == submission.key)
    with database.read() as connection:
        row = connection.execute(
            select(submissions.c.id, submissions.c.digest).where(same),
        ).one()
    if row.digest != submission.digest:
        raise KeyReused
    return Receipt(row.id, repeated=True)
