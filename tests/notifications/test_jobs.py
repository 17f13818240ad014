"""From an accepted lead to its receivers: through real SMTP and HTTP, on either database."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from standardwebhooks import Webhook

from formapp.cli.channels import Channels
from formapp.forms.definition.model import FormDefinition
from formapp.jobs.queue import LEASE, claim_job
from formapp.leads.accept import Status
from formapp.leads.anonymize import anonymize
from formapp.leads.confirm import confirm
from formapp.leads.release import release
from formapp.leads.renotify import find_failed, renotify
from formapp.monitoring.incidents import find_incidents
from formapp.notifications.plan import NOTIFY, PATIENCE
from formapp.notifications.webhook import WebhookChannel
from tests.support.clock import TurnedClock
from tests.support.leads import EMAIL, WORDING
from tests.support.notifying import SECRET, form_of
from tests.support.office import Office

OWNER, OTHER = "owner@example.com", "second@example.com"
# Apprise imports a module of Python's that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


ALL = f"""[notify]
email = ["{OWNER}", "{OTHER}"]
webhook = "HOOK"
chat = true
[reply]
"""


def test_every_receiver_hears_of_an_accepted_lead_once(office: Office) -> None:
    office.have(ALL)
    submission_id = office.keep()
    office.run()
    assert sorted(mail.to for mail in office.mails.taken) == sorted([OWNER, OTHER, EMAIL])
    by_path = {post.path: post for post in office.hooks.posts}
    assert set(by_path) == {"/hook", "/sales"}
    hook = by_path["/hook"]
    assert hook.headers["webhook-id"] == f"lead_{submission_id}"
    body = json.loads(hook.body)
    assert body["type"] == "lead.accepted"
    assert body["data"]["id"] == submission_id
    assert body["data"]["answers"] == {"email": EMAIL, "message": "hello"}
    assert body["data"]["labels"]["email"] == "E-mail"
    assert "hello" in json.loads(by_path["/sales"].body)["message"]
    assert office.waiting() == []
    assert office.shown(submission_id) == []
    for channel, number in (("mail", 2), ("reply", 1), ("webhook", 1), ("chat", 1)):
        assert office.counted(channel, "sent") == number
    assert office.run() == 0


def test_the_reference_library_verifies_a_webhook(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = "whsec_" + "bmV3IHNlY3JldCB0aGF0IGlzIGxvbmcgZW5vdWdo"
    # The library compares with the time of this machine.
    clock = TurnedClock(datetime.now(UTC))
    monkeypatch.setattr(
        office, "channels", Channels(None, None, WebhookChannel([new, SECRET], clock), None)
    )
    office.have('[notify]\nwebhook = "HOOK"')
    office.keep()
    office.run()
    (post,) = office.hooks.posts
    for secret in (new, SECRET):
        assert Webhook(secret).verify(post.body, dict(post.headers)) == json.loads(post.body)


@pytest.mark.parametrize("status", [Status.QUARANTINED, Status.UNCONFIRMED, Status.SPAM])
def test_nobody_hears_of_what_is_held_back(office: Office, status: Status) -> None:
    office.have(ALL)
    office.keep(status=status)
    assert office.run() == 0
    assert not office.mails.taken
    assert not office.hooks.posts


def test_what_is_released_or_confirmed_notifies_then(office: Office) -> None:
    office.have(f'[notify]\nemail = "{OWNER}"')
    released = office.keep(status=Status.QUARANTINED)
    asked = {"confirmation": WORDING}
    confirmed = office.keep(status=Status.UNCONFIRMED, meta=asked)
    both = office.keep(status=Status.QUARANTINED, meta=asked)
    release(office.database, released, lambda _: {}, office.clock())
    assert confirm(office.database, confirmed, office.clock())
    release(office.database, both, lambda _: {}, office.clock())
    office.run()
    assert len(office.mails.taken) == 2
    assert confirm(office.database, both, office.clock())
    assert not confirm(office.database, both, office.clock())
    office.run()
    assert len(office.mails.taken) == 3
    assert office.waiting() == []


def test_a_lead_that_is_erased_before_it_is_sent_is_not_sent(office: Office) -> None:
    office.have(ALL)
    submission_id = office.keep()
    with office.database.write() as connection:
        anonymize(connection, [submission_id], office.clock())
    assert office.run() == 0
    assert not office.mails.taken
    assert not office.hooks.posts


def test_each_retry_of_a_webhook_is_the_same_message(office: Office) -> None:
    office.have('[notify]\nwebhook = "HOOK"')
    submission_id = office.keep()
    office.hooks.status = 500
    office.run()
    (waiting,) = office.shown(submission_id)
    assert (waiting["state"], waiting["channel"]) == ("waiting", "webhook")
    office.clock.turn(5)
    office.run()
    office.hooks.status = 200
    office.clock.turn(10)
    office.run()
    first, second, third = office.hooks.posts
    for name in ("webhook-id", "content-type"):
        assert first.headers[name] == second.headers[name] == third.headers[name]
    assert first.body == second.body == third.body
    assert first.headers["webhook-timestamp"] != third.headers["webhook-timestamp"]
    assert office.counted("webhook", "failed") == 2
    assert office.waiting() == []


@pytest.mark.slow
def test_after_48_hours_the_owner_is_alerted_and_may_send_it_again(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.have('[notify]\nwebhook = "HOOK"')
    submission_id = office.keep()
    office.hooks.status = 503
    since, backlog = office.clock(), timedelta(minutes=15)
    while office.clock() < since + PATIENCE - timedelta(hours=1):
        office.run()
        office.clock.turn(hours=1)
    tries = len(office.hooks.posts)
    assert 40 < tries < 60
    (waiting,) = find_incidents(office.database, office.clock(), backlog=backlog)[1:]
    assert waiting.kind == "errands"
    assert "1 webhooks" in waiting.detail
    assert "whether their receivers answer" in waiting.advice
    office.clock.turn(hours=3)
    office.run()
    (failed,) = office.shown(submission_id)
    assert (failed["state"], failed["reason"]) == ("failed", "it answered 503")
    incidents = find_incidents(office.database, office.clock(), backlog=backlog)
    assert ["contact 1" in each.detail for each in incidents if each.kind == "notify"] == [True]
    assert EMAIL not in caplog.text
    office.clock.turn(hours=1)
    assert office.run() == 0
    # By hand.
    office.hooks.status = 204
    assert find_failed(office.database) == [submission_id]
    assert find_failed(office.database, "other") == []
    assert renotify(office.database, submission_id, (), office.clock()) == ("webhook",)
    office.run()
    assert office.hooks.posts[-1].body == office.hooks.posts[0].body
    assert office.shown(submission_id) == []
    assert find_failed(office.database) == []


def test_410_ends_it_at_once(office: Office) -> None:
    office.have('[notify]\nwebhook = "HOOK"')
    submission_id = office.keep()
    office.hooks.status = 410
    office.run()
    (failed,) = office.shown(submission_id)
    assert failed["reason"].startswith("it answered 410")


def test_a_redirect_is_not_followed(office: Office) -> None:
    office.have('[notify]\nwebhook = "HOOK"')
    office.keep()
    office.hooks.status = 307
    office.run()
    assert len(office.hooks.posts) == 1
    assert office.counted("webhook", "failed") == 1


def test_a_dead_receiver_costs_one_try_and_holds_up_no_other(office: Office) -> None:
    office.have('[notify]\nwebhook = "http://127.0.0.1:9/dead"', "dead")
    office.have('[notify]\nwebhook = "http://127.0.0.1:9/dead"', "twin")
    office.have('[notify]\nwebhook = "HOOK"')
    for form in ("dead", "twin", "dead", "twin", "contact"):
        office.keep(form)
    tries: list[str] = []
    real = office.channels.webhook
    assert real

    class Counting(WebhookChannel):
        def send(self, sent: Any, definition: FormDefinition, to: str | None) -> None:
            tries.append(sent.form)
            super().send(sent, definition, to)

    office.channels = Channels(None, None, Counting([SECRET], office.clock), None)
    office.run()
    assert tries == ["dead", "contact"]
    office.clock.turn(6)
    office.run()
    assert len(tries) == 3


def test_a_slow_receiver_takes_half_of_the_time_at_most(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.have('[notify]\nwebhook = "http://127.0.0.1:9/slow"', "slow")
    office.have('[notify]\nwebhook = "HOOK"')
    for form in ("slow", "slow", "slow", "contact"):
        office.keep(form)
    order: list[str] = []
    times = iter(range(0, 10_000, 7))
    # This module's clock alone: SQLite's turns have a time of their own.
    clock = SimpleNamespace(monotonic=lambda: next(times))
    monkeypatch.setattr("formapp.notifications.channel.time", clock)

    class Slow(WebhookChannel):
        def send(self, sent: Any, *_more: Any) -> None:
            order.append(sent.form)

    office.channels = Channels(None, None, Slow([SECRET], office.clock), None)
    office.run()
    assert order == ["slow", "contact"]
    office.clock.turn(7)
    office.run()
    assert order == ["slow", "contact", "slow"]


def test_what_was_taken_out_of_the_form_file_is_dropped(office: Office) -> None:
    office.have(ALL.replace("email", 'every = "day"\nemail'))
    office.keep()
    office.hooks.status = 500
    office.run()
    assert office.waiting()
    office.hooks.posts.clear()
    office.have("")
    office.clock.turn(hours=30)
    office.run()
    assert office.waiting() == []
    assert not office.hooks.posts


def test_a_form_that_this_process_lacks_waits_for_another(office: Office) -> None:
    office.have(f'[notify]\nemail = "{OWNER}"')
    other = {"other": form_of(f'[notify]\nemail = "{OWNER}"')}
    office.keep()
    office.run(other)
    assert office.waiting() == [NOTIFY]
    office.clock.turn(60)
    office.run()
    assert len(office.mails.taken) == 1
    office.keep()
    office.clock.turn(hours=49)
    office.run(other)
    assert office.waiting() == []


def test_an_owner_whose_address_is_refused_does_not_cost_another_the_mail(office: Office) -> None:
    office.have(f'[notify]\nemail = ["{OWNER}", "{OTHER}"]')
    submission_id = office.keep()
    office.mails.cuts = "RCPT"
    office.run()
    assert [each["state"] for each in office.shown(submission_id)] == ["waiting"] * 2
    office.mails.cuts = ""
    office.clock.turn(60)
    office.run()
    assert sorted(mail.to for mail in office.mails.taken) == [OWNER, OTHER]


def test_a_worker_that_dies_over_a_job_leaves_it_to_another(office: Office) -> None:
    office.have('[notify]\nwebhook = "HOOK"')
    office.keep()
    # It planned, claimed the webhook, and died before its answer was stored.
    office.hooks.status = 500
    office.run()
    office.hooks.posts.clear()
    office.clock.turn(5)
    assert claim_job(office.database, office.clock(), ["notify.webhook"])
    assert office.run() == 0
    office.hooks.status = 200
    office.clock.turn(LEASE.total_seconds())
    office.run()
    assert len(office.hooks.posts) == 1
    assert office.waiting() == []


def test_metrics_show_what_waits_by_form_and_channel(office: Office) -> None:
    office.have('[notify]\nwebhook = "HOOK"')
    office.keep()
    office.hooks.status = 500
    office.run()
    office.metrics.read_queue(office.database, office.clock())
    labels = {"form": "contact", "channel": "webhook"}
    name = "formapp_notifications_waiting"
    assert office.metrics.registry.get_sample_value(name, labels) == 1


def test_a_worker_with_other_form_files_says_that_it_notified_nobody(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.have("")
    office.keep()
    office.run()
    assert "form contact: no notification of a lead: its form file here" in caplog.text
