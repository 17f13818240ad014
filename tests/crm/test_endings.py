"""Links that end: merges on either side, erasures, unlinking; and webhooks that say so."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select, text, update

from formapp.crm import conflicts, owner
from formapp.crm.decide import Overruled
from formapp.crm.ending import start_erasing
from formapp.crm.events import Event, store_event, wix_source
from formapp.crm.store import LEASE, claim_due, write_link
from formapp.crm.sync import pass_once, sync_once
from formapp.db.database import Database
from formapp.db.tables import crm_events, crm_links, crm_tombstones
from tests.crm.pairing import Pairing
from tests.support.processes import eventually


@pytest.fixture
def pairing(sqlite: Database) -> Pairing:
    return Pairing(sqlite)


def two_links(pairing: Pairing) -> list[tuple[str, str]]:
    """Two contacts and their twins."""
    for name in ("ada", "bob"):
        pairing.wix.put(first=name, email=f"{name}@example.com")
    pairing.start()
    return [(row.key or "", each) for each, row in pairing.crm.rows.items()]


def tell(pairing: Pairing, kind: str, entity: str, event_id: str = "e1") -> None:
    """A webhook of Wix's arrives."""
    event = Event(wix_source("main"), event_id, kind, entity, pairing.clock())  # type: ignore[arg-type] # one of them
    with pairing.database.write() as connection:
        store_event(connection, event)


def states(pairing: Pairing) -> list[str]:
    with pairing.database.read() as connection:
        return [*connection.scalars(select(crm_links.c.state).order_by(crm_links.c.id))]


@pytest.mark.parametrize("merges", ["mark", "merge"])
def test_a_merge_at_wix_ends_one_link_and_its_twin_by_policy(sqlite: Database, merges: str) -> None:
    pairing = Pairing(sqlite, merges=merges)
    (ada, ada_twin), (bob, bob_twin) = two_links(pairing)
    pairing.wix.combine(ada, bob)
    pairing.sync()
    assert states(pairing) == ["linked", "merged_into"]
    if merges == "merge":
        assert pairing.crm.merged == {bob_twin: ada_twin}
    else:
        assert pairing.crm.rows[bob_twin].labels == {"Merged in Wix"}
    pairing.sync()
    pairing.forget_calls()
    pairing.sync()
    assert pairing.writes == []
    assert pairing.conflicts() == []


@pytest.mark.parametrize("merges", ["mark", "merge"])
def test_a_merge_in_the_crm_merges_at_wix_only_where_the_owner_allows_it(
    sqlite: Database, merges: str
) -> None:
    pairing = Pairing(sqlite, merges=merges)
    (ada, ada_twin), (bob, bob_twin) = two_links(pairing)
    pairing.crm.combine(ada_twin, bob_twin)
    pairing.sync()
    assert pairing.wix.merged == ({bob: ada} if merges == "merge" else {})
    assert merges == "merge" or pairing.wix.rows[bob].labels == {"Merged in CRM"}


def test_a_survivor_without_a_link_takes_the_merged_contacts_twin_over(pairing: Pairing) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com")
    survivor = pairing.wix.put(first="Ada B.", email="other@example.com")
    pairing.wix.combine(survivor, wix_id)
    pairing.sync()
    pairing.sync()
    assert pairing.crm.rows[crm_id].values["given"] == "Ada B."
    assert [*pairing.crm.rows] == [crm_id]


@pytest.mark.parametrize("erasures", ["mark", "delete"])
def test_an_erasure_at_wix_reaches_the_twin_and_is_never_undone(
    sqlite: Database, erasures: str
) -> None:
    pairing = Pairing(sqlite, erasures=erasures)
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com")
    pairing.wix.edit(wix_id, first="Ada W.")
    pairing.crm.edit(crm_id, given="Ada C.")
    pairing.sync()
    assert pairing.conflicts()
    pairing.wix.remove(wix_id)
    tell(pairing, "erased", wix_id)
    pairing.sync()
    assert pairing.conflicts() == []
    assert states(pairing) == ["erased"]
    if erasures == "delete":
        assert pairing.crm.rows == {}
    else:
        assert pairing.crm.rows[crm_id].labels == {"Erase this contact"}
    pairing.crm.put(given="Ada", email="ADA@example.com")
    pairing.sync()
    assert pairing.wix.rows == {}
    with sqlite.read() as connection:
        (link,) = connection.execute(select(crm_links).where(crm_links.c.wix_id == wix_id))
        assert link.wix_base is link.crm_base is None
        assert "ada" not in str(connection.execute(select(crm_tombstones)).all())


def test_an_unlinked_pair_stays_apart(pairing: Pairing) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com")
    assert owner.unlink(pairing.database, "main", wix_id)
    assert not owner.unlink(pairing.database, "main", wix_id)
    pairing.wix.edit(wix_id, first="Ada W.")
    pairing.crm.edit(crm_id, given="Ada C.")
    pairing.sync()
    assert pairing.crm.rows[crm_id].values["given"] == "Ada C."
    assert (len(pairing.wix.rows), len(pairing.crm.rows)) == (1, 1)


def test_a_webhook_brings_a_change_at_once_and_twice_does_no_harm(pairing: Pairing) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com")
    while pass_once(pairing.session()):
        pass
    pairing.wix.edit(wix_id, first="Ada B.")
    assert not pass_once(pairing.session()), "nothing is due before the next look"
    for event_id in ("e1", "e1", "e2"):
        tell(pairing, "updated", wix_id, event_id)
    while pass_once(pairing.session()):
        pass
    assert pairing.crm.rows[crm_id].values["given"] == "Ada B."


def test_ambiguous_records_are_held_and_released_once_they_are_clear(pairing: Pairing) -> None:
    pairing.start()
    first = pairing.crm.put(given="Ada", email="ada@example.com")
    second = pairing.crm.put(given="Ada 2", email="ada@example.com")
    pairing.wix.put(first="Ada", email="ada@example.com")
    pairing.sync()
    assert len(pairing.wix.rows) == 1
    assert owner.status(pairing.database, "main", pairing.clock()).held >= 1
    assert [pairing.crm.rows[each].key for each in (first, second)] == [None, None]
    pairing.crm.remove(second)
    pairing.sync()
    pairing.sync()
    found = owner.status(pairing.database, "main", pairing.clock())
    assert (found.linked, found.held) == (1, 0)


def test_a_merge_whose_source_has_lost_its_twin_leaves_the_survivor_alone(
    sqlite: Database,
) -> None:
    pairing = Pairing(sqlite, deletes="delete")
    (ada, ada_twin), (bob, bob_twin) = two_links(pairing)
    # Equal contacts: nothing tells the survivor from the one that was deleted.
    pairing.wix.rows[ada].values = dict(pairing.wix.rows[bob].values)
    pairing.wix.combine(ada, bob)
    pairing.crm.remove(bob_twin)
    pairing.sync()
    assert [*pairing.wix.rows] == [ada]
    assert [*pairing.crm.rows] == [ada_twin]
    assert states(pairing) == ["linked", "merged_into"]


@pytest.mark.parametrize("had_twin", [True, False])
def test_a_survivor_that_got_the_merged_contacts_key_is_linked_all_the_same(
    pairing: Pairing, *, had_twin: bool
) -> None:
    (ada, ada_twin), (bob, bob_twin) = two_links(pairing)
    if not had_twin:
        ada = pairing.wix.put(first="Eva", email="eva@example.com")
    pairing.wix.combine(ada, bob)
    # As Wix does where the survivor has no key of its own yet.
    pairing.wix.rows[ada].key = bob_twin
    pairing.crm.remove(bob_twin)
    pairing.sync()
    pairing.sync()
    assert "held" not in states(pairing)
    pairing.wix.edit(ada, first="Eva B.")
    pairing.sync()
    names = {row.values["given"] for row in pairing.crm.rows.values()}
    assert "Eva B." in names
    assert (ada_twin in pairing.crm.rows) or not had_twin
    assert pairing.wix.rows[ada].key == bob_twin


class _KilledError(BaseException):
    """The process ends here."""


def test_a_merge_waits_for_a_survivor_whose_twin_was_being_created(pairing: Pairing) -> None:
    bob, bob_twin = pairing.linked(first="Bob", email="bob@example.com")
    ada = pairing.wix.put(first="Ada", email="ada@example.com")

    def kill(name: str) -> None:
        if name == "c.create":
            raise _KilledError

    pairing.crm.hook = kill
    with pytest.raises(_KilledError):
        pairing.sync()
    pairing.crm.hook = lambda _name: None
    pairing.wix.edit(ada, email="bob@example.com")
    pairing.wix.combine(ada, bob)
    # The lease of the killed process is over, its grace isn't.
    pairing.clock.turn(seconds=LEASE.total_seconds() + 5)
    sync_once(pairing.session())
    pairing.sync()
    pairing.sync()
    assert sorted(states(pairing)) == ["linked", "merged_into"]
    assert "Merged in Wix" in pairing.crm.rows[bob_twin].labels
    assert len(pairing.crm.rows) == 2


@pytest.mark.parametrize("how", ["erased at Wix", "unlinked"])
def test_fields_that_wait_while_a_link_is_held_go_with_it(pairing: Pairing, how: str) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com")
    with pairing.database.write() as connection:
        connection.execute(update(crm_links).values(state="held", reason="refused"))
        for entity in (crm_id, "another"):
            content = {"given": "Ada B.", "email": "ada@example.com"}
            post = Event("crm:main", f"post of {entity}", "updated", entity, pairing.clock())
            store_event(connection, replace(post, content=content))
        if how == "erased at Wix":
            start_erasing(connection, "main", wix_id, pairing.clock())
    if how == "unlinked":
        assert owner.unlink(pairing.database, "main", wix_id)
    with pairing.database.read() as connection:
        kept = connection.execute(select(crm_events.c.entity, crm_events.c.content)).all()
    assert {row.entity: bool(row.content) for row in kept} == {crm_id: False, "another": True}


def _erase(pairing: Pairing, wix_id: str) -> None:
    with pairing.database.write() as connection:
        start_erasing(connection, "main", wix_id, pairing.clock())


def _unlink(pairing: Pairing, wix_id: str) -> None:
    owner.unlink(pairing.database, "main", wix_id)


@pytest.mark.parametrize("end", [_erase, _unlink])
def test_what_a_worker_stores_at_that_moment_is_erased_too(
    postgresql: Database, end: Callable[[Pairing, str], None]
) -> None:
    pairing = Pairing(postgresql)
    wix_id, _ = pairing.linked(first="Ada", email="ada@example.com")
    with postgresql.write() as connection:
        connection.execute(update(crm_links).values(due_at=pairing.clock()))
    link = claim_due(postgresql, "main", pairing.clock())
    assert link
    lost = Overruled("first", "crm", "Ada C.", "Ada W.")
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    with ThreadPoolExecutor(1) as pool:
        with postgresql.write() as connection:
            conflicts.add_conflicts(connection, link, [lost], [], pairing.clock())
            write_link(connection, link, reason=None)
            ended = pool.submit(end, pairing, wix_id)
            with postgresql.engine.connect() as other:
                eventually(lambda: bool(other.scalar(waits)))
        ended.result(30)
    assert pairing.conflicts() == []
