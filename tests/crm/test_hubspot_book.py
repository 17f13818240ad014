"""A book with HubSpot, whose calls fail after a write: values of persons stay as conflicts."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import abort, request

from formapp.crm import conflicts
from formapp.crm.ending import start_erasing
from formapp.crm.model import FieldPair, Side
from formapp.crm.session import Session
from formapp.db.database import Database
from formapp.sandbox import SandboxServer
from tests.crm.hubspot_standin import HubSpot
from tests.crm.pairing import Pairing
from tests.crm.sides import hubspot_system
from tests.support.clock import TurnedClock

FIELDS = (
    FieldPair("first", "firstname"),
    FieldPair("last", "lastname"),
    FieldPair("email", "email"),
    FieldPair("phone", "phone"),
)
Lost = set[tuple[str, object, object]]


class HubSpotPairing(Pairing):
    """Wix in memory and HubSpot's stand-in, with one person on both sides."""

    def __init__(self, database: Database, account: HubSpot, url: str) -> None:
        super().__init__(database, fields=FIELDS)
        self.account = account
        account.clock = self.clock  # before anything happens there
        self.system = hubspot_system(url, self.clock, [])
        self.wix_id = self.wix.put(first="Ada", last="King", email="ada@example.com")
        self.start()
        (self.contact,) = account.contacts.values()

    def session(self) -> Session:
        session = super().session()
        session.crm = self.system
        return session

    def edit_both(self) -> None:
        """As two persons do; Wix wins."""
        self.wix.edit(self.wix_id, first="Ada W.", last="King W.")
        self.account.edit(self.contact.id, firstname="Ada C.", lastname="King C.")
        self.account.calls.clear()

    def fail_once(self, is_this: Callable[[str], bool], status: int) -> None:
        """Answer the first of these calls so."""

        def before(method: str, _path: str) -> None:
            if is_this(method):
                self.account.before = lambda _method, _path: None
                abort(status)

        self.account.before = before

    def lost(self) -> Lost:
        return {(each.field, each.lost_value, each.kept_value) for each in self.conflicts()}

    def patches(self) -> int:
        return [method for method, _ in self.account.calls].count("PATCH")

    def names(self) -> list[tuple[object, object]]:
        """First and last name on each side."""
        row, contact = self.wix.rows[self.wix_id].values, self.contact
        found = (contact.get("firstname"), contact.get("lastname"))
        return [(row.get("first"), row.get("last")), found]


@pytest.fixture
def pairing(sqlite: Database) -> Iterator[HubSpotPairing]:
    account = HubSpot(TurnedClock())
    with SandboxServer(account.app) as server:
        pairing = HubSpotPairing(sqlite, account, server.url)
        yield pairing
        pairing.system.close()


BOTH: Lost = {("first", "Ada C.", "Ada W."), ("last", "King C.", "King W.")}
AGREED = [("Ada W.", "King W.")] * 2


@pytest.mark.parametrize("status", [400, 429, 500])
def test_values_that_were_overwritten_stay_though_the_history_can_t_be_read(
    pairing: HubSpotPairing, status: int
) -> None:
    pairing.edit_both()
    pairing.fail_once(lambda _: "propertiesWithHistory" in request.args, status)
    assert pairing.sync() == 1
    assert pairing.lost() == BOTH
    for _ in range(2):
        assert pairing.sync() == 0
        assert (pairing.names(), pairing.lost()) == (AGREED, BOTH)
    assert pairing.patches() == 1


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("wins", ["wix", "crm"])
def test_a_value_of_ours_is_no_edit_though_the_history_can_t_be_read(
    pairing: HubSpotPairing, wins: Side, status: int
) -> None:
    fields = tuple(replace(each, wins=wins) for each in FIELDS)
    pairing.book = replace(pairing.book, fields=fields)
    pairing.wix.edit(pairing.wix_id, first="Ada W.")
    pairing.fail_once(lambda _: "propertiesWithHistory" in request.args, status)
    assert pairing.sync() == 1
    pairing.wix.edit(pairing.wix_id, first="Ada W. W.")
    assert pairing.sync() == 0
    assert (pairing.names(), pairing.lost()) == ([("Ada W. W.", "King")] * 2, set())


def _edit_at_the_first_patch(
    pairing: HubSpotPairing, then: Callable[[], None], **values: str
) -> None:
    def before(method: str, _path: str) -> None:
        if method == "PATCH":
            pairing.account.edit(pairing.contact.id, **(values or {"firstname": "Augusta"}))
            pairing.account.before = lambda _method, _path: None
            then()

    pairing.account.before = before


def test_values_that_were_overwritten_stay_though_another_one_was_put_back(
    pairing: HubSpotPairing,
) -> None:
    pairing.edit_both()
    _edit_at_the_first_patch(pairing, lambda: None)
    assert pairing.sync() == 0
    assert pairing.names() == AGREED
    assert pairing.lost() == BOTH | {("first", "Augusta", "Ada W.")}
    assert pairing.patches() == 3, "ours, the put-back, ours again"
    assert pairing.sync() == 0
    assert pairing.patches() == 3


@pytest.mark.parametrize(("status", "failures"), [(400, 0), (409, 0), (429, 1), (500, 1)])
def test_a_value_that_can_t_be_put_back_is_kept_as_a_conflict(
    pairing: HubSpotPairing, status: int, failures: int
) -> None:
    pairing.wix.edit(pairing.wix_id, first="Ada W.")
    pairing.account.calls.clear()
    _edit_at_the_first_patch(
        pairing, lambda: pairing.fail_once(lambda method: method == "PATCH", status)
    )
    assert pairing.sync() == failures
    for _ in range(2):
        assert pairing.sync() == 0
        assert pairing.names() == [("Ada W.", "King")] * 2
        assert pairing.lost() == {("first", "Augusta", "Ada W.")}
    assert pairing.patches() == 2, "ours, and the put-back that failed"


def test_a_value_overwritten_before_a_newer_edit_is_kept_as_a_conflict(
    pairing: HubSpotPairing,
) -> None:
    def edit_again(_method: str, _path: str) -> None:
        if "propertiesWithHistory" in request.args:
            pairing.account.before = lambda _method, _path: None
            pairing.account.edit(pairing.contact.id, firstname="Augusta A.")

    pairing.wix.edit(pairing.wix_id, first="Ada W.")
    _edit_at_the_first_patch(pairing, lambda: setattr(pairing.account, "before", edit_again))
    pairing.sync()
    assert pairing.names() == [("Ada W.", "King")] * 2
    assert pairing.lost() == {("first", each, "Ada W.") for each in ("Augusta", "Augusta A.")}


def test_a_conflict_is_found_by_the_e_mail_and_the_phone_that_were_overwritten(
    pairing: HubSpotPairing,
) -> None:
    pairing.wix.edit(pairing.wix_id, email="new@example.com", phone="+442079460018")
    own = {"email": "Private@example.com", "phone": "+44 20 7946 0999"}
    _edit_at_the_first_patch(
        pairing,
        lambda: pairing.fail_once(lambda method: method == "PATCH", 400),
        **own,
    )
    pairing.sync()
    assert {("email", own["email"]), ("phone", own["phone"])} <= {
        (field, value) for field, value, _ in pairing.lost()
    }
    digests = pairing.session().digests
    with pairing.database.read() as connection:
        for identity in ("private@example.com", "+442079460999"):
            assert len(conflicts.find_person(connection, digests.all_persons({identity}))) == 2


def test_nothing_is_kept_of_a_person_who_was_erased_meanwhile(pairing: HubSpotPairing) -> None:
    def erase() -> None:
        pairing.fail_once(lambda method: method == "PATCH", 400)
        with pairing.database.write() as connection:
            start_erasing(connection, "main", pairing.wix_id, pairing.clock())

    pairing.wix.edit(pairing.wix_id, first="Ada W.")
    _edit_at_the_first_patch(pairing, erase)
    pairing.sync()
    assert pairing.patches() == 2
    assert pairing.lost() == set()
