"""Metrics for Prometheus, labelled by forms, sites, operations and codes; never by an answer.

Counters and histograms record what this process did. Gauges of the queue are read from the database
when a web process is scraped, so that every process reports the same values.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import ColumnElement, Connection, TextClause, func, select, text

from formapp.db.database import Database
from formapp.db.tables import deliveries, incidents, jobs, pauses, submissions
from formapp.monitoring.crm_books import BookFigures, read_books

_CALL_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)
_LEAD_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400)
_REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The metrics of one process; several apps in one process have one each."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._define_web()
        self._define_deliveries()
        self._define_queue()

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
        # Looking labels up takes a lock and formats text: once for each endpoint and status.
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

    def _define_queue(self) -> None:
        gauge = partial(Gauge, namespace="formapp", registry=self.registry)
        self._deliveries = gauge("deliveries", "Pending and failed deliveries.", ("site", "state"))
        self._oldest = gauge(
            "oldest_due_seconds", "Age of the oldest delivery that is due; 0 if none is.", ("site",)
        )
        self._incidents = gauge("incident_open", "Incidents that are not over.", ("kind", "site"))
        self._quarantined = gauge("quarantined", "Submissions in quarantine.", ("form",))
        self._jobs = gauge(
            "errands", "Mails, challenges and notifications that wait for a worker.", ("kind",)
        )
        self._waiting = gauge(
            "notifications_waiting",
            "Notifications that wait; of the channel `failed`: that were given up.",
            ("form", "channel"),
        )
        self._paused = gauge("lane_paused", "Whether a site is paused.", ("site",))
        self._crm_links = gauge("crm_links", "Links of a CRM book, by state.", ("book", "state"))
        self._crm_due = gauge("crm_due", "Links with work that is due.", ("book",))
        self._crm_lag = gauge("crm_lag_seconds", "Age of the oldest due link.", ("book",))
        self._crm_conflicts = gauge("crm_conflicts", "Conflicts to decide.", ("book",))
        self._crm_paused = gauge("crm_paused", "Whether a book is paused.", ("book",))

    def submission(self, form: str, result: str) -> None:
        """Count a post, or `confirmed` for a click on a link."""
        self._submissions.labels(form, result).inc()

    def mail(self, form: str, outcome: str) -> None:
        """Count a confirmation mail: `sent`, `failed` (each try) or `withheld` by a limit."""
        self._mails.labels(form, outcome).inc()

    def notification(self, form: str, channel: str, outcome: str) -> None:
        """Count a notification: `sent`, `failed` (each try) or `withheld`."""
        self._notifications.labels(form, channel, outcome).inc()

    def unknown_fields(self, form: str, count: int) -> None:
        """Count names that the form doesn't have."""
        if count:
            self._unknown.labels(form).inc(count)

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Count a request with its response."""
        key = (endpoint, status)
        if (requests := self._requests_of.get(key)) is None:
            requests = self._requests_of[key] = self._requests.labels(endpoint, str(status))
        requests.observe(seconds)

    def attempt(self, site: str, result: str, status: int | None, code: str | None) -> None:
        """Count an attempt."""
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
        """Count a call to Wix."""
        self._call_seconds.labels(site, operation, str(status or "none")).observe(seconds)

    def read_queue(self, database: Database, now: datetime, sites: Collection[str] = ()) -> None:
        """Set the gauges of the queue; reads indexes, however many submissions are stored.

        `sites` are shown even where nothing waits for them.
        """
        due = (deliveries.c.state == "pending") & (deliveries.c.due_at <= now)
        by_site = select(deliveries.c.site, func.min(deliveries.c.due_at)).group_by("site")
        with database.read() as connection:
            oldest = {row[0]: row[1] for row in connection.execute(by_site.where(due))}
            paused = {row.site: row.paused_until for row in connection.execute(select(pauses))}
            known = [(row.kind, row.site) for row in connection.execute(select(incidents))]
            counts = {"pending": count_pending(connection), "failed": _failed(connection)}
            quarantined = count_quarantined(connection)
            jobs_by_kind = _count(connection, jobs.c.kind)
            books = read_books(connection, now)
            notifications = _count_notifications(connection)
        shown = {*sites, *paused, *(site for numbers in counts.values() for site in numbers)}
        _fill(self._oldest, {site: _seconds(oldest.get(site), now) for site in shown})
        _fill(self._paused, {site: bool(until and until > now) for site, until in paused.items()})
        self._deliveries.clear()
        for state, numbers in counts.items():
            for site in shown:
                self._deliveries.labels(site, state).set(numbers.get(site, 0))
        _fill(self._quarantined, quarantined)
        _fill(self._jobs, jobs_by_kind)
        self._waiting.clear()
        for form, kind, number in notifications:
            self._waiting.labels(form, kind.removeprefix("notify.")).set(number)
        self._incidents.clear()
        for kind, site in known:
            self._incidents.labels(kind, site).set(1)
        self._set_books(books)

    def _set_books(self, books: Sequence[BookFigures]) -> None:
        _fill(self._crm_due, {each.book: each.due for each in books})
        _fill(self._crm_lag, {each.book: each.lag.total_seconds() for each in books})
        _fill(self._crm_conflicts, {each.book: each.waiting for each in books})
        _fill(self._crm_paused, {each.book: each.paused for each in books})
        self._crm_links.clear()
        for each in books:
            for state, number in each.links.items():
                self._crm_links.labels(each.book, state).set(number)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


def _fill(gauge: Gauge, values: Mapping[str, float]) -> None:
    gauge.clear()
    for label, value in values.items():
        gauge.labels(label).set(value)


def count_quarantined(connection: Connection) -> dict[str, int]:
    """Return the number of submissions in quarantine by form."""
    # As literal text: PostgreSQL doesn't use the partial index for a parameter.
    held = text("submissions.status = 'quarantined' AND submissions.erased_at IS NULL")
    return _count(connection, submissions.c.form, held)


def count_pending(connection: Connection) -> dict[str, int]:
    """Return the number of pending deliveries by site."""
    return _count(connection, deliveries.c.site, text("state = 'pending'"))


def _failed(connection: Connection) -> dict[str, int]:
    return _count(connection, deliveries.c.site, text("state = 'failed'"))


def _count(
    connection: Connection, column: ColumnElement[str], *conditions: TextClause
) -> dict[str, int]:
    query = select(column, func.count()).where(*conditions).group_by(column)
    return {row[0]: row[1] for row in connection.execute(query)}


def _count_notifications(connection: Connection) -> list[tuple[str, str, int]]:
    """Return form, kind of job and number."""
    query = (
        select(submissions.c.form, jobs.c.kind, func.count())
        .join(submissions, submissions.c.id == jobs.c.submission_id)
        .where(jobs.c.kind.startswith("notify"))
        .group_by(submissions.c.form, jobs.c.kind)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def _seconds(since: datetime | None, now: datetime) -> float:
    return (now - since).total_seconds() if since else 0
