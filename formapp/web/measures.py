"""What is counted for Prometheus. Names of forms and results only, never an answer."""

from prometheus_client import CollectorRegistry, Counter, generate_latest


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

    def submission(self, form: str, result: str) -> None:
        """Count a post: `kept`, `repeated`, `spam`, `invalid`, `refused` or `unavailable`."""
        self._submissions.labels(form, result).inc()

    def unknown_fields(self, form: str, count: int) -> None:
        """Count names that the form doesn't have."""
        if count:
            self._unknown.labels(form).inc(count)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)
