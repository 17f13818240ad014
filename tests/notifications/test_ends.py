"""How notifications end is kept with the lead, without an answer; marking as spam loses none."""

import json
from typing import Any

from formapp.leads.anonymize import anonymize
from formapp.leads.mark_spam import mark_spam
from formapp.leads.release import release
from formapp.leads.report import show_submission
from formapp.leads.timeline import events_of
from formapp.notifications.plan import PATIENCE
from tests.support.leads import EMAIL
from tests.support.office import Office

OWNER = "owner@example.com"


def story(office: Office, submission_id: str) -> list[tuple[str, str]]:
    """Text and tone of what happened, but for the receipt."""
    entry = show_submission(office.database, submission_id)
    return [(event.text, str(event.tone)) for event in events_of(entry)][1:]


def test_the_timeline_says_what_each_receiver_got(office: Office) -> None:
    office.have(f'[notify]\nemail = "{OWNER}"\nwebhook = "HOOK"\n[reply]')
    submission_id = office.keep()
    office.hooks.status = 500
    office.run()
    sent = [("Mail to owner@example.com sent", "good"), ("Reply to the visitor sent", "good")]
    found = story(office, submission_id)
    assert sorted(found[:2]) == sent
    assert found[2:] == [("Webhook is tried again", "waiting")]
    office.hooks.status = 204
    office.clock.turn(60)
    office.run()
    assert story(office, submission_id)[2] == ("Webhook sent at try 2", "good")


def test_the_timeline_says_what_was_given_up_or_withheld(office: Office) -> None:
    office.have('[notify]\nwebhook = "HOOK"\n[reply]')
    office.hooks.status = 500
    submission_id = office.keep(address=EMAIL)
    later = office.keep(address=EMAIL)
    for _ in range(4):
        office.run()
        office.clock.turn(PATIENCE.total_seconds() / 3)
    found = dict(story(office, submission_id))
    [given_up] = [text for text in found if text.startswith("Webhook given up")]
    assert found[given_up] == "bad"
    texts = {text for each in (submission_id, later) for text, _ in story(office, each)}
    assert any(text.startswith("Reply to the visitor") for text in texts)


def test_no_answer_is_kept_with_it_and_erasing_leaves_what_became_of_it(office: Office) -> None:
    office.have(f'[notify]\nemail = "{OWNER}"\n[reply]')
    submission_id = office.keep()
    office.run()
    ended = _ended(office, submission_id)
    assert EMAIL not in json.dumps(ended)
    assert "hello" not in json.dumps(ended)
    with office.database.write() as connection:
        anonymize(connection, [submission_id], office.clock())
    erased = _ended(office, submission_id)
    assert [each["result"] for each in erased] == ["sent", "sent"]
    assert all(each["to"] is each["reason"] is None for each in erased)


def _ended(office: Office, submission_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = show_submission(office.database, submission_id)["notified"]
    return found


def test_a_release_sends_what_some_receivers_have_not_got_and_nothing_twice(office: Office) -> None:
    office.have(f'[notify]\nemail = "{OWNER}"\nwebhook = "HOOK"')
    submission_id = office.keep()
    office.hooks.status = 500
    office.run()
    [waits] = office.shown(submission_id)
    mark_spam(office.database, submission_id, office.clock(), by="ana")
    assert office.waiting() == []
    office.hooks.status = 204
    office.run()
    release(office.database, submission_id, lambda _: {}, office.clock())
    office.hooks.posts.clear()
    office.run()
    assert len(office.mails.taken) == len(office.hooks.posts) == 1
    assert waits["channel"] == "webhook"
    assert office.shown(submission_id) == []


def test_a_release_keeps_a_digest_for_its_time(office: Office) -> None:
    office.have(f'[notify]\nevery = "day"\nemail = "{OWNER}"')
    submission_id = office.keep()
    office.run()
    mark_spam(office.database, submission_id, office.clock(), by="ana")
    release(office.database, submission_id, lambda _: {}, office.clock())
    assert office.run() == 0
    office.clock.turn(hours=24)
    office.run()
    assert len(office.mails.taken) == 1
