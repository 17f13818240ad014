"""Alerts: one for each incident and one when it is over, by every channel, and never an answer."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import responses
from msgspec.structs import replace
from sqlalchemy import delete, func, insert, select, update

from formapp.db.database import Database
from formapp.db.tables import attempts, deliveries, jobs, pauses, submissions
from formapp.jobs.queue import Job
from formapp.jobs.worker import PeriodicTask
from formapp.lead import Email, Lead
from formapp.leads.accept import Status, Submission, keep
from formapp.mail.smtp import SmtpMailer
from formapp.monitoring import incidents
from formapp.monitoring.alerts import Alert, WebhookError, mail_alert, post_alert
from formapp.monitoring.incidents import EVERY, report_incidents
from tests.support.clock import TurnedClock
from tests.support.leads import lead, submission
from tests.support.ledger import failed
from tests.support.mailserver import mail_server

CANARY = "canary-answer"


def _submission(clock: TurnedClock, key: str) -> Submission:
    address = f"{CANARY}{key}@example.com"
    lead = Lead(form="contact", site="main", email=Email(address=address, typed=address))
    return Submission(
        form="contact",
        form_version="0" * 12,
        received_at=clock(),
        lead=lead,
        answers={"email": address},
        key=key,
    )


def _monitor(
    database: Database, clock: TurnedClock, sent_alerts: list[Alert]
) -> Callable[[], None]:
    backlog = timedelta(minutes=15)
    return lambda: report_incidents(database, [sent_alerts.append], backlog, clock())


def _found(database: Database, clock: TurnedClock) -> list[str]:
    found = incidents.find_incidents(database, clock(), backlog=timedelta(minutes=15))
    return [each.detail for each in found]


def test_of_very_many_leads_some_are_counted(
    database: Database, turned_clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "_MOST", 2)
    for number in range(3):
        keep(database, _submission(turned_clock, str(number)))
    turned_clock.turn(16 * 60)
    assert _found(database, turned_clock) == [
        "2+ leads of contact waited for more than 15 minutes; of the oldest: no call was made"
    ]
    with database.write() as connection:
        connection.execute(update(deliveries).values(state="failed"))
    assert _found(database, turned_clock) == [
        "2+ leads of contact were not delivered: no call was made. Nothing is lost"
    ]


def test_leads_that_were_tried_again_hide_no_backlog(
    database: Database, turned_clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They keep their ids, by which they come first, and wait anew."""
    monkeypatch.setattr(incidents, "_MOST", 2)
    ids = [keep(database, _submission(turned_clock, str(number))).id for number in range(6)]
    turned_clock.turn(16 * 60)
    with database.write() as connection:
        tried = deliveries.c.submission_id.in_(ids[:4])
        connection.execute(update(deliveries).where(tried).values(created_at=turned_clock()))
    (detail,) = _found(database, turned_clock)
    assert detail.startswith("2 leads of contact waited")


def test_failed_leads_that_were_erased_are_no_incident(
    database: Database, turned_clock: TurnedClock
) -> None:
    ids = [keep(database, _submission(turned_clock, str(number))).id for number in range(3)]
    with database.write() as connection:
        connection.execute(update(deliveries).values(state="failed"))
    for erased, left in ((ids[2], ["2 leads"]), (ids[0], ["1 lead "]), (ids[1], [])):
        with database.write() as connection:
            this = update(submissions).where(submissions.c.id == erased)
            connection.execute(this.values(erased_at=turned_clock()))
        assert [detail[:7] for detail in _found(database, turned_clock)] == left


def test_a_delivery_without_a_form_is_reported(
    database: Database, turned_clock: TurnedClock
) -> None:
    for number in range(2):
        keep(database, _submission(turned_clock, str(number)))
    with database.write() as connection:
        oldest = select(func.min(deliveries.c.id)).scalar_subquery()
        connection.execute(update(deliveries).where(deliveries.c.id == oldest).values(form=None))
        connection.execute(update(deliveries).values(state="failed"))
    (detail,) = _found(database, turned_clock)
    assert detail.startswith("2 leads of contact were not delivered")
    with database.write() as connection:
        connection.execute(update(deliveries).values(form=None))
    (detail,) = _found(database, turned_clock)
    assert detail.startswith("2 leads were not delivered")


def test_many_failed_leads_are_one_incident_with_one_end(
    database: Database, turned_clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    sent_alerts: list[Alert] = []
    check = _monitor(database, turned_clock, sent_alerts)
    for number in range(3):
        keep(database, _submission(turned_clock, str(number)))
    check()
    assert sent_alerts == []
    with database.write() as connection:
        connection.execute(update(deliveries).values(state="failed", reason=CANARY))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            check()
    assert [(alert.kind, alert.state) for alert in sent_alerts] == [("failed", "open")]
    assert "3 leads of contact were not delivered" in sent_alerts[0].detail
    assert CANARY not in caplog.text + str(sent_alerts)
    assert "3 leads of contact were not delivered" in caplog.text
    with database.write() as connection:
        connection.execute(update(deliveries).values(state="delivered"))
    check()
    check()
    assert [alert.state for alert in sent_alerts] == ["open", "over"]


def test_of_two_workers_one_alerts(database: Database, turned_clock: TurnedClock) -> None:
    sent_alerts: list[Alert] = []
    with database.write() as connection:
        row = {"site": "main", "paused_until": turned_clock(), "reason": "401", "failures": 3}
        connection.execute(insert(pauses), row)
    for check in (
        _monitor(database, turned_clock, sent_alerts),
        _monitor(database, turned_clock, sent_alerts),
    ):
        check()
    assert [(alert.kind, alert.site) for alert in sent_alerts] == [("paused", "main")]


def test_one_pause_is_no_incident(database: Database, turned_clock: TurnedClock) -> None:
    sent_alerts: list[Alert] = []
    with database.write() as connection:
        row = {"site": "main", "paused_until": turned_clock(), "reason": "429", "failures": 1}
        connection.execute(insert(pauses), row)
    _monitor(database, turned_clock, sent_alerts)()
    assert sent_alerts == []


def test_a_backlog_that_is_older_than_the_limit_is_an_incident(
    database: Database, turned_clock: TurnedClock
) -> None:
    sent_alerts: list[Alert] = []
    check = _monitor(database, turned_clock, sent_alerts)
    keep(database, _submission(turned_clock, "1"))
    turned_clock.turn(14 * 60)
    check()
    assert sent_alerts == []
    turned_clock.turn(2 * 60)
    check()
    assert [alert.kind for alert in sent_alerts] == ["backlog"]
    assert "15 minutes" in sent_alerts[0].detail


def test_waiting_jobs_are_one_incident_that_says_what_to_do(
    database: Database, turned_clock: TurnedClock
) -> None:
    sent_alerts: list[Alert] = []
    check = _monitor(database, turned_clock, sent_alerts)
    for number, kind in enumerate(("confirm", "confirm", "challenge")):
        waiting = replace(_submission(turned_clock, str(number)), jobs=(Job(kind),))
        keep(database, replace(waiting, status=Status.UNCONFIRMED))
    turned_clock.turn(14 * 60)
    check()
    assert sent_alerts == []
    turned_clock.turn(2 * 60)
    with database.write() as connection:  # as a try that failed would
        connection.execute(update(jobs).values(due_at=turned_clock() + timedelta(hours=1)))
    check()
    check()
    assert [(alert.kind, alert.state) for alert in sent_alerts] == [("errands", "open")]
    for words in ("2 mails", "SMTP_URL", "1 challenges", "CHALLENGE_SECRET", "worker", "15 min"):
        assert words in sent_alerts[0].detail + sent_alerts[0].advice
    assert sent_alerts[0].forms == ("contact",)
    assert CANARY not in str(sent_alerts[0])
    with database.write() as connection:
        connection.execute(delete(jobs))
    check()
    assert sent_alerts[-1].state == "over"


def test_the_monitor_checks_every_ten_seconds_and_a_channel_that_fails_stops_nothing(
    database: Database, turned_clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_alert: Alert) -> None:
        raise OSError(CANARY)

    sent_alerts: list[Alert] = []
    channels, backlog = [broken, sent_alerts.append], timedelta(minutes=15)
    report = partial(report_incidents, database, channels, backlog)
    run = PeriodicTask(report, EVERY, turned_clock)
    run()
    with database.write() as connection:
        row = {"site": "main", "paused_until": turned_clock(), "reason": "401", "failures": 3}
        connection.execute(insert(pauses), row)
    run()
    assert sent_alerts == []
    turned_clock.turn(11)
    run()
    assert len(sent_alerts) == 1
    assert "an alert could not be sent: OSError" in caplog.text
    assert CANARY not in caplog.text


@pytest.mark.parametrize(
    ("attempt", "cause"),
    [
        (None, "no call was made"),
        (
            {"operation": "createContact", "status": 400, "code": "INVALID_PHONE"},
            "Wix answered createContact with 400 (INVALID_PHONE)",
        ),
        ({"operation": "createContact"}, "Wix did not answer"),
        ({"operation": "listLabels", "status": 200, "code": "KeyError"}, "a defect of formapp (K"),
        (
            {"operation": "listLabels", "status": 200, "code": "WRONG_DATA_TYPE"},
            "an extended field has another data type at Wix",
        ),
    ],
)
def test_an_alert_names_forms_and_cause_and_what_to_do_and_links_to_the_lead(
    database: Database,
    turned_clock: TurnedClock,
    attempt: dict[str, Any] | None,
    cause: str,
) -> None:
    for form in ("quote", "contact"):
        given = lead(f"{form}@example.com", form=form)
        newest = failed(database, submission(given, turned_clock(), form=form))
    with database.write() as connection:
        connection.execute(delete(attempts))
        if attempt:
            (delivery,) = connection.execute(
                select(deliveries.c.id).where(deliveries.c.submission_id == newest)
            ).scalars()
            tried = {"at": turned_clock(), "result": "failed", "duration_ms": 1, "calls": []}
            row = {"delivery_id": delivery, **tried, **attempt}
            connection.execute(insert(attempts), row)
    sent: list[Alert] = []
    channels, backlog = [sent.append], timedelta(minutes=15)
    inbox = "https://forms.example.com/inbox/leads/"
    report_incidents(database, channels, backlog, turned_clock(), inbox=lambda: inbox)
    (alert,) = sent
    assert alert.forms == ("contact", "quote")
    assert alert.detail.startswith(f"2 leads of contact, quote were not delivered: {cause}")
    assert alert.advice == "correct the cause, then `formapp leads retry --failed`"
    assert alert.link == f"{inbox}{newest}"


def test_each_site_has_its_own_alert_and_without_an_inbox_there_is_no_link(
    database: Database, turned_clock: TurnedClock
) -> None:
    sent: list[Alert] = []
    check = _monitor(database, turned_clock, sent)
    for site in ("berlin", "paris"):
        given = lead(f"{site}@example.com", site=site, form=f"of-{site}")
        keep(database, submission(given, turned_clock(), form=given.form))
        row = {"site": site, "paused_until": turned_clock(), "reason": "401", "failures": 3}
        with database.write() as connection:
            connection.execute(insert(pauses), row)
    check()
    assert [(alert.site, alert.forms, alert.link) for alert in sent] == [
        ("berlin", ("of-berlin",), None),
        ("paris", ("of-paris",), None),
    ]
    assert "waiting: 1 lead of of-berlin" in sent[0].detail


def _alert(clock: TurnedClock) -> Alert:
    page = "https://forms.example.com/inbox/leads/1"
    forms = ("contact", "quote")
    return Alert(
        *("failed", "main", "open", "3 leads were not delivered", clock()),
        advice="retry them",
        forms=forms,
        link=page,
    )


@responses.activate
def test_a_webhook_gets_json_with_a_text_for_chat_tools(turned_clock: TurnedClock) -> None:
    responses.post("https://hooks.example.com/x", status=204)
    post_alert("https://hooks.example.com/x", _alert(turned_clock))
    body = responses.calls[0].request.body
    assert isinstance(body, bytes)
    sent: dict[str, Any] = json.loads(body)
    assert (sent["kind"], sent["site"], sent["state"]) == ("failed", "main", "open")
    assert sent["forms"] == ["contact", "quote"]
    for part in ("site main", "contact, quote", "3 leads were", "retry them", sent["link"]):
        assert part in sent["text"]


@responses.activate
@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_it_is_an_error(turned_clock: TurnedClock, status: int) -> None:
    responses.post("https://hooks.example.com/x", status=status, headers={"Location": "/y"})
    with pytest.raises(WebhookError):
        post_alert("https://hooks.example.com/x", _alert(turned_clock))


def test_a_mail_says_what_is_wrong_in_its_subject(turned_clock: TurnedClock) -> None:
    with mail_server() as server:
        mail_alert(
            SmtpMailer(server.url),
            "formapp@example.com",
            ("owner@example.com",),
            _alert(turned_clock),
        )
    (mail,) = server.taken
    assert mail.message["Subject"] == "formapp: site main: failed deliveries of contact, quote"
    assert mail.message["To"] == mail.to == "owner@example.com"
    text = mail.part("plain")
    for part in ("3 leads were not delivered", "What to do: retry them", "/inbox/leads/1"):
        assert part in text
    assert "Forms: contact, quote" in text
