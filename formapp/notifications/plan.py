"""From an accepted lead to the jobs that notify of it.

The transaction that accepts a lead stores one job of the kind `notify`. A worker replaces it, in
one transaction, by a job for each receiver of the form file: each is tried again by itself, and a
kill between them loses none. What isn't accepted yet is marked in its `meta`, so that whatever
accepts it needs no form file.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from formapp.db.database import Database
from formapp.db.notify import notify
from formapp.forms.definition.model import FormDefinition
from formapp.jobs.queue import ClaimedJob, Job, RetryLaterError, add_job, finish_job

NOTIFY = "notify"
"""The kind of the job that adds the others, and the mark in `meta`."""

MAIL, REPLY, WEBHOOK, CHAT = "notify.mail", "notify.reply", "notify.webhook", "notify.chat"
HOURLY, DAILY = "notify.hour", "notify.day"
FAILED = "notify.failed"
"""The kind of what was given up: no worker runs it; the owner sees it and may send it again."""

CHANNELS = {
    MAIL: "mail",
    HOURLY: "mail",
    DAILY: "mail",
    REPLY: "reply",
    WEBHOOK: "webhook",
    CHAT: "chat",
}
"""Kind of a job to channel, as owners call it."""

PATIENCE = timedelta(hours=48)
"""How long a notification is tried."""

MORNING = 6
"""The hour, in UTC, at which a day's digest is sent."""

_DIGESTS = {"hour": HOURLY, "day": DAILY}
_log = logging.getLogger(__name__)


def schedule(
    connection: Connection, submission_id: str, now: datetime, content: Mapping[str, Any]
) -> None:
    """Add the job that adds the others. `content` may name the only `channels`."""
    add_job(connection, Job(NOTIFY, content), now, submission_id)
    notify(connection)


def resume(
    connection: Connection,
    submission_id: str,
    now: datetime,
    waiting: Literal[True] | Sequence[Any],
) -> None:
    """Make due what a lead that is accepted now has to notify of.

    That is True for all receivers, or the pairs of kind and content of jobs that waited before.
    """
    if waiting is True:
        schedule(connection, submission_id, now, {})
        return
    for kind, content in waiting:
        add_job(connection, Job(kind, content), now, submission_id, due_at=due_at(kind, now))
    notify(connection)


@dataclass(frozen=True, repr=False, kw_only=True)
class Planner:
    """Runs the jobs of the kind `notify`, by the form files of this process."""

    database: Database
    forms: Mapping[str, FormDefinition]
    clock: Callable[[], datetime]

    def __call__(self, job: ClaimedJob) -> None:
        """Replace the job by those of its receivers, or raise RetryLaterError."""
        now, form = self.clock(), job.submission.get("form")
        definition = self.forms.get(form or "")
        if form and definition is None:
            if now < job.since + PATIENCE:
                raise RetryLaterError(f"this process has no form file of {form}")
            _log.error("form %s: no notification of a lead: there is no form file of it", form)
        with self.database.write() as connection:
            if not finish_job(connection, job) or definition is None:
                return
            found = list(_plan(definition, job))
            for planned in found:
                due = due_at(planned.kind, now)
                add_job(connection, planned, now, job.submission["id"], due_at=due)
            notify(connection)
        if not found:
            # The tables were taken out of the form file, or this process reads others.
            _log.warning(
                "form %s: no notification of a lead: its form file here has no receiver", form
            )


def _plan(definition: FormDefinition, job: ClaimedJob) -> Iterator[Job]:
    """Yield each job; what was requested by hand waits for no digest."""
    only = job.content.get("channels")
    for planned in receivers(definition):
        if only is None:
            yield planned
        elif CHANNELS[planned.kind] in only:
            kind = MAIL if planned.kind in {HOURLY, DAILY} else planned.kind
            yield Job(kind, planned.content)


def receivers(definition: FormDefinition) -> Iterator[Job]:
    """Yield a job for each receiver of a form's leads; `to` in its content says which."""
    if given := definition.notify:
        kind = _DIGESTS.get(given.every, MAIL)
        yield from (Job(kind, {"to": address}) for address in given.email)
        if given.webhook:
            yield Job(WEBHOOK)
        # Which names all are, only a process with the setting knows.
        names = (None,) if given.chat is True else given.chat or ()
        yield from (Job(CHAT, {"to": name}) for name in names)
    if definition.reply:
        yield Job(REPLY)


def due_at(kind: str, at: datetime) -> datetime:
    """Return when a notification of a lead of this time is sent: at once, or with its digest."""
    if kind not in {HOURLY, DAILY}:
        return at
    hour = at.replace(minute=0, second=0, microsecond=0)
    if kind == HOURLY:
        return hour + timedelta(hours=1)
    today = hour.replace(hour=MORNING)
    return today if at < today else today + timedelta(days=1)
