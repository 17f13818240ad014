"""The mail of a confirmation: sent at least once, within limits, or with the reason why not."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from formapp.confirming import Confirmer, Means
from formapp.errands import Errands
from formapp.links import LinkSigner, address_hash
from formapp.mail import PostOffice
from formapp.measures import Measures
from formapp.submissions.confirmations import ASKED, CONFIRM, ask_again, confirm
from formapp.submissions.database import Database
from formapp.submissions.erasing import blank
from formapp.submissions.errands import LEASE, Errand, claim_errand
from formapp.submissions.intake import Status, keep
from formapp.submissions.keyring import Keyring
from formapp.submissions.mail_limit import MailLimit
from formapp.submissions.report import show_submission
from tests.support.clock import TurnedClock
from tests.support.leads import EMAIL, lead, submission
from tests.support.postoffice import MailServer, mail_server

WORDING: dict[str, Any] = {
    "title": "News",
    "subject": "Please confirm",
    "text": "Was it you?",
    "button": "Yes",
    "valid": "Until %(until)s.",
    "otherwise": "Else do nothing.",
    "sender": None,
    "days": 7,
    "language": "en",
    "query": {},
}
KEYS = ["a key that is long enough"]


class Post:
    """A mail server, a worker that sends by it, and what visitors send."""

    def __init__(self, database: Database, clock: TurnedClock, server: MailServer) -> None:
        self.database = database
        self.clock = clock
        self.server = server
        self.measures = Measures()
        self.limit = MailLimit(database, Keyring(KEYS))
        self.means = Means(
            office=PostOffice(server.url, seconds=5, longest=10),
            links=LinkSigner(KEYS),
            limit=self.limit,
            sender="news@example.com",
            base_url="https://forms.example.com",
        )
        self.errands = self.worker(self.means)

    def worker(self, means: Means | None, missing: str = "") -> Errands:
        confirmer = Confirmer(
            self.database, means, clock=self.clock, missing=missing, measures=self.measures
        )
        return Errands(self.database, {CONFIRM: confirmer}, clock=self.clock)

    def keep(self, address: str = EMAIL, *, form: str = "news", **wording: Any) -> str:
        asking = submission(
            lead(address, form=form),
            self.clock(),
            status=Status.UNCONFIRMED,
            meta={"page": "https://www.example.com/?a=b", ASKED: WORDING | wording},
            errands=(Errand(CONFIRM),),
        )
        return keep(self.database, asking).id

    def run(self) -> int:
        """Run all that is due; returns how many errands that were."""
        count = 0
        while self.errands.run_next():
            count += 1
        return count

    def told(self, ident: str) -> dict[str, Any]:
        confirmation: dict[str, Any] = show_submission(self.database, ident)["confirmation"]
        return confirmation

    def counted(self, outcome: str) -> float:
        labels = {"form": "news", "outcome": outcome}
        return self.measures.registry.get_sample_value("formapp_mails_total", labels) or 0


@pytest.fixture
def post(database: Database, turned_clock: TurnedClock) -> Iterator[Post]:
    with mail_server() as server:
        yield Post(database, turned_clock, server)


def test_the_mail_goes_to_the_address_with_a_link_for_this_submission_alone(post: Post) -> None:
    ident = post.keep(query={"lang": "de"})
    assert post.run() == 1
    (letter,) = post.server.taken
    assert (letter.sender, letter.to) == ("news@example.com", EMAIL)
    beginning, _, token = letter.link.removesuffix("&lang=de").partition("?t=")
    assert beginning == "https://forms.example.com/f/news/confirm"
    link = LinkSigner(KEYS).read(token)
    assert link.submission_id == ident
    assert link.address == address_hash(EMAIL)
    assert link.until == post.clock() + timedelta(days=7)
    told = post.told(ident)
    assert told["sent_at"] == [post.clock().isoformat().replace("+00:00", "Z")]
    assert (told["unsent"], told["mail_due_at"], told["confirmed_at"]) == (None, None, None)
    assert told["text"] == "Was it you?"
    assert post.counted("sent") == 1
    assert post.run() == 0


def test_the_forms_own_sender_comes_before_the_settings(post: Post) -> None:
    post.keep(sender="The Club <club@example.org>")
    post.run()
    (letter,) = post.server.taken
    assert letter.message["From"] == "The Club <club@example.org>"
    assert letter.sender == "club@example.org"


def test_a_server_that_is_away_or_refuses_for_now_is_tried_again(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    ident = post.keep()
    for verb, answer in (("RCPT", "450 not now"), ("DATA", "451 odd"), ("MAIL", "421 busy")):
        post.server.answers = {verb: answer}
        assert post.run() == 1
        assert post.told(ident)["mail_due_at"]
        post.clock.turn(60)
    post.server.answers = {}
    post.run()
    assert len(post.server.taken) == 1
    assert post.counted("failed") == 3
    assert post.told(ident)["unsent"] is None
    assert EMAIL not in caplog.text


def test_it_is_tried_until_the_link_would_have_run_out_and_the_owner_hears_so(post: Post) -> None:
    ident = post.keep(days=1)
    post.server.answers = {"RCPT": "450 not now"}
    for _ in range(30):
        post.run()
        post.clock.turn(hours=1)
    assert "before its link would have run out" in post.told(ident)["unsent"]
    assert post.told(ident)["mail_due_at"] is None
    assert show_submission(post.database, ident)["state"] == "unconfirmed"
    post.server.answers = {}
    assert post.run() == 0
    assert post.server.taken == []


def test_an_address_that_is_refused_for_good_ends_it_with_the_servers_words(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    ident = post.keep()
    post.server.answers = {"RCPT": f"550 no {EMAIL} here"}
    post.run()
    assert post.told(ident)["unsent"].endswith(f"it said: no {EMAIL} here")
    assert post.told(ident)["mail_due_at"] is None
    assert EMAIL not in caplog.text
    assert "550" in caplog.text
    assert post.counted("failed") == 1


def test_a_letter_that_is_refused_for_good_ends_it_too_and_takes_no_place(post: Post) -> None:
    ident = post.keep()
    post.server.answers = {"DATA": "554 looks like spam"}
    post.run()
    reason = "the mail server answered 554 to the letter; it said: looks like spam"
    assert post.told(ident)["unsent"] == reason
    assert post.told(ident)["mail_due_at"] is None
    post.clock.turn(hours=1)
    assert post.run() == 0
    assert post.limit.refusal("other", EMAIL, post.clock()) is None
    assert len([post.limit.take(EMAIL, post.clock()) for _ in range(3)]) == 3


def test_a_sender_that_is_refused_is_tried_again(post: Post) -> None:
    ident = post.keep()
    post.server.answers = {"MAIL": "550 not you"}
    post.run()
    assert post.told(ident)["mail_due_at"]
    post.server.answers = {}
    post.clock.turn(hours=1)
    post.run()
    assert post.told(ident)["sent_at"]


def test_a_worker_that_dies_after_sending_has_the_same_letter_sent_once_more(post: Post) -> None:
    ident = post.keep()
    claimed = claim_errand(post.database, post.clock(), {CONFIRM})
    assert claimed
    post.server.cuts = "DATA"
    assert post.limit.begin("news", EMAIL, post.clock())
    post.clock.turn(LEASE.total_seconds())
    post.run()
    post.server.cuts = ""
    post.clock.turn(60)
    post.run()
    first, second = post.server.taken
    assert first.message["Message-ID"] == second.message["Message-ID"]
    read = LinkSigner(KEYS).read
    assert read(first.link.partition("t=")[2]) == read(second.link.partition("t=")[2])
    assert len(post.told(ident)["sent_at"]) == 1
    post.clock.turn(hours=3)
    assert post.run() == 0


def test_one_address_gets_three_mails_a_day_whatever_forms_are_filled_in(post: Post) -> None:
    idents = []
    for number in range(5):
        idents.append(post.keep(form=f"form-{number}"))
        post.run()
        post.clock.turn(60)
    assert len(post.server.taken) == 3
    assert [bool(post.told(ident)["sent_at"]) for ident in idents] == [True] * 3 + [False] * 2
    assert "3 mails went to this address within a day" in post.told(idents[3])["unsent"]
    post.keep("somebody.else@example.com")
    post.run()
    assert len(post.server.taken) == 4
    # The first place is free again a day after it was taken, the others aren't.
    post.clock.turn(24 * 3600 - 5 * 60)
    for number in range(2):
        post.keep(form=f"later-{number}")
    post.run()
    assert len(post.server.taken) == 5


def test_what_the_server_did_not_take_is_not_counted_against_the_address(post: Post) -> None:
    post.server.answers = {"RCPT": "450 not now"}
    ident = post.keep()
    for _ in range(6):
        post.run()
        post.clock.turn(hours=1)
    post.server.answers = {}
    post.run()
    assert post.told(ident)["sent_at"]


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


def test_a_visitor_who_presses_again_gets_no_second_mail_within_ten_minutes(post: Post) -> None:
    first, second = post.keep(), post.keep()
    other = post.keep(form="other")
    post.run()
    assert len(post.server.taken) == 2
    assert post.told(first)["sent_at"]
    assert "within 10 minutes" in post.told(second)["unsent"]
    assert post.told(other)["sent_at"]
    assert post.counted("withheld") == 1
    post.clock.turn(10 * 60)
    ask_again(post.database, second, post.clock())
    post.run()
    assert post.told(second)["sent_at"]
    assert post.told(second)["unsent"] is None


def test_two_workers_at_once_keep_the_limit(post: Post) -> None:
    now = post.clock()
    places = [post.limit.take(EMAIL, now) for _ in range(5)]
    assert [bool(place) for place in places] == [True, True, True, False, False]
    assert len(set(places[:3])) == 3


def test_a_change_of_keys_frees_no_place(post: Post) -> None:
    for _ in range(3):
        assert post.limit.take(EMAIL, post.clock())
    rotated = MailLimit(post.database, Keyring(["a new key that is long", *KEYS]))
    assert rotated.take(EMAIL, post.clock()) is None
    assert rotated.refusal("news", EMAIL, post.clock())
    assert MailLimit(post.database, Keyring(["only a new key, no other"])).take(EMAIL, post.clock())


def test_what_was_confirmed_or_erased_meanwhile_gets_no_mail(post: Post) -> None:
    post.server.answers = {"RCPT": "450 not now"}
    confirmed, erased = post.keep(), post.keep("b@example.com")
    post.run()
    post.server.answers = {}
    with post.database.write() as connection:
        assert confirm(connection, confirmed, post.clock())
        blank(connection, [erased], post.clock())
    post.clock.turn(60)
    assert post.run() == 0
    assert post.server.taken == []


def test_an_errand_of_what_waits_no_longer_is_struck_out(post: Post) -> None:
    quarantined = submission(
        lead(),
        post.clock(),
        status=Status.QUARANTINED,
        meta={ASKED: WORDING},
        errands=(Errand(CONFIRM),),
    )
    keep(post.database, quarantined)
    assert post.run() == 1
    assert post.run() == 0
    assert post.server.taken == []


def test_a_worker_that_lacks_a_setting_leaves_the_mail_to_one_that_has_it(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    ident = post.keep()
    post.worker(None, "FORMAPP_SMTP_URL").run_next()
    assert "can't be sent without FORMAPP_SMTP_URL" in caplog.text
    assert post.told(ident)["mail_due_at"]
    post.clock.turn(10)
    post.run()
    assert len(post.server.taken) == 1
