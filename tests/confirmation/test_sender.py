"""The mail of a confirmation: sent at least once, within limits, or with the reason why not."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from formapp.cli.format_lead import entry_lines
from formapp.confirmation.links import LinkSigner, address_hash
from formapp.confirmation.sender import ConfirmationSender
from formapp.confirmation.store import CONFIRMATION_MAIL, REQUEST
from formapp.db.database import Database
from formapp.jobs.queue import LEASE, Job, JobRunner, claim_job
from formapp.leads.accept import Status, keep
from formapp.leads.anonymize import anonymize
from formapp.leads.confirm import confirm, resend_mail
from formapp.leads.expire import expire, unaccepted_expiry
from formapp.leads.report import show_submission
from formapp.mail.limit import (
    APART,
    FORM_FULL,
    FORM_LIMIT,
    MAILBOX_FULL,
    TOO_SOON,
    MailLimit,
    MailLimitError,
    Reservation,
    mailbox,
)
from formapp.mail.smtp import SmtpMailer
from formapp.monitoring.metrics import Metrics
from formapp.signing import Keyring
from tests.support.clock import TurnedClock
from tests.support.leads import EMAIL, WORDING, lead, submission
from tests.support.mailserver import MailServer, mail_server

KEYS = ["a key that is long enough"]


class Post:
    """A mail server, a worker that sends by it, and what visitors send."""

    def __init__(self, database: Database, clock: TurnedClock, server: MailServer) -> None:
        self.database = database
        self.clock = clock
        self.server = server
        self.metrics = Metrics()
        self.limit = MailLimit(database, Keyring(KEYS))
        self.sender = ConfirmationSender(
            database=database,
            mailer=SmtpMailer(server.url, step_seconds=5, total_seconds=10),
            links=LinkSigner(KEYS),
            limit=self.limit,
            sender="news@example.com",
            base_url="https://forms.example.com",
            clock=clock,
            answers_expire_at=partial(unaccepted_expiry, database, keep_days=90),
            count=self.metrics.mail,
        )
        self.errands = self.worker(self.sender)

    def worker(self, sender: ConfirmationSender) -> JobRunner:
        return JobRunner(self.database, {CONFIRMATION_MAIL: sender}, clock=self.clock)

    def keep(
        self,
        address: str = EMAIL,
        *,
        form: str = "news",
        keep_days: int | None = None,
        **wording: Any,
    ) -> str:
        asking = submission(
            lead(address, form=form),
            self.clock(),
            status=Status.UNCONFIRMED,
            meta={"page": "https://www.example.com/?a=b", REQUEST: WORDING | wording},
            jobs=(Job(CONFIRMATION_MAIL),),
            keep_days=keep_days,
        )
        return keep(self.database, asking).id

    def run(self) -> int:
        """Run all that is due; returns how many errands that were."""
        count = 0
        while self.errands.run_next():
            count += 1
        return count

    def told(self, submission_id: str) -> dict[str, Any]:
        confirmation: dict[str, Any] = show_submission(self.database, submission_id)["confirmation"]
        return confirmation

    def counted(self, outcome: str) -> float:
        labels = {"form": "news", "outcome": outcome}
        return self.metrics.registry.get_sample_value("formapp_mails_total", labels) or 0


@pytest.fixture
def post(database: Database, turned_clock: TurnedClock) -> Iterator[Post]:
    with mail_server() as server:
        yield Post(database, turned_clock, server)


def test_the_mail_goes_to_the_address_with_a_link_for_this_submission_alone(post: Post) -> None:
    submission_id = post.keep(query={"lang": "de"})
    assert post.run() == 1
    (mail,) = post.server.taken
    assert (mail.sender, mail.to) == ("news@example.com", EMAIL)
    beginning, _, token = mail.link.removesuffix("&lang=de").partition("?t=")
    assert beginning == "https://forms.example.com/f/news/confirm"
    link = LinkSigner(KEYS).read(token)
    assert link.submission_id == submission_id
    assert link.address == address_hash(EMAIL)
    assert link.until == post.clock() + timedelta(days=7)
    told = post.told(submission_id)
    assert told["sent_at"] == [post.clock().isoformat().replace("+00:00", "Z")]
    assert (told["unsent"], told["mail_due_at"], told["confirmed_at"]) == (None, None, None)
    assert told["text"] == "Was it you?"
    assert post.counted("sent") == 1
    assert post.run() == 0


def test_the_forms_own_sender_comes_before_the_settings(post: Post) -> None:
    post.keep(sender="The Club <club@example.org>")
    post.run()
    (mail,) = post.server.taken
    assert mail.message["From"] == "The Club <club@example.org>"
    assert mail.sender == "club@example.org"


def test_a_server_that_is_away_or_refuses_for_now_is_tried_again(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    submission_id = post.keep()
    for verb, answer in (("RCPT", "450 not now"), ("DATA", "451 odd"), ("MAIL", "421 busy")):
        post.server.answers = {verb: answer}
        assert post.run() == 1
        assert post.told(submission_id)["mail_due_at"]
        post.clock.turn(60)
    post.server.answers = {}
    post.run()
    assert len(post.server.taken) == 1
    assert post.counted("failed") == 3
    assert post.told(submission_id)["unsent"] is None
    assert EMAIL not in caplog.text


@pytest.mark.slow
def test_it_is_tried_until_the_link_would_have_expired_and_the_owner_reads_why(post: Post) -> None:
    submission_id = post.keep(days=1)
    post.server.answers = {"RCPT": "450 not now"}
    for _ in range(30):
        post.run()
        post.clock.turn(hours=1)
    assert "before its link would have expired" in post.told(submission_id)["unsent"]
    assert post.told(submission_id)["mail_due_at"] is None
    assert show_submission(post.database, submission_id)["state"] == "unconfirmed"
    post.server.answers = {}
    assert post.run() == 0
    assert post.server.taken == []


def test_an_address_that_is_refused_for_good_ends_it_with_the_servers_words(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    submission_id = post.keep()
    post.server.answers = {"RCPT": f"550 no {EMAIL} here"}
    post.run()
    assert post.told(submission_id)["unsent"].endswith(f"its reply: no {EMAIL} here")
    assert post.told(submission_id)["mail_due_at"] is None
    assert EMAIL not in caplog.text
    assert "550" in caplog.text
    assert post.counted("failed") == 1


def test_a_mail_that_is_refused_for_good_ends_it_too_and_takes_no_place(post: Post) -> None:
    submission_id = post.keep()
    post.server.answers = {"DATA": "554 looks like spam"}
    post.run()
    reason = "the mail server answered 554 to the message; its reply: looks like spam"
    assert post.told(submission_id)["unsent"] == reason
    assert post.told(submission_id)["mail_due_at"] is None
    post.clock.turn(hours=1)
    assert post.run() == 0
    assert post.limit.refusal("other", EMAIL, post.clock()) is None
    assert len(taken(post.limit, post.clock())) == 3


def test_a_sender_that_is_refused_is_tried_again(post: Post) -> None:
    submission_id = post.keep()
    post.server.answers = {"MAIL": "550 not you"}
    post.run()
    assert post.told(submission_id)["mail_due_at"]
    post.server.answers = {}
    post.clock.turn(hours=1)
    post.run()
    assert post.told(submission_id)["sent_at"]


def test_a_worker_that_dies_after_sending_has_the_same_mail_sent_once_more(post: Post) -> None:
    submission_id = post.keep()
    claimed = claim_job(post.database, post.clock(), {CONFIRMATION_MAIL})
    assert claimed
    post.limit.reserve("news", EMAIL, post.clock())
    post.clock.turn(LEASE.total_seconds())
    assert post.run() == 1
    assert post.server.taken == []
    post.server.cuts = "DATA"
    post.clock.turn(APART.total_seconds())
    post.run()
    post.server.cuts = ""
    post.clock.turn(APART.total_seconds() + 60)
    post.run()
    first, second = post.server.taken
    assert first.message["Message-ID"] == second.message["Message-ID"]
    read = LinkSigner(KEYS).read
    assert read(first.link.partition("t=")[2]) == read(second.link.partition("t=")[2])
    assert len(post.told(submission_id)["sent_at"]) == 1
    post.clock.turn(hours=3)
    assert post.run() == 0


def test_one_address_gets_three_mails_a_day_whatever_forms_are_filled_in(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    idents = []
    for number in range(5):
        idents.append(post.keep(form=f"form-{number}"))
        post.run()
        post.clock.turn(60)
    assert len(post.server.taken) == 3
    assert [bool(post.told(submission_id)["sent_at"]) for submission_id in idents] == [True] * 3 + [
        False
    ] * 2
    assert "the limit of 3 mails a day to this address is reached" in caplog.text
    post.keep("somebody.else@example.com")
    post.run()
    assert len(post.server.taken) == 4
    # A day after they were taken the places are free again, for those that wait.
    assert all(post.told(submission_id)["mail_due_at"] for submission_id in idents[3:])
    for _ in range(26):
        post.clock.turn(hours=1)
        post.run()
    assert all(post.told(submission_id)["sent_at"] for submission_id in idents)
    assert len(post.server.taken) == 6


@pytest.mark.parametrize("address", ["victim+%d@example.com", "Victim+%d@Example.com"])
def test_what_follows_a_plus_makes_no_other_mailbox(post: Post, address: str) -> None:
    for number in range(8):
        post.keep(address % number, form=f"form-{number}")
        post.run()
    assert len(post.server.taken) == 3
    assert post.limit.refusal("another", "victim@example.com", post.clock())
    # What begins with it is all that there is.
    assert mailbox("+49@example.com") == "+49@example.com"
    assert mailbox("Ada+News@Example.com") == "ada@example.com"


@pytest.mark.slow
def test_a_form_sends_a_few_hundred_mails_a_day_and_the_owner_reads_why_once(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    now = post.clock()
    for number in range(FORM_LIMIT):
        last = post.limit.reserve("news", f"{number}@example.com", now)
    waits, other = post.keep("late@example.com"), post.keep(form="other")
    post.keep("later@example.com")
    post.run()
    assert [mail.to for mail in post.server.taken] == [EMAIL]
    assert post.told(other)["sent_at"]
    assert post.told(waits)["mail_due_at"]
    assert post.limit.refusal("news", "late@example.com", now) == FORM_FULL
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in errors] == [
        f"form news: {FORM_FULL}; its other mails wait"
    ]
    # What didn't go is no mail of the form.
    post.limit.cancel(last)
    post.limit.reserve("news", "another@example.com", now)
    with pytest.raises(MailLimitError):
        post.limit.reserve("news", "one.more@example.com", now)
    for _ in range(26):
        post.clock.turn(hours=1)
        post.run()
    assert post.told(waits)["sent_at"]


@pytest.mark.slow
def test_600_mails_that_wait_are_one_line_and_keep_no_other_waiting(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    mails = [post.keep("victim@example.com", form=f"news{number % 5}") for number in range(600)]
    other = post.keep("ada@example.com", form="other")
    with caplog.at_level("INFO"):
        runs = 0
        while not post.told(other)["sent_at"]:
            assert post.errands.run_next()
            runs += 1
    assert runs < 30
    assert len(caplog.messages) < 20
    # The owner reads of each why it waits, and not only of the one that was tried.
    told = [post.told(each) for each in mails]
    waiting = [each for each in told if not each["sent_at"]]
    assert len(waiting) > 590
    assert {each["mail_reason"] for each in waiting} <= {MAILBOX_FULL, TOO_SOON}
    assert MAILBOX_FULL in _shown(post, mails[-1])
    assert post.run() < 30
    # One of them is tried once there may be room, and the others wait on.
    for _ in range(2):
        post.clock.turn(hours=1.01)
        assert post.run() < 30
    assert len(post.server.taken) == 4


def _shown(post: Post, submission_id: str) -> str:
    return "\n".join(entry_lines(show_submission(post.database, submission_id)))


def test_what_the_server_did_not_take_is_not_counted_against_the_address(post: Post) -> None:
    post.server.answers = {"RCPT": "450 not now"}
    submission_id = post.keep()
    for _ in range(6):
        post.run()
        assert "450" in _shown(post, submission_id)
        post.clock.turn(hours=1)
    post.server.answers = {}
    post.run()
    assert post.told(submission_id)["sent_at"]


def test_a_mail_that_was_let_through_once_waits_for_a_place_and_is_not_lost(post: Post) -> None:
    post.server.answers = {"RCPT": "450 not now"}
    waits = post.keep()
    post.run()
    post.server.answers = {}
    for number in range(3):
        post.keep(form=f"form-{number}")
    # Those three are due before the other is tried again.
    post.clock.turn(1)
    post.run()
    post.clock.turn(60)
    post.run()
    assert post.told(waits)["sent_at"] == []
    assert post.told(waits)["mail_due_at"]
    for _ in range(26):
        post.clock.turn(hours=1)
        post.run()
    assert len(post.told(waits)["sent_at"]) == 1


def test_a_second_lead_within_ten_minutes_has_its_own_mail_later(post: Post) -> None:
    first, second = post.keep(), post.keep()
    other = post.keep(form="other")
    post.run()
    assert len(post.server.taken) == 2
    assert post.told(first)["sent_at"]
    assert post.told(second)["unsent"] is None
    assert post.told(second)["mail_due_at"]
    assert post.told(other)["sent_at"]
    assert post.counted("withheld") == 1
    for _ in range(25):
        post.clock.turn(60)
        post.run()
    assert post.told(second)["sent_at"]
    assert post.counted("withheld") == 1
    read = LinkSigner(KEYS).read
    links = [read(mail.link.partition("t=")[2]) for mail in post.server.taken]
    assert [link.submission_id for link in links] == [first, other, second]


@pytest.mark.slow
def test_who_takes_all_slots_of_an_address_does_not_keep_its_owner_from_confirming(
    post: Post,
) -> None:
    for number in range(3):
        post.keep(form=f"form-{number}")
    post.run()
    own = post.keep()
    for _ in range(7 * 24 - 1):
        post.clock.turn(hours=1)
        post.run()
    assert post.told(own)["sent_at"]


@pytest.mark.slow
def test_what_finds_no_place_until_its_link_would_have_expired_says_so(post: Post) -> None:
    submission_id = post.keep(days=1)
    for _ in range(25):
        taken(post.limit, post.clock())
        post.run()
        post.clock.turn(hours=1)
    reason = "no mail could be sent before its link would have expired"
    assert post.told(submission_id)["unsent"] == reason
    assert post.server.taken == []


def taken(limit: MailLimit, now: datetime, number: int = 5) -> list[Reservation]:
    """What so many mails of so many forms to one address have taken."""
    places = []
    for each in range(number):
        with contextlib.suppress(MailLimitError):
            places.append(limit.reserve(f"some-{each}", EMAIL, now))
    return places


@pytest.mark.parametrize(("keep_days", "kept"), [(None, 30), (20, 20), (60, 30)])
def test_no_link_is_promised_for_longer_than_its_answers_are_kept(
    post: Post, keep_days: int | None, kept: int
) -> None:
    came, submission_id = post.clock(), post.keep(keep_days=keep_days)
    post.run()
    post.clock.turn(hours=24 * (kept - 2))
    resend_mail(post.database, submission_id, post.clock())
    post.run()
    first, again = post.server.taken
    read = LinkSigner(KEYS).read
    until = came + timedelta(days=kept)
    assert read(first.link.partition("t=")[2]).until == came + timedelta(days=7)
    assert read(again.link.partition("t=")[2]).until == until
    assert f"Until {until:%Y-%m-%d %H:%M} UTC." in again.part("plain")
    assert expire(post.database, 90, until - timedelta(minutes=1)) == 0
    assert expire(post.database, 90, until) == 1


def test_what_was_confirmed_or_erased_meanwhile_gets_no_mail(post: Post) -> None:
    post.server.answers = {"RCPT": "450 not now"}
    confirmed, erased = post.keep(), post.keep("b@example.com")
    post.run()
    post.server.answers = {}
    assert confirm(post.database, confirmed, post.clock())
    with post.database.write() as connection:
        anonymize(connection, [erased], post.clock())
    post.clock.turn(60)
    assert post.run() == 0
    assert post.server.taken == []


def test_an_errand_of_what_waits_no_longer_is_struck_out(post: Post) -> None:
    quarantined = submission(
        lead(),
        post.clock(),
        status=Status.QUARANTINED,
        meta={REQUEST: WORDING},
        jobs=(Job(CONFIRMATION_MAIL),),
    )
    keep(post.database, quarantined)
    assert post.run() == 1
    assert post.run() == 0
    assert post.server.taken == []


def test_a_worker_without_a_sender_leaves_the_mail_to_one_that_has_it(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    submission_id = post.keep()
    post.worker(replace(post.sender, sender=None)).run_next()
    assert "can't be sent without a sender" in caplog.text
    assert post.told(submission_id)["mail_due_at"]
    post.clock.turn(10)
    post.run()
    assert len(post.server.taken) == 1
