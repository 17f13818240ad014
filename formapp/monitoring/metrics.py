"""What is counted for Prometheus. Names of forms, sites, operations and codes; never an answer.

Counters count what this process did. Gauges of the queue are read from the database when a web
process is asked for its metrics, so each of those tells the same of them.
"""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_CALL_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)
_LEAD_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86400)
_REQUEST_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The measures of one process; several apps in one process don't mix theirs."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._count_web()
        self._count_deliveries()
        self._gauge_queue()

    def _count_web(self) -> None:
        self._submissions = Counter(
            "formapp_submissions",
            "Posts to a form, by what became of them.",
            ("form", "result"),
            registry=self.registry,
        )
        self._unknown = Counter(
            "formapp_unknown_fields",
            "Names posted that a form doesn't have; they were ignored.",
            ("form",),
            registry=self.registry,
        )
        self._mails = Counter(
            "formapp_mails",
            "Mails that ask for a confirmation, by what became of them.",
            ("form", "outcome"),
            registry=self.registry,
        )
        self._requests = Histogram(
            "formapp_request_seconds",
            "Seconds from a request's arrival to its answer.",
            ("endpoint", "status"),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        # Each kind of answer, by endpoint and status, found without its labels' lock and text.
        self._answered: dict[tuple[str, int], Histogram] = {}

    def _count_deliveries(self) -> None:
        self._delivered = Counter(
            "formapp_deliveries_done",
            "Deliveries that ended, by outcome; `failed` is one of them.",
            ("site", "outcome"),
            registry=self.registry,
        )
        self._attempts = Counter(
            "formapp_attempts",
            "Attempts, by what they came to and by Wix's answer.",
            ("site", "result", "status", "code"),
            registry=self.registry,
        )
        self._calls_per_lead = Histogram(
            "formapp_calls_per_lead",
            "Calls to Wix in the attempt that delivered a lead.",
            ("site",),
            buckets=(0, 1, 2, 3, 4, 6, 10),
            registry=self.registry,
        )
        self._lead_seconds = Histogram(
            "formapp_lead_seconds",
            "Seconds from a submission's arrival to its contact.",
            ("site",),
            buckets=_LEAD_SECONDS,
            registry=self.registry,
        )
        self._call_seconds = Histogram(
            "formapp_wix_call_seconds",
            "Seconds that a call to Wix took.",
            ("operation", "status"),
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )

    def _gauge_queue(self) -> None:
        self._deliveries = Gauge(
            "formapp_deliveries",
            "Deliveries that are pending or have failed.",
            ("state",),
            registry=self.registry,
        )
        self._oldest = Gauge(
            "formapp_oldest_due_seconds",
            "Age of the oldest delivery that is due; 0 if none is.",
            registry=self.registry,
        )
        self._incidents = Gauge(
            "formapp_incident_open",
            "Incidents that the owner was told of and that aren't over.",
            ("kind", "site"),
            registry=self.registry,
        )
        self._quarantined = Gauge(
            "formapp_quarantined",
            "Submissions in quarantine.",
            ("form",),
            registry=self.registry,
        )
        self._errands = Gauge(
            "formapp_errands",
            "Mails (`confirm`) and challenges that wait for a worker.",
            ("kind",),
            registry=self.registry,
        )
        self._paused = Gauge(
            "formapp_lane_paused",
            "Whether a site's lane is paused.",
            ("site",),
            registry=self.registry,
        )

    def submission(self, form: str, result: str) -> None:
        """Count a post: `kept`, `unconfirmed`, `repeated`, `spam`, `invalid`, `refused`, ….

        Besides: `quarantined`, `unavailable`; `confirmed` counts the clicks that let one through.
        """
        self._submissions.labels(form, result).inc()

    def mail(self, form: str, outcome: str) -> None:
        """Count a mail that asks for a confirmation.

        Outcomes are `sent`, `failed` (each try) and `withheld` (once: a limit has it wait).
        """
        self._mails.labels(form, outcome).inc()

    def unknown_fields(self, form: str, count: int) -> None:
        """Count names that the form doesn't have."""
        if count:
            self._unknown.labels(form).inc(count)

    def request(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        key = (endpoint, status)
        if (of_kind := self._answered.get(key)) is None:
            of_kind = self._answered[key] = self._requests.labels(endpoint, str(status))
        of_kind.observe(seconds)

    def attempt(self, site: str, result: str, status: int | None, code: str | None) -> None:
        """Count an attempt."""
        self._attempts.labels(site, result, str(status or ""), code or "").inc()

    def delivered(self, site: str, outcome: str, *, calls: int, seconds: float) -> None:
        """Count a lead that is in Wix."""
        self._delivered.labels(site, outcome).inc()
        self._calls_per_lead.labels(site).observe(calls)
        self._lead_seconds.labels(site).observe(max(seconds, 0))

    def failed(self, site: str) -> None:
        """Count a delivery that failed for good."""
        self._delivered.labels(site, "failed").inc()

    def call(self, operation: str, status: int | None, seconds: float) -> None:
        """Count a call to Wix."""
        self._call_seconds.labels(operation, str(status or "none")).observe(seconds)

    def queue(
        self,
        deliveries: Mapping[str, int],
        oldest_due_seconds: float,
        paused: Mapping[str, bool],
        incidents: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Set the gauges of the queue, as the database shows it."""
        for state, count in deliveries.items():
            self._deliveries.labels(state).set(count)
        self._oldest.set(max(oldest_due_seconds, 0))
        for site, is_paused in paused.items():
            self._paused.labels(site).set(is_paused)
        self._incidents.clear()
        for kind, site in incidents:
            self._incidents.labels(kind, site).set(1)

    def quarantine(self, quarantined: Mapping[str, int]) -> None:
        """Set how many submissions of each form are in quarantine."""
        self._quarantined.clear()
        for form, number in quarantined.items():
            self._quarantined.labels(form).set(number)

    def errands(self, waiting: Mapping[str, int]) -> None:
        """Set how many errands of each kind wait."""
        self._errands.clear()
        for kind, number in waiting.items():
            self._errands.labels(kind).set(number)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)
