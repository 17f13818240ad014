"""Metrics: names, labels and values, and the queue as the database shows it."""

from datetime import datetime, timedelta

from sqlalchemy import delete, insert

from formapp.db.database import Database
from formapp.db.tables import incidents, pauses
from formapp.jobs.queue import Job, claim_job, finish_job
from formapp.leads.accept import Status, keep
from formapp.monitoring.metrics import Metrics
from tests.support.clock import NOON
from tests.support.leads import lead, submission


def test_metrics_show_outcomes_calls_and_the_queue() -> None:
    metrics = Metrics()
    metrics.submission("contact", "kept")
    metrics.attempt("main", "retry", 503, None)
    metrics.delivered("main", "created", calls=2, seconds=0.4)
    metrics.failed("main")
    metrics.call("main", "createContact", None, 1.5)
    metrics.request("forms.submit", 303, 0.004)
    text = metrics.text().decode()
    for line in (
        'formapp_submissions_total{form="contact",result="kept"} 1.0',
        'formapp_attempts_total{code="",result="retry",site="main",status="503"} 1.0',
        'formapp_deliveries_done_total{outcome="created",site="main"} 1.0',
        'formapp_deliveries_done_total{outcome="failed",site="main"} 1.0',
        'formapp_calls_per_lead_bucket{le="2.0",site="main"} 1.0',
        'formapp_wix_call_seconds_count{operation="createContact",site="main",status="none"} 1.0',
        'formapp_request_seconds_count{endpoint="forms.submit",status="303"} 1.0',
    ):
        assert line in text


def gauges(metrics: Metrics, database: Database, now: datetime = NOON) -> list[str]:
    """The lines of the queue's gauges, as a web process shows them."""
    metrics.read_queue(database, now)
    return [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]


def test_the_queue_is_shown_as_the_database_has_it(database: Database) -> None:
    for _ in "123":
        keep(database, submission(lead()))
    with database.write() as connection:
        until = NOON + timedelta(hours=1)
        lane = {"site": "main", "paused_until": until, "reason": "429", "failures": 1}
        connection.execute(insert(pauses), lane)
        incident = {"kind": "backlog", "site": "main", "opened_at": NOON}
        connection.execute(insert(incidents), incident)
    metrics = Metrics()
    shown = gauges(metrics, database, NOON + timedelta(seconds=12.5))
    for line in (
        'formapp_deliveries{site="main",state="pending"} 3.0',
        'formapp_deliveries{site="main",state="failed"} 0.0',
        'formapp_oldest_due_seconds{site="main"} 12.5',
        'formapp_lane_paused{site="main"} 1.0',
        'formapp_incident_open{kind="backlog",site="main"} 1.0',
    ):
        assert line in shown
    with database.write() as connection:
        connection.execute(delete(incidents))
    later = gauges(metrics, database, NOON + timedelta(hours=2))
    assert not any(line.startswith("formapp_incident_open") for line in later)
    assert 'formapp_lane_paused{site="main"} 0.0' in later


def test_waiting_jobs_are_counted_by_kind(database: Database) -> None:
    for _ in "12":
        keep(database, submission(lead(), status=Status.UNCONFIRMED, jobs=(Job("mail"),)))
    metrics = Metrics()
    assert 'formapp_errands{kind="mail"} 2.0' in gauges(metrics, database)
    while job := claim_job(database, NOON, {"mail"}):
        with database.write() as connection:
            finish_job(connection, job)
    assert not any(line.startswith("formapp_errands") for line in gauges(metrics, database))


def test_the_quarantine_is_counted_by_form(database: Database) -> None:
    for form in ("contact", "contact", "quote"):
        keep(database, submission(lead(form=form), status=Status.QUARANTINED))
    for other in (Status.ACCEPTED, Status.SPAM, Status.UNCONFIRMED):
        keep(database, submission(lead(), status=other))
    shown = gauges(Metrics(), database)
    assert 'formapp_quarantined{form="contact"} 2.0' in shown
    assert 'formapp_quarantined{form="quote"} 1.0' in shown
    assert 'formapp_deliveries{site="main",state="pending"} 1.0' in shown
