"""Erasing what webhooks of CRM books have posted, after a restore."""

from sqlalchemy import select

from formapp.crm.events import Event, store_event
from formapp.db.database import Database
from formapp.db.tables import crm_events
from formapp.leads.erase import erase_again, erase_person
from formapp.signing import Keyring
from tests.support.clock import NOON
from tests.support.leads import EMAIL
from tests.support.ledger import days_later

KEYRING = Keyring(["the secret of this installation"])


def test_a_webhooks_fields_that_a_back_up_brings_back_are_erased_again(sqlite: Database) -> None:
    erase_person(sqlite, [EMAIL], keyring=KEYRING, now=NOON)
    mine, later, other = (NOON, EMAIL), (days_later(NOON, 1), EMAIL), (NOON, "eva@example.com")
    with sqlite.write() as connection:
        for number, (at, email) in enumerate((mine, later, other)):
            post = Event("crm:main", str(number), "updated", "42", at, content={"mail": email})
            store_event(connection, post)
        erase_again(connection, KEYRING, days_later(NOON, 9))
    with sqlite.read() as connection:
        kept = connection.scalars(select(crm_events.c.content).order_by(crm_events.c.id)).all()
    assert [bool(each) for each in kept] == [False, True, True]
