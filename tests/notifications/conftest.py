"""An office for each test."""

from collections.abc import Iterator

import pytest

from formapp.db.database import Database
from tests.support.clock import TurnedClock
from tests.support.mailserver import mail_server
from tests.support.office import Office
from tests.support.receiver import receiver


@pytest.fixture
def office(database: Database, turned_clock: TurnedClock) -> Iterator[Office]:
    with mail_server() as mails, receiver() as hooks:
        yield Office(database, turned_clock, mails, hooks)
