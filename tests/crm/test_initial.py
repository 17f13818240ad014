"""The plan, the first load, and copying."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from formapp.crm import owner
from formapp.crm.initial import PlanNeededError, load, plan
from formapp.crm.model import Plan
from formapp.crm.sync import pass_once
from formapp.crm.system import (
    AlreadyExistsError,
    Capabilities,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
)
from formapp.db.database import Database
from formapp.db.tables import crm_links
from tests.crm.pairing import Pairing


@pytest.fixture
def pairing(sqlite: Database) -> Pairing:
    return Pairing(sqlite)


def fill(pairing: Pairing) -> None:
    """One of each kind."""
    pairing.wix.put(first="Same", email="same@example.com", phone="+44 20 7946 0001")
    pairing.crm.put(given="Same", email="SAME@example.com", phone="+44 20 79460001")
    pairing.wix.put(first="Wix", email="differs@example.com", company="Acme")
    pairing.crm.put(given="Crm", email="differs@example.com")
    pairing.wix.put(first="Only Wix", email="wix@example.com")
    pairing.crm.put(given="Only CRM", phone="+44 20 7946 0002")
    pairing.wix.put(first="Twice", email="twice@example.com")
    pairing.crm.put(given="Twice", email="twice@example.com")
    pairing.crm.put(given="Twice", email="twice@example.com")


def test_a_plan_says_what_the_load_does(pairing: Pairing) -> None:
    fill(pairing)
    found = plan(pairing.session())
    assert found == Plan(
        "main",
        link=2,
        create_in_crm=1,
        create_in_wix=1,
        update=1,
        conflicts=1,
        held=3,
        wix_calls=found.wix_calls,
        seconds=found.seconds,
    )
    assert pairing.writes == []
    load(pairing.session(), "crm")
    status = owner.status(pairing.database, "main", pairing.clock())
    assert (status.state, status.linked, status.held) == ("running", 4, 3)
    assert (status.done, status.total) == (7, 7)
    assert (len(pairing.wix.rows), len(pairing.crm.rows)) == (5, 6)
    names = {row.values.get("first") for row in pairing.wix.rows.values()}
    assert {"Crm", "Only CRM"} <= names
    (conflict,) = pairing.conflicts()
    assert (conflict.lost_side, conflict.lost_value) == ("wix", "Wix")
    pairing.forget_calls()
    pairing.sync()
    assert pairing.writes == []


def test_a_load_needs_a_fresh_plan(pairing: Pairing) -> None:
    with pytest.raises(PlanNeededError):
        load(pairing.session())
    plan(pairing.session())
    pairing.clock.turn(hours=25)
    with pytest.raises(PlanNeededError):
        load(pairing.session())


def test_a_load_that_ends_early_goes_on_where_it_was(pairing: Pairing) -> None:
    fill(pairing)
    plan(pairing.session())
    writes = iter(range(100))

    def hook(name: str) -> None:
        if name == "c.create" or (name.endswith("update") and next(writes) == 1):
            pairing.wix.hook = pairing.crm.hook = lambda _name: None
            raise UnavailableError("away")

    pairing.wix.hook = pairing.crm.hook = hook
    with pytest.raises(UnavailableError):
        load(pairing.session(), "crm")
    assert owner.status(pairing.database, "main", pairing.clock()).state == "loading"
    pairing.clock.turn(600)
    load(pairing.session(), "wix")
    status = owner.status(pairing.database, "main", pairing.clock())
    assert (status.state, status.linked) == ("running", 4)
    names = {row.values.get("first") for row in pairing.wix.rows.values()}
    assert "Crm" in names, "the system of record is that of the beginning"


def test_copying_brings_each_contact_once_and_writes_nothing_at_wix(sqlite: Database) -> None:
    pairing = Pairing(sqlite, mode="copy")
    pairing.wix.capabilities = Capabilities(preconditions=True, index_lag=timedelta(seconds=30))
    for number in range(7):
        pairing.wix.put(first=f"P{number}", email=f"p{number}@example.com", labels=["Lead"])
    known = pairing.crm.put(given="Known", email="p3@example.com")
    pairing.clock.turn(60)
    load(pairing.session())
    assert len(pairing.crm.rows) == 7
    assert pairing.crm.rows[known].values["given"] == "Known"
    for number in range(7, 9):
        pairing.wix.put(first=f"P{number}", email=f"p{number}@example.com")
        pairing.clock.turn(16 * 60)
        while pass_once(pairing.session()):
            pass
    assert len(pairing.crm.rows) == 9
    assert {"create", "update", "get"} & set(pairing.wix.calls) == set()
    assert all(row.labels == {"Lead"} for row in [*pairing.crm.rows.values()][1:7])


def test_a_copy_whose_process_ended_before_the_link_was_finished_writes_nothing_at_wix(
    sqlite: Database,
) -> None:
    pairing = Pairing(sqlite, mode="copy")
    pairing.wix.put(first="Ada", email="ada@example.com")
    pairing.clock.turn(60)
    load(pairing.session())
    with sqlite.write() as connection:
        due = update(crm_links).values(due_at=pairing.clock())
        assert connection.execute(due).rowcount == 1
    while pass_once(pairing.session()):
        pass
    assert {"create", "update"} & set(pairing.wix.calls) == set()
    with sqlite.read() as connection:
        assert connection.execute(select(crm_links.c.due_at)).scalar() is None


def test_a_side_that_fails_has_the_book_wait_and_refused_credentials_pause_it(
    pairing: Pairing,
) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com")
    pairing.sync()
    pairing.wix.edit(wix_id, first="Ada B.")

    def fail(error: Exception) -> None:
        def hook(name: str) -> None:
            if name == "c.changes":
                raise error

        pairing.crm.hook = hook

    fail(UnavailableError("the CRM is away"))
    assert pairing.sync() == 1
    status = owner.status(pairing.database, "main", pairing.clock())
    assert (status.state, status.reason) == ("running", "the CRM is away")
    assert not pass_once(pairing.session())
    fail(UnauthorizedError("the CRM refuses the password"))
    pairing.sync()
    status = owner.status(pairing.database, "main", pairing.clock())
    assert (status.state, status.reason) == ("paused", "the CRM refuses the password")
    pairing.crm.hook = lambda _name: None
    owner.resume(pairing.database, "main", pairing.clock())
    assert pairing.sync() == 0
    assert pairing.crm.rows[crm_id].values["given"] == "Ada B."


@pytest.mark.parametrize(
    "error", [RefusedError("a rule of the CRM"), AlreadyExistsError("somebody has it")]
)
def test_a_refused_write_holds_its_link_alone(pairing: Pairing, error: Exception) -> None:
    for name in ("ada", "bob"):
        pairing.wix.put(first=name, email=f"{name}@example.com")
    pairing.start()
    for wix_id in pairing.wix.rows:
        pairing.wix.edit(wix_id, first="Changed")
    refused = iter([error])

    def hook(name: str) -> None:
        if name == "c.update" and (raised := next(refused, None)):
            raise raised

    pairing.crm.hook = hook
    assert pairing.sync() == 0
    status = owner.status(pairing.database, "main", pairing.clock())
    assert (status.linked, status.held, status.state) == (1, 1, "running")
    assert pairing.sync() == 0
    assert {row.values["given"] for row in pairing.crm.rows.values()} == {"Changed"}
