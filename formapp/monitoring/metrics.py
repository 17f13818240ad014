"""Metrics for Prometheus, labelled by forms, sites, operations and codes; never by an answer.

Counters and histograms record what this process did, or, after `share_counters`, all processes of
one server. Gauges of the queue are read from the database when a web process is scraped, so that
every process reports the same values.
"""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select, text

from formapp.db.database import Database
from formapp.db.state_counts import count_by_form, count_by_site
from formapp.db.tables import deliveries, incidents, jobs, pauses, submissions
from formapp.monitoring.crm_books import BookFigures, read_books

_CALL_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)
_LEAD_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400)
_REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


_SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which prometheus_client knows the folder that processes share."""


def share_counters(folder: Path, number: int) -> None:
    """Let processes with the same folder report the sum of what they count.

    Before a process makes its `Metrics`. One that takes over the `number` of one that has ended
    goes on with its figures.
    """
    os.environ[_SHARED] = str(folder)
    # prometheus_client chooses when it is imported; the variable wasn't set then.
    values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call] # no types


class Metrics(Collector):
    """The metrics of one process; several apps in one process have one each."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._queue: Sequence[GaugeMetricFamily] = ()
        self.registry.register(self)
        self._define_web()
        self._define_deliveries()

    def _define_web(self) -> None:
        counter = partial(Counter, namespace="formapp", registry=self.registry)
        self._submissions = counter(
            "submissions", "Posts to a form, by result.", ("form", "result")
        )
        self._unknown = counter("unknown_fields", "Names that a form doesn't have.", ("form",))
        self._mails = counter(
            "mails", "Mails that ask for a confirmation, by outcome.", ("form", "outcome")
        )
        self._notifications = counter(
            "notifications",
            "Mails, replies, webhooks and chats about leads, by outcome.",
            ("form", "channel", "outcome"),
        )
        self._requests = Histogram(
            "formapp_request_seconds",
            "Seconds from a request's arrival to its response.",
            ("endpoint", "status"),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        # Looking labels up takes a lock and formats text: once for each pair of them.
        self._posts_of: dict[tuple[str, str], Counter] = {}
        self._requests_of: dict[tuple[str, int], Histogram] = {}

    def _define_deliveries(self) -> None:
        counter = partial(Counter, namespace="formapp", registry=self.registry)
        histogram = partial(Histogram, namespace="formapp", registry=self.registry)
        self._delivered = counter(
            "deliveries_done",
            "Finished deliveries, by outcome; `failed` is one of them.",
            ("site", "outcome"),
        )
        self._attempts = counter(
            "attempts",
            "Attempts, by result and by Wix's response.",
            ("site", "result", "status", "code"),
        )
        self._calls_per_lead = histogram(
            "calls_per_lead",
            "Calls to Wix in the attempt that delivered a lead.",
            ("site",),
            buckets=(0, 1, 2, 3, 4, 6, 10),
        )
        self._lead_seconds = histogram(
            "lead_seconds",
            "Seconds from a submission's arrival to its contact.",
            ("site",),
            buckets=_LEAD_SECONDS,
        )
        self._call_seconds = histogram(
            "wix_call_seconds",
            "Seconds that a call to Wix took.",
            ("site", "operation", "status"),
            buckets=_CALL_SECONDS,
        )

        self._book_calls = histogram(
            "crm_wix_calls",
            "Calls to Wix for a CRM book's contact, look at a side for changes, or sweep.",
            ("book", "work"),
            buckets=(0, 1, 2, 3, 4, 6, 10, 20, 50),
        )

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the gauges that were last read; Prometheus' client calls this."""
        return self._queue

    def submission(self, form: str, result: str) -> None:
        """Count a post, or `confirmed` for a click on a link."""
        key = (form, result)
        if (posts := self._posts_of.get(key)) is None:
            posts = self._posts_of[key] = self._submissions.labels(form, result)
        posts.inc()

    def mail(self, form: str, outcome: str) -> None:
        """Count a confirmation mail: `sent`, `failed` (each try) or `withheld` by a limit."""
        self._mails.labels(form, outcome).inc()

    def notification(self, form: str, channel: str, outcome: str) -> None:
        """Count a notification: `sent`, `failed` (each try) or `withheld`."""
        self._notifications.labels(form, channel, outcome).inc()

    def unknown_fields(self, form: str, count: int) -> None:
        if count:
            self._unknown.labels(form).inc(count)

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        key = (endpoint, status)
        if (requests := self._requests_of.get(key)) is None:
            requests = self._requests_of[key] = self._requests.labels(endpoint, str(status))
        requests.observe(seconds)

    def attempt(self, site: str, result: str, status: int | None, code: str | None) -> None:
        self._attempts.labels(site, result, str(status or ""), code or "").inc()

    def delivered(self, site: str, outcome: str, *, calls: int, seconds: float) -> None:
        """Count a lead that has reached Wix."""
        self._delivered.labels(site, outcome).inc()
        self._calls_per_lead.labels(site).observe(calls)
        self._lead_seconds.labels(site).observe(max(seconds, 0))

    def failed(self, site: str) -> None:
        """Count a delivery that failed; a retry by the owner counts anew."""
        self._delivered.labels(site, "failed").inc()

    def call(self, site: str, operation: str, status: int | None, seconds: float) -> None:
        self._call_seconds.labels(site, operation, str(status or "none")).observe(seconds)

    def book_calls(self, book: str, work: str, calls: int) -> None:
        self._book_calls.labels(book, work).observe(calls)

    def read_queue(self, database: Database, now: datetime, sites: Collection[str] = ()) -> None:
        """Set the gauges of the queue; the same work however many deliveries wait.

        `sites` are shown even where nothing waits for them.
        """
        with database.read() as connection:
            self._queue = [
                *_queue_gauges(connection, now, sites),
                *_book_gauges(read_books(connection, now)),
            ]

    def text(self) -> bytes:
        if not os.environ.get(_SHARED):
            return generate_latest(self.registry)
        summed = CollectorRegistry()
        MultiProcessCollector(summed)  # type: ignore[no-untyped-call] # no types
        summed.register(self)
        return generate_latest(summed)


def _gauge(
    name: str,
    help_: str,
    label: str,
    numbers: Mapping[Any, float],
) -> GaugeMetricFamily:
    """Return a gauge by the values of its label, or of its labels where `label` names two."""
    gauge = GaugeMetricFamily(f"formapp_{name}", help_, labels=label.split())
    for key, number in numbers.items():
        gauge.add_metric([key] if isinstance(key, str) else [*key], float(number))
    return gauge


def _queue_gauges(
    connection: Connection, now: datetime, sites: Collection[str]
) -> Iterable[GaugeMetricFamily]:
    paused = {row.site: row.paused_until for row in connection.execute(select(pauses))}
    counts = {
        "pending": count_by_site(connection, "pending"),
        "failed": count_by_site(connection, "failed"),
    }
    shown = {*sites, *paused, *(site for numbers in counts.values() for site in numbers)}
    yield _gauge(
        "deliveries",
        "Pending and failed deliveries.",
        "site state",
        {(at, state): numbers.get(at, 0) for state, numbers in counts.items() for at in shown},
    )
    text_of_age = "Age of the oldest delivery that is due; 0 if none is."
    ages = {site: _age_of_oldest(connection, site, now) for site in shown}
    yield _gauge("oldest_due_seconds", text_of_age, "site", ages)
    known = {(row.kind, row.site): 1.0 for row in connection.execute(select(incidents))}
    yield _gauge("incident_open", "Incidents that are not over.", "kind site", known)
    held = count_by_form(connection, "quarantined")
    yield _gauge("quarantined", "Submissions in quarantine.", "form", held)
    waiting = "Mails, challenges and notifications that wait for a worker."
    yield _gauge("errands", waiting, "kind", _count_jobs(connection))
    given_up = "Notifications that wait; of the channel `failed`: that were given up."
    notifications = _count_notifications(connection)
    yield _gauge("notifications_waiting", given_up, "form channel", notifications)
    pauses_now = {site: bool(until and until > now) for site, until in paused.items()}
    yield _gauge("lane_paused", "Whether a site is paused.", "site", pauses_now)


def _book_gauges(books: Sequence[BookFigures]) -> Iterable[GaugeMetricFamily]:
    links = {(each.book, state): n for each in books for state, n in each.links.items()}
    yield _gauge("crm_links", "Links of a CRM book, by state.", "book state", links)
    due = {each.book: each.due for each in books}
    yield _gauge("crm_due", "Links with work that is due.", "book", due)
    lags = {each.book: each.lag.total_seconds() for each in books}
    yield _gauge("crm_lag_seconds", "Age of the oldest due link.", "book", lags)
    conflicts = {each.book: each.waiting for each in books}
    yield _gauge("crm_conflicts", "Conflicts to decide.", "book", conflicts)
    paused = {each.book: each.paused for each in books}
    yield _gauge("crm_paused", "Whether a book is paused.", "book", paused)


def _count_jobs(connection: Connection) -> dict[str, int]:
    query = select(jobs.c.kind, func.count()).group_by(jobs.c.kind)
    return {row[0]: row[1] for row in connection.execute(query)}


def _count_notifications(connection: Connection) -> dict[tuple[str, str], int]:
    """Return the number of jobs by form and channel."""
    query = (
        select(submissions.c.form, jobs.c.kind, func.count())
        .join(submissions, submissions.c.id == jobs.c.submission_id)
        .where(jobs.c.kind.startswith("notify"))
        .group_by(submissions.c.form, jobs.c.kind)
    )
    return {(row[0], row[1].removeprefix("notify.")): row[2] for row in connection.execute(query)}


def _age_of_oldest(connection: Connection, site: str, now: datetime) -> float:
    """Return how many seconds the oldest delivery to the site has been due; 0 if none is."""
    pending = text("deliveries.state = 'pending'")
    query = select(func.min(deliveries.c.due_at)).where(pending, deliveries.c.site == site)
    since: datetime | None = connection.scalar(query)
    return max((now - since).total_seconds(), 0) if since else 0
