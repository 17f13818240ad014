"""Metrics: names, labels and values, and the queue as the database shows it."""

from sqlalchemy import event

from formapp.db.database import Database
from formapp.jobs.queue import Job, claim_errand, end_errand
from formapp.leads.accept import Status, keep
from formapp.monitoring.metrics import Metrics, QueueFigures, count_quarantined, read_queue
from tests.support.clock import NOON
from tests.support.leads import lead, submission


def test_metrics_show_outcomes_calls_and_the_queue() -> None:
    metrics = Metrics()
    metrics.submission("contact", "kept")
    metrics.attempt("main", "retry", 503, None)
    metrics.delivered("main", "created", calls=2, seconds=0.4)
    metrics.failed("main")
    metrics.call("createContact", None, 1.5)
    metrics.request("forms.submit", 303, 0.004)
    metrics.queue(
        QueueFigures(
            deliveries={"pending": 3, "failed": 1},
            oldest_due_seconds=12.5,
            paused={"main": True},
            incidents={("backlog", "main")},
        )
    )
    text = metrics.text().decode()
    for line in (
        'formapp_submissions_total{form="contact",result="kept"} 1.0',
        'formapp_attempts_total{code="",result="retry",site="main",status="503"} 1.0',
        'formapp_deliveries_done_total{outcome="created",site="main"} 1.0',
        'formapp_deliveries_done_total{outcome="failed",site="main"} 1.0',
        'formapp_calls_per_lead_bucket{le="2.0",site="main"} 1.0',
        'formapp_wix_call_seconds_count{operation="createContact",status="none"} 1.0',
        'formapp_request_seconds_count{endpoint="forms.submit",status="303"} 1.0',
        'formapp_deliveries{state="pending"} 3.0',
        "formapp_oldest_due_seconds 12.5",
        'formapp_lane_paused{site="main"} 1.0',
        'formapp_incident_open{kind="backlog",site="main"} 1.0',
    ):
        assert line in text
    metrics.queue(QueueFigures())
    assert "formapp_incident_open{" not in metrics.text().decode(), "it is over"


def test_waiting_jobs_are_counted_by_kind(database: Database) -> None:
    for _ in "12":
        keep(database, submission(lead(), status=Status.UNCONFIRMED, errands=(Job("mail"),)))
    metrics = Metrics()
    metrics.queue(read_queue(database, NOON))
    assert 'formapp_errands{kind="mail"} 2.0' in metrics.text().decode()
    while job := claim_errand(database, NOON, {"mail"}):
        with database.write() as connection:
            end_errand(connection, job)
    metrics.queue(read_queue(database, NOON))
    assert "formapp_errands{" not in metrics.text().decode()


def test_the_quarantine_is_counted_by_form(database: Database) -> None:
    for form in ("contact", "contact", "quote"):
        keep(database, submission(lead(form=form), status=Status.QUARANTINED))
    for other in (Status.ACCEPTED, Status.SPAM, Status.UNCONFIRMED):
        keep(database, submission(lead(), status=other))
    figures = read_queue(database, NOON)
    assert figures.quarantined == {"contact": 2, "quote": 1}
    assert figures.deliveries == {"pending": 1, "failed": 0}


def test_counting_the_quarantine_reads_an_index(sqlite: Database) -> None:
    statements: list[str] = []
    event.listen(sqlite.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with sqlite.read() as connection:
        count_quarantined(connection)
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statements[-1]}")
        assert "ix_submissions_quarantined" in " ".join(row.detail for row in plan)
