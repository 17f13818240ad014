"""Alerts: one for each incident and one when it is over, by every channel, and never an answer."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import responses
from sqlalchemy import delete, insert, update

from formapp.db.database import Database
from formapp.db.tables import deliveries, errands, lanes
from formapp.jobs.queue import Job
from formapp.lead import Email, Lead
from formapp.leads.accept import Status, Submission, keep
from formapp.mail.smtp import SmtpMailer
from formapp.monitoring.alerts import Alert, AlertMailer, Webhook, WebhookError
from formapp.monitoring.monitor import Monitor
from tests.support.clock import TurnedClock
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


def _watch(database: Database, clock: TurnedClock, told: list[Alert]) -> Monitor:
    return Monitor(database, [told.append], clock=clock, backlog=timedelta(minutes=15))


def test_many_failed_leads_are_one_incident_with_one_end(
    database: Database, turned_clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Alert] = []
    watch = _watch(database, turned_clock, told)
    for number in range(3):
        keep(database, _submission(turned_clock, str(number)))
    watch.check()
    assert told == []
    with database.write() as connection:
        connection.execute(update(deliveries).values(state="failed", reason=CANARY))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            watch.check()
    assert [(alert.kind, alert.state) for alert in told] == [("failed", "open")]
    assert "3 deliveries" in told[0].detail
    assert CANARY not in caplog.text + str(told)
    assert "3 deliveries" in caplog.text
    with database.write() as connection:
        connection.execute(update(deliveries).values(state="delivered"))
    watch.check()
    watch.check()
    assert [alert.state for alert in told] == ["open", "over"]


def test_of_two_workers_one_tells(database: Database, turned_clock: TurnedClock) -> None:
    told: list[Alert] = []
    with database.write() as connection:
        row = {"site": "main", "paused_until": turned_clock(), "reason": "401", "strikes": 3}
        connection.execute(insert(lanes), row)
    for watch in (_watch(database, turned_clock, told), _watch(database, turned_clock, told)):
        watch.check()
    assert [(alert.kind, alert.site) for alert in told] == [("paused", "main")]


def test_one_pause_is_everyday_and_tells_nobody(
    database: Database, turned_clock: TurnedClock
) -> None:
    told: list[Alert] = []
    with database.write() as connection:
        row = {"site": "main", "paused_until": turned_clock(), "reason": "429", "strikes": 1}
        connection.execute(insert(lanes), row)
    _watch(database, turned_clock, told).check()
    assert told == []


def test_a_backlog_is_told_once_it_is_older_than_the_limit(
    database: Database, turned_clock: TurnedClock
) -> None:
    told: list[Alert] = []
    watch = _watch(database, turned_clock, told)
    keep(database, _submission(turned_clock, "1"))
    turned_clock.turn(14 * 60)
    watch.check()
    assert told == []
    turned_clock.turn(2 * 60)
    watch.check()
    assert [alert.kind for alert in told] == ["backlog"]
    assert "15 minutes" in told[0].detail


def test_errands_that_nobody_could_run_are_one_incident_that_says_what_to_do(
    database: Database, turned_clock: TurnedClock
) -> None:
    told: list[Alert] = []
    watch = _watch(database, turned_clock, told)
    for number, kind in enumerate(("confirm", "confirm", "challenge")):
        waiting = replace(_submission(turned_clock, str(number)), errands=(Job(kind),))
        keep(database, replace(waiting, status=Status.UNCONFIRMED))
    turned_clock.turn(14 * 60)
    watch.check()
    assert told == []
    turned_clock.turn(2 * 60)
    with database.write() as connection:  # as a try that failed would
        connection.execute(update(errands).values(due_at=turned_clock() + timedelta(hours=1)))
    watch.check()
    watch.check()
    assert [(alert.kind, alert.state) for alert in told] == [("errands", "open")]
    for words in ("2 mails", "SMTP_URL", "1 challenges", "CHALLENGE_SECRET", "worker", "15 min"):
        assert words in told[0].detail
    assert CANARY not in told[0].detail
    with database.write() as connection:
        connection.execute(delete(errands))
    watch.check()
    assert told[-1].state == "over"


def test_the_watch_looks_every_ten_seconds_and_a_channel_that_fails_stops_nothing(
    database: Database, turned_clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_alert: Alert) -> None:
        raise OSError(CANARY)

    told: list[Alert] = []
    watch = Monitor(
        database, [broken, told.append], clock=turned_clock, backlog=timedelta(minutes=15)
    )
    watch.check_if_due()
    with database.write() as connection:
        row = {"site": "main", "paused_until": turned_clock(), "reason": "401", "strikes": 3}
        connection.execute(insert(lanes), row)
    watch.check_if_due()
    assert told == []
    turned_clock.turn(11)
    watch.check_if_due()
    assert len(told) == 1
    assert "an alert could not be sent: OSError" in caplog.text
    assert CANARY not in caplog.text


def _alert(clock: TurnedClock) -> Alert:
    return Alert("failed", "main", "open", "3 deliveries failed for good", clock())


@responses.activate
def test_a_webhook_gets_json_with_a_text_for_chat_tools(turned_clock: TurnedClock) -> None:
    responses.post("https://hooks.example.com/x", status=204)
    Webhook("https://hooks.example.com/x")(_alert(turned_clock))
    body = responses.calls[0].request.body
    assert isinstance(body, bytes)
    sent: dict[str, Any] = json.loads(body)
    assert (sent["kind"], sent["site"], sent["state"]) == ("failed", "main", "open")
    assert "3 deliveries" in sent["text"]


@responses.activate
@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_did_not_take_it_raises(turned_clock: TurnedClock, status: int) -> None:
    responses.post("https://hooks.example.com/x", status=status, headers={"Location": "/y"})
    with pytest.raises(WebhookError):
        Webhook("https://hooks.example.com/x")(_alert(turned_clock))


def test_a_mail_says_what_is_wrong_in_its_subject(turned_clock: TurnedClock) -> None:
    with mail_server() as server:
        AlertMailer(SmtpMailer(server.url), "formapp@example.com", ("owner@example.com",))(
            _alert(turned_clock)
        )
    (letter,) = server.taken
    assert letter.message["Subject"] == "formapp: site main: failed deliveries"
    assert letter.message["To"] == letter.to == "owner@example.com"
    assert "3 deliveries failed for good" in letter.part("plain")
