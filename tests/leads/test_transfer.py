"""Copying everything from one database to another: whole, or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select, text

from formapp.crm.events import Event, store_event
from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.tables import deliveries, metadata, state_counts, submissions
from formapp.delivery.claims import Intent, intend
from formapp.delivery.find import KeyCache
from formapp.delivery.sites import Budget, Pauses
from formapp.files import records
from formapp.jobs.queue import Job
from formapp.leads import transfer
from formapp.leads.accept import Status, keep
from formapp.leads.audit import record_export
from formapp.leads.erase import erase_person
from formapp.leads.held import accept_held
from formapp.leads.search_index import index_all
from formapp.leads.transfer import Copied, CopyError, copy_all
from formapp.monitoring.refused_origins import RefusedOrigins
from formapp.signing import Keyring
from formapp.web.rate_limit import MemoryCounts
from tests.db.test_state_counts import counted
from tests.support.claiming import claim_next
from tests.support.clock import NOON
from tests.support.files import file_record
from tests.support.leads import EMAIL, PHONE, SITE, lead, phone, submission
from tests.support.ledger import days_later, delivered, everything, failed, kept, rows
from tests.support.postgres import PostgresServer
from tests.support.schema import give_schema

KEYRING = Keyring(["the secret key of today"])
LATER = days_later(NOON, 1)
TABLES = [table.name for table in metadata.sorted_tables if table is not state_counts]
"""The target's own triggers fill that one."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture(params=["sqlite to postgresql", "postgresql to sqlite", "sqlite to sqlite"])
def pair(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[Database, Database]]:
    """A database with the schema, and an address where nothing is yet."""
    kinds = request.param.split(" to ")
    with ExitStack() as stack:
        opened = []
        for number, kind in enumerate(kinds):
            url = f"sqlite:///{folder}/{number}.db"
            if kind == "postgresql":
                server: PostgresServer = request.getfixturevalue("postgres")
                url = stack.enter_context(server.database())
            opened.append(stack.enter_context(closing(Database(url))))
        give_schema(opened[0])
        yield opened[0], opened[1]


def _copy(source: Database, target: Database, keyring: Keyring | None = None) -> Copied:
    return copy_all(source, target, keyring=keyring, now=LATER, progress=lambda *_: None)


def _fill(database: Database) -> None:
    """Something in every table, of every state."""
    delivered(database, submission(lead(phones=(phone(),)), key="token:1", address="203.0.113.7"))
    failed(database, submission(lead("b@example.com", first_name="Ünï “q” \U0001f600")))
    kept(database, submission(lead("c@example.com"), status=Status.SPAM, keep_days=3))
    index_all(database)
    kept(database, submission(lead("d@example.com"), meta={"utm": {"x": [1, 2.5, None, True]}}))
    kept(database, submission(lead("f@example.com"), jobs=(Job("mail", {"a": 1}),)))
    claim = claim_next(database, [SITE], LATER)
    assert claim
    intend(database, claim, Intent("update", LATER, "some-contact", 7))
    KeyCache(database).remember_key(SITE, "label", "Big", "custom.big")
    Pauses(database).pause(SITE, LATER + timedelta(minutes=1), "429")
    Budget(database, 5).take(SITE, LATER)
    values = {"kind": "lane", "site": SITE, "opened_at": LATER}
    RefusedOrigins(database, MemoryCounts()).note("contact", "https://shop.example.com")
    with database.write() as connection:
        records.stage(connection, [file_record(now=LATER)], LATER)
        connection.execute(insert(metadata.tables["incidents"]), values)
        counted = {"hash": "0f", "count": 3, "expires_at": LATER}
        connection.execute(insert(metadata.tables["counts"]), counted)
        _fill_overview(connection)
        user = {"name": "ana", "role": "reader", "sites": ["main"], "created_at": LATER}
        connection.execute(insert(metadata.tables["users"]), user)
        _fill_crm(connection)
    record_export(database, "ana", LATER)


def _fill_overview(connection: Connection) -> None:
    submission_id = connection.execute(select(submissions.c.id).limit(1)).scalar_one()
    sent = {"submission_id": submission_id, "at": LATER, "channel": "mail", "result": "sent"}
    filled: dict[str, dict[str, object]] = {
        "notified": sent | {"to": "owner@example.com", "tries": 2},
        "lead_totals": {"id": 1, "counted_at": LATER, "content": "{}"},
        "form_visits": {"form": "contact", "day": LATER.date(), "shown": 3},
        "wix_definitions": {"site": SITE, "read_at": LATER, "labels": ["Big"]},
    }
    for table, values in filled.items():
        connection.execute(insert(metadata.tables[table]), values)


def _fill_crm(connection: Connection) -> None:
    filled: dict[str, dict[str, object]] = {
        "crm_books": {"book": "main", "state": "running", "due_at": LATER},
        "crm_links": {"book": "main", "wix_id": "w", "state": "linked", "wix_base": {"a": "0f"}},
        "crm_cursors": {"book": "main", "side": "wix", "kind": "changes", "position": "1"},
        "crm_tombstones": {"book": "main", "digest": "0f", "at": LATER},
    }
    for table, values in filled.items():
        connection.execute(insert(metadata.tables[table]), values)
    link = connection.execute(select(metadata.tables["crm_links"].c.id)).scalar_one()
    lost = {"link_id": link, "field": "company", "side": "crm", "value": "Acme", "at": LATER}
    lost |= {"resolved": True, "persons": ["0f"]}
    connection.execute(insert(metadata.tables["crm_conflicts"]), lost)
    store_event(connection, Event("wix:main", "e1", "updated", "w", LATER))


def _contents(database: Database) -> dict[str, list[dict[str, object]]]:
    return {table: rows(database, table) for table in TABLES}


def test_every_row_of_every_table_arrives_as_it_was(pair: tuple[Database, Database]) -> None:
    source, target = pair
    _fill(source)
    erase_person(source, {"e@example.com"}, keyring=KEYRING, now=NOON)
    before = _contents(source)
    assert all(before.values()), "a table is empty: fill it"
    copied = _copy(source, target, KEYRING)
    assert _contents(target) == before
    assert _contents(source) == before
    with source.read() as connection, target.read() as arrived:
        assert counted(arrived) == counted(connection) != {}
    assert copied.rows == {name: len(before[name]) for name in TABLES if name != "erasures"}
    assert copied.erased == 0


def test_the_numbers_of_deliveries_go_on_where_they_were(pair: tuple[Database, Database]) -> None:
    source, target = pair
    _fill(source)
    _copy(source, target)
    last = max(row["id"] for row in rows(source, "deliveries"))
    keep(target, submission(lead("new@example.com"), LATER))
    assert max(row["id"] for row in rows(target, "deliveries")) == last + 1
    claim = claim_next(target, [SITE], days_later(LATER, 1))
    assert claim


def test_empty_tables_copy_too(pair: tuple[Database, Database]) -> None:
    source, target = pair
    assert sum(_copy(source, target).rows.values()) == 0
    assert delivered(target, submission(lead()))


def test_more_than_a_batch_arrives_and_is_told(
    pair: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = pair
    monkeypatch.setattr(transfer, "BATCH", 3)
    for number in range(8):
        kept(source, submission(lead(f"v{number}@example.com")))
    told = []
    copy_all(
        source,
        target,
        keyring=None,
        now=LATER,
        progress=lambda *step: told.append(step),
    )
    assert [step for step in told if step[0] == "submissions"] == [
        ("submissions", 3, 8),
        ("submissions", 6, 8),
        ("submissions", 8, 8),
    ]
    assert _contents(target) == _contents(source)


class _PowerCut(BaseException):
    pass


def test_an_interrupted_copy_leaves_the_target_empty(pair: tuple[Database, Database]) -> None:
    source, target = pair
    _fill(source)

    def cut(table: str, _done: int, _total: int) -> None:
        if table == "deliveries":
            raise _PowerCut

    with pytest.raises(_PowerCut):
        copy_all(source, target, keyring=None, now=LATER, progress=cut)
    assert not any(_contents(target).values())
    _copy(source, target)
    assert _contents(target) == _contents(source)


def test_a_target_that_holds_anything_is_refused(pair: tuple[Database, Database]) -> None:
    source, target = pair
    _fill(source)
    give_schema(target)
    KeyCache(target).remember_key(SITE, "label", "Big", "custom.big")
    with pytest.raises(CopyError, match=r"not empty \(it has wix_keys\)"):
        _copy(source, target)
    assert rows(target, "submissions") == []


def test_a_database_isnt_copied_onto_itself(sqlite: Database) -> None:
    _fill(sqlite)
    before = _contents(sqlite)
    again = Database(str(sqlite.url))
    with closing(again), pytest.raises(CopyError, match="not empty"):
        _copy(sqlite, again)
    assert _contents(sqlite) == before


def test_an_older_schema_is_brought_up_by_its_owner_first(
    pair: tuple[Database, Database],
) -> None:
    source, target = pair
    with source.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    with pytest.raises(CopyError, match="formapp db upgrade"):
        _copy(source, target)


def test_rows_that_came_meanwhile_stop_the_copy(pair: tuple[Database, Database]) -> None:
    source, target = pair
    _fill(source)
    still_at_work = Database(source.url.render_as_string(hide_password=False))

    def one_more(table: str, _done: int, _total: int) -> None:
        if table == "submissions":
            with closing(still_at_work):
                keep(still_at_work, submission(lead()))

    with pytest.raises(CopyError, match="stop formapp first"):
        copy_all(source, target, keyring=None, now=LATER, progress=one_more)
    assert not any(_contents(target).values())


def test_what_was_let_through_meanwhile_stops_the_copy_too(
    pair: tuple[Database, Database],
) -> None:
    """Its delivery would be in the source alone."""
    source, target = pair
    submission_id = kept(source, submission(lead(), status=Status.QUARANTINED))
    still_at_work = Database(source.url.render_as_string(hide_password=False))

    def let_through(table: str, _done: int, _total: int) -> None:
        if table == "submissions":
            with closing(still_at_work), still_at_work.write() as connection:
                assert accept_held(connection, submission_id, {Status.QUARANTINED}, LATER)

    with pytest.raises(CopyError, match="stop formapp first"):
        copy_all(source, target, keyring=None, now=LATER, progress=let_through)
    assert not any(_contents(target).values())


def test_what_the_target_can_not_hold_is_told_without_an_answer(
    folder: Path, postgres: PostgresServer
) -> None:
    source = Database(f"sqlite:///{folder}/0.db")
    give_schema(source)
    submission_id = kept(source, submission(lead()))
    too_long = "visitor " * 20
    with source.write() as connection:
        connection.execute(submissions.update().values(address=too_long))
    with postgres.database() as url:
        target = Database(url)
        with pytest.raises(DatabaseUnavailableError) as caught:
            _copy(source, target)
        assert "visitor" not in str(caught.value)
        assert submission_id not in str(caught.value)
        assert rows(target, "submissions") == []
        target.close()
    source.close()


def test_who_was_erased_at_the_target_doesnt_come_back_from_an_older_copy(
    pair: tuple[Database, Database],
) -> None:
    source, target = pair
    delivered(source, submission(lead(phones=(phone(),), first_name="Ines")))
    mention = kept(source, submission(lead("b@example.com"), answers={"message": f"see {EMAIL}"}))
    give_schema(target)
    erase_person(target, {EMAIL, PHONE}, keyring=KEYRING, now=LATER)
    copied = _copy(source, target, KEYRING)
    assert copied.erased == 1
    held = everything(target)
    for trace in (EMAIL, PHONE, "Ines"):
        assert trace not in held
    with target.read() as connection:
        found = connection.execute(select(submissions.c.answers).filter_by(id=mention))
        assert found.scalar_one() == {"message": "see [erased]"}
    assert len(rows(target, "deliveries")) == 2
    assert len(rows(target, "erasures")) == 2


def test_erasures_without_the_secret_key_stop_the_copy(pair: tuple[Database, Database]) -> None:
    source, target = pair
    erase_person(source, {EMAIL}, keyring=KEYRING, now=LATER)
    with pytest.raises(CopyError, match="FORMAPP_SECRET_KEY"):
        _copy(source, target)
    assert not any(_contents(target).values())


def test_two_copies_at_once_never_mix(folder: Path, postgres: PostgresServer) -> None:
    """The second one waits for the first and finds the target full."""
    source = Database(f"sqlite:///{folder}/0.db")
    give_schema(source)
    _fill(source)
    with postgres.database() as url:
        first, second = Database(url), Database(url)
        impatient = Database(f"{url}?options=-c%20lock_timeout%3D200")
        give_schema(first)

        def meanwhile(table: str, _done: int, _total: int) -> None:
            if table == "submissions":
                with pytest.raises(DatabaseUnavailableError, match="lock timeout"):
                    _copy(source, impatient)

        copy_all(source, first, keyring=None, now=LATER, progress=meanwhile)
        with pytest.raises(CopyError, match="not empty"):
            _copy(source, second)
        assert len(rows(first, deliveries.name)) == len(rows(source, deliveries.name))
        for database in (first, second, impatient):
            database.close()
    source.close()
