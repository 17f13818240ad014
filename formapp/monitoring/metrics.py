"""Metrics for Prometheus, labelled by forms, sites, operations and codes; never by an answer.

Counters and histograms record what this process did. Gauges of the queue are read from the database
when a web process is scraped, so that every process reports the same values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import ColumnElement, Connection, TextClause, func, select, text

from formapp.db.database import Database
from formapp.db.tables import deliveries, errands, incidents, lanes, submissions

_CALL_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)
_LEAD_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400)
_REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """The queue at one moment.

    Attributes:
        deliveries: `pending` and `failed` to their numbers.
        oldest_due_seconds: age of the oldest delivery that is due; 0 if none is.
        paused: site to whether it is paused.
        incidents: kind and site of what the owner knows and is not over.
        quarantined: form to the number of its submissions in quarantine.
        jobs: kind to the number of waiting jobs.
    """

    deliveries: Mapping[str, int] = field(default_factory=dict)
    oldest_due_seconds: float = 0.0
    paused: Mapping[str, bool] = field(default_factory=dict)
    incidents: Iterable[tuple[str, str]] = ()
    quarantined: Mapping[str, int] = field(default_factory=dict)
    jobs: Mapping[str, int] = field(default_factory=dict)


class Metrics:
    """The metrics of one process; several apps in one process have one each."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._define_web()
        self._define_deliveries()
        self._define_queue()

    def _define_web(self) -> None:
        counter = partial(Counter, registry=self.registry)
        self._submissions = counter(
            "formapp_submissions", "Posts to a form, by result.", ("form", "result")
        )
        self._unknown = counter(
            "formapp_unknown_fields", "Ignored names that a form doesn't have.", ("form",)
        )
        self._mails = counter(
            "formapp_mails", "Mails that ask for a confirmation, by outcome.", ("form", "outcome")
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
        counter = partial(Counter, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self._delivered = counter(
            "formapp_deliveries_done",
            "Finished deliveries, by outcome; `failed` is one of them.",
            ("site", "outcome"),
        )
        self._attempts = counter(
            "formapp_attempts",
            "Attempts, by result and by Wix's response.",
            ("site", "result", "status", "code"),
        )
        self._calls_per_lead = histogram(
            "formapp_calls_per_lead",
            "Calls to Wix in the attempt that delivered a lead.",
            ("site",),
            buckets=(0, 1, 2, 3, 4, 6, 10),
        )
        self._lead_seconds = histogram(
            "formapp_lead_seconds",
            "Seconds from a submission's arrival to its contact.",
            ("site",),
            buckets=_LEAD_SECONDS,
        )
        self._call_seconds = histogram(
            "formapp_wix_call_seconds",
            "Seconds that a call to Wix took.",
            ("operation", "status"),
            buckets=_CALL_SECONDS,
        )

    def _define_queue(self) -> None:
        gauge = partial(Gauge, registry=self.registry)
        self._deliveries = gauge(
            "formapp_deliveries", "Deliveries that are pending or have failed.", ("state",)
        )
        self._oldest = gauge(
            "formapp_oldest_due_seconds", "Age of the oldest delivery that is due; 0 if none is."
        )
        self._incidents = gauge(
            "formapp_incident_open", "Incidents that are not over.", ("kind", "site")
        )
        self._quarantined = gauge("formapp_quarantined", "Submissions in quarantine.", ("form",))
        self._jobs = gauge(
            "formapp_errands", "Mails (`confirm`) and challenges that wait for a worker.", ("kind",)
        )
        self._paused = gauge("formapp_lane_paused", "Whether a site is paused.", ("site",))

    def submission(self, form: str, result: str) -> None:
        """Count a post: `kept`, `unconfirmed`, `repeated`, `spam`, `invalid`, `refused`, ….

        Further results are `quarantined`, `unavailable`, and `confirmed` for a click on a link.
        """
        self._submissions.labels(form, result).inc()

    def mail(self, form: str, outcome: str) -> None:
        """Count a mail that asks for a confirmation.

        Outcomes are `sent`, `failed` (each try) and `withheld` (once: a limit delays it).
        """
        self._mails.labels(form, outcome).inc()

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
        """Count a delivery that failed for good."""
        self._delivered.labels(site, "failed").inc()

    def call(self, operation: str, status: int | None, seconds: float) -> None:
        """Count a call to Wix."""
        self._call_seconds.labels(operation, str(status or "none")).observe(seconds)

    def queue(self, figures: QueueFigures) -> None:
        """Set the gauges of the queue."""
        for state, number in figures.deliveries.items():
            self._deliveries.labels(state).set(number)
        self._oldest.set(max(figures.oldest_due_seconds, 0))
        for site, is_paused in figures.paused.items():
            self._paused.labels(site).set(is_paused)
        for gauge in (self._incidents, self._quarantined, self._jobs):
            gauge.clear()
        for kind, site in figures.incidents:
            self._incidents.labels(kind, site).set(1)
        for form, number in figures.quarantined.items():
            self._quarantined.labels(form).set(number)
        for kind, number in figures.jobs.items():
            self._jobs.labels(kind).set(number)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


def read_queue(database: Database, now: datetime) -> QueueFigures:
    """Read the queue through indexes, so that the number of stored submissions doesn't matter."""
    due = (deliveries.c.state == "pending") & (deliveries.c.due_at <= now)
    with database.read() as connection:
        oldest = connection.execute(select(func.min(deliveries.c.due_at)).where(due)).scalar()
        return QueueFigures(
            deliveries={state: _number(connection, state) for state in ("pending", "failed")},
            oldest_due_seconds=(now - oldest).total_seconds() if oldest else 0.0,
            paused={
                row.site: bool(row.paused_until and row.paused_until > now)
                for row in connection.execute(select(lanes))
            },
            incidents={(row.kind, row.site) for row in connection.execute(select(incidents))},
            quarantined=count_quarantined(connection),
            jobs=_count(connection, errands.c.kind),
        )


def count_quarantined(connection: Connection) -> dict[str, int]:
    """Return the number of submissions in quarantine by form."""
    # As literal text: PostgreSQL doesn't use the partial index for a parameter.
    held = text("submissions.status = 'quarantined' AND submissions.erased_at IS NULL")
    return _count(connection, submissions.c.form, held)


def _count(
    connection: Connection, column: ColumnElement[str], *conditions: TextClause
) -> dict[str, int]:
    query = select(column, func.count()).where(*conditions).group_by(column)
    return {row[0]: row[1] for row in connection.execute(query)}


def _number(connection: Connection, state: str) -> int:
    query = select(func.count()).where(deliveries.c.state == state)
    return connection.execute(query).scalar_one()
