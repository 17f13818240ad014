"""What all channels share: a job becomes one try, with its result stored and counted.

A channel is a function that sends one lead to one receiver. A receiver that doesn't answer, or
slowly, postpones all that waits for it: it takes no more than half of its worker's time.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from formapp.db.database import Database
from formapp.forms.definition.model import FormDefinition
from formapp.jobs.backoff import FIRST, doubled
from formapp.jobs.queue import ClaimedJob, RetryLaterError, finish_job, postpone_job
from formapp.notifications.plan import CHANNELS, PATIENCE, due_at, receivers
from formapp.notifications.store import (
    AcceptedLead,
    claim_digest,
    end_job,
    give_up,
    postpone_alike,
    read_accepted,
)

SLOW = timedelta(seconds=1)
MOST_TOGETHER = 500
"""Leads of one digest; further ones get another."""

_log = logging.getLogger(__name__)


class NotSentError(Exception):
    """It was not sent, and a later try may succeed. The text has no answer and no secret.

    Attributes:
        wait: how long; only if it waits by our own rules, which is no failure.
        unreachable: no other lead would reach the receiver now, either.
        uncertain: it may have been sent.
    """

    def __init__(
        self,
        reason: str,
        wait: timedelta | None = None,
        *,
        unreachable: bool = False,
        uncertain: bool = False,
    ) -> None:
        super().__init__(reason)
        self.wait = wait
        self.unreachable = unreachable
        self.uncertain = uncertain


class RefusedError(NotSentError):
    """It was refused, and a later try would be, too."""


class WithheldError(Exception):
    """It must not be sent. The text says why."""


Send = Callable[[AcceptedLead, FormDefinition, str | None], None]
"""Sends a lead to a receiver (`to` of the job), or raises NotSentError or WithheldError."""

Count = Callable[[str, str, str], None]
"""Counts by form, channel and outcome (`sent`, `failed` for each try, `withheld`), as
`Metrics.notification`."""

SendAll = Callable[[Sequence[AcceptedLead], FormDefinition, str], None]
"""Sends a digest; raises as `Send`."""

SameReceiver = Callable[[str, str | None], tuple[str, ...]]
"""Forms whose jobs with the same `to` go to the same receiver, from a form and `to`."""


@dataclass(frozen=True, repr=False, kw_only=True)
class _Jobs:
    """What all jobs share; those of other forms than `forms` wait for another process."""

    database: Database
    forms: Mapping[str, FormDefinition]
    clock: Callable[[], datetime]
    count: Count

    def find_form(self, job: ClaimedJob) -> FormDefinition | None:
        """Return the form of a job; without one the job has ended, or RetryLaterError is raised."""
        form = job.submission.get("form")
        if form is None:
            self.finish([job])
            return None
        definition = self.forms.get(form)
        if definition is None:
            self.not_sent([job], NotSentError(f"this process has no form file of {form}"))
        return definition

    def not_sent(self, batch: Sequence[ClaimedJob], error: NotSentError) -> None:
        """Give up what was tried for long enough, and postpone the others.

        For the first one RetryLaterError is raised, unless it was given up.
        """
        now, first = self.clock(), batch[0]
        form, channel = first.submission["form"], CHANNELS[first.kind]
        if error.wait is None:
            self.count(form, channel, "failed")
        is_final = isinstance(error, RefusedError)
        hopeless = [j for j in batch if is_final or now >= due_at(j.kind, j.since) + PATIENCE]
        if hopeless:
            _log.error("form %s: a notification by %s has failed: %s", form, channel, error)
            with self.database.write() as connection:
                for job in hopeless:
                    give_up(connection, job, str(error), now)
        until = now + wait_of(first, error)
        for job in batch[1:]:
            if job not in hopeless:
                postpone_job(self.database, job, until, str(error))
        if first not in hopeless:
            raise RetryLaterError(str(error), error.wait)

    def end(
        self,
        batch: Sequence[ClaimedJob],
        outcome: Literal["sent", "withheld"],
        reason: str | None = None,
    ) -> None:
        """End the jobs that this worker still holds, keep how, and count once."""
        with self.database.write() as connection:
            for job in batch:
                end_job(connection, job, outcome, self.clock(), reason)
        self.count(batch[0].submission["form"], CHANNELS[batch[0].kind], outcome)

    def finish(self, batch: Sequence[ClaimedJob]) -> None:
        """End the jobs that this worker still holds, without a record: they are not needed."""
        with self.database.write() as connection:
            for job in batch:
                finish_job(connection, job)


@dataclass(frozen=True, repr=False, kw_only=True)
class ChannelJobs(_Jobs):
    """Runs the jobs of one kind; without `same_receiver` all receivers are behind one server."""

    send: Send
    same_receiver: SameReceiver | None = None

    def __call__(self, job: ClaimedJob) -> None:
        """Send it, drop what is no longer wanted, give up, or raise RetryLaterError."""
        definition = self.find_form(job)
        if definition is None:
            return
        leads = read_accepted(self.database, [job.submission["id"]])
        to = job.content.get("to")
        if not leads or not is_wanted(definition, job):
            self.finish([job])
            return
        started = time.monotonic()
        try:
            self.send(leads[0], definition, to)
        except WithheldError as error:
            self.end([job], "withheld", str(error))
            _log.warning("no %s of %s: %s", CHANNELS[job.kind], job.submission["id"], error)
        except NotSentError as error:
            seconds = time.monotonic() - started
            try:
                self.not_sent([job], error)
            finally:
                self._hold_back(job, seconds, error)
        else:
            self.end([job], "sent")
            self._hold_back(job, time.monotonic() - started)

    def _hold_back(
        self, job: ClaimedJob, seconds: float, error: NotSentError | None = None
    ) -> None:
        """Postpone what waits for the same receiver, if it is slow or can't be reached."""
        wait = timedelta(seconds=seconds)
        if error and error.unreachable:
            wait = max(wait, wait_of(job, error))
        elif wait < SLOW:
            return
        if self.same_receiver:
            to, now = job.content.get("to"), self.clock()
            forms = self.same_receiver(job.submission["form"], to)
            postpone_alike(self.database, job.kind, now, now + wait, forms=forms, to=to)


@dataclass(frozen=True, repr=False, kw_only=True)
class DigestJobs(_Jobs):
    """Runs the jobs of digests: all that is due for one address goes into one mail."""

    send: SendAll

    def __call__(self, job: ClaimedJob) -> None:
        """Send all, drop what is no longer wanted, give up, or raise RetryLaterError."""
        definition = self.find_form(job)
        if definition is None:
            return
        batch = claim_digest(self.database, job, self.clock(), MOST_TOGETHER)
        leads = read_accepted(self.database, [each.submission["id"] for each in batch])
        notify, to = definition.notify, job.content["to"]
        if not leads or notify is None or to not in notify.email:
            self.finish(batch)
            return
        try:
            self.send(leads, definition, to)
        except NotSentError as error:
            self.not_sent(batch, error)
        else:
            self.end(batch, "sent")


def is_wanted(definition: FormDefinition, job: ClaimedJob) -> bool:
    """Whether the form file still has this receiver."""
    channel, to, notify = CHANNELS[job.kind], job.content.get("to"), definition.notify
    if channel == "mail":
        return notify is not None and to in notify.email
    if channel == "chat":
        chat = notify.chat if notify else False
        return chat is True or (chat is not False and to in chat)
    return any(each.kind == job.kind for each in receivers(definition))


def wait_of(job: ClaimedJob, error: NotSentError) -> timedelta:
    return error.wait or doubled(FIRST, job.attempt - 1)
