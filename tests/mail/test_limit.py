"""Limits of mail to one mailbox, over processes, keys and wrong clocks."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from formapp.db.database import Database
from formapp.mail.limit import APART, MailLimit, MailLimitError, Reservation, mailbox
from formapp.signing import Keyring
from tests.support.clock import TurnedClock
from tests.support.leads import EMAIL

KEYS = ["a key that is long enough"]


@pytest.fixture
def limit(database: Database) -> MailLimit:
    return MailLimit(database, Keyring(KEYS))


@pytest.fixture
def clock(turned_clock: TurnedClock) -> TurnedClock:
    return turned_clock


def taken(limit: MailLimit, now: datetime, number: int = 5) -> list[Reservation]:
    """What so many mails of so many forms to one address have reserved."""
    found = []
    for each in range(number):
        with contextlib.suppress(MailLimitError):
            found.append(limit.reserve(f"some-{each}", EMAIL, now))
    return found


@pytest.mark.parametrize(
    ("address", "same"),
    [("Ada+News@Example.com", "ada@example.com"), ("+49@example.com", "+49@example.com")],
)
def test_addresses_of_one_mailbox_are_one(address: str, same: str) -> None:
    assert mailbox(address) == same


def test_a_cancelled_reservation_frees_its_slot(limit: MailLimit, clock: TurnedClock) -> None:
    first = limit.reserve("news", EMAIL, clock())
    assert limit.refusal("news", EMAIL, clock())
    limit.cancel(first)
    assert limit.refusal("news", EMAIL, clock()) is None
    limit.reserve("news", EMAIL, clock())
    assert limit.refusal("news", EMAIL, clock() + APART) is None


def test_places_of_a_clock_that_was_ahead_are_free_once_it_is_put_right(
    limit: MailLimit, clock: TurnedClock
) -> None:
    ahead = clock() + timedelta(days=3)
    for number in range(3):
        limit.reserve(f"form-{number}", EMAIL, ahead)
    with pytest.raises(MailLimitError):
        limit.reserve("another", EMAIL, ahead)
    assert limit.refusal("form-0", EMAIL, clock()) is None
    assert len(taken(limit, clock())) == 3


def test_of_many_workers_at_once_three_find_a_place(limit: MailLimit, clock: TurnedClock) -> None:
    now = clock()
    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(limit.reserve, f"form-{n}", EMAIL, now) for n in range(8)]
    places = [each.result() for each in found if each.exception() is None]
    assert len({place.mailbox for place in places}) == len(places) == 3


def test_a_change_of_keys_frees_no_place(
    database: Database, limit: MailLimit, clock: TurnedClock
) -> None:
    assert len(taken(limit, clock())) == 3
    rotated = MailLimit(database, Keyring(["a new key that is long", *KEYS]))
    assert taken(rotated, clock()) == []
    assert rotated.refusal("news", EMAIL, clock())
    assert taken(MailLimit(database, Keyring(["only a new key, no other"])), clock())
