"""What is counted for Prometheus. Names of forms and results only, never an answer."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Measures:
    """The counters of one app; several apps in one process don't mix theirs."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
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

        self._deliveries = Gauge(
            "formapp_deliveries",
            "Deliveries in the database, by state.",
            ("state",),
            registry=self.registry,
        )

    def submission(self, form: str, result: str) -> None:
        """Count a post: `kept`, `repeated`, `spam`, `invalid`, `refused` or `unavailable`."""
        self._submissions.labels(form, result).inc()

    def unknown_fields(self, form: str, count: int) -> None:
        """Count names that the form doesn't have."""
        if count:
            self._unknown.labels(form).inc(count)

    def text(self, deliveries: Mapping[str, int]) -> bytes:
        """Everything, in Prometheus' text format; `deliveries` are their numbers by state."""
        for state in ("pending", "delivered", "failed"):
            self._deliveries.labels(state).set(deliveries.get(state, 0))
        return generate_latest(self.registry)
