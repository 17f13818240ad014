"""Migrations: they make what the schema says, on both databases, once, whoever calls them."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, inspect, text

from formapp.db import migrations
from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.revision import is_current, is_empty
from formapp.db.tables import REVISION, metadata
from formapp.db.upgrade import upgrade
from formapp.leads.accept import keep
from tests.support.leads import lead, submission

ROOT = Path(__file__).parent.parent.parent
UPGRADE = """
import sys
from formapp.db.database import Database
from formapp.db.revision import is_current
from formapp.db.upgrade import upgrade
database = Database(sys.argv[1], busy_seconds=30)
upgrade(database)
assert is_current(database)
"""


def config(connection: object = None) -> Config:
    found = Config()
    found.set_main_option("script_location", str(Path(migrations.__file__).parent))
    found.attributes["connection"] = connection
    return found


@pytest.fixture
def bare(database_url: str) -> Database:
    return Database(database_url, busy_seconds=30)


def test_the_schemas_revision_is_the_folders_only_head() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [REVISION]


def test_the_migrations_make_what_the_schema_says(database: Database) -> None:
    with database.write() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_names_of_constraints_are_those_of_the_schema(database: Database) -> None:
    with database.read() as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            wanted = {each.name for each in table.constraints if each.name}
            named = {each["name"] for each in found.get_check_constraints(table.name)}
            named |= {each["name"] for each in found.get_unique_constraints(table.name)}
            named |= {each["name"] for each in found.get_foreign_keys(table.name)}
            named |= {found.get_pk_constraint(table.name)["name"]}
            assert {str(name) for name in wanted} == named - {None}


def test_an_upgrade_tells_before_and_after_and_may_run_again(bare: Database) -> None:
    assert is_empty(bare)
    assert not is_current(bare)
    assert upgrade(bare) == (None, REVISION)
    kept = keep(bare, submission(lead(), key="k"))
    assert upgrade(bare) == (REVISION, REVISION)
    assert is_current(bare)
    assert not is_empty(bare)
    assert keep(bare, submission(lead(), key="k")).id == kept.id
    bare.close()


def test_threads_may_upgrade_at_once(bare: Database) -> None:
    start = threading.Barrier(4)

    def run(_: int) -> tuple[str | None, str]:
        start.wait(20)
        return upgrade(bare)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, range(4)))
    assert sorted(results, key=str) == [(REVISION, REVISION)] * 3 + [(None, REVISION)]
    bare.close()


@pytest.mark.slow
def test_processes_may_upgrade_at_once(bare: Database) -> None:
    url = bare.url.render_as_string(hide_password=False)
    running = [subprocess.Popen([sys.executable, "-c", UPGRADE, url], cwd=ROOT) for _ in range(4)]
    assert [process.wait(60) for process in running] == [0] * 4
    assert is_current(bare)
    bare.close()


@pytest.mark.slow
def test_each_older_revision_can_be_upgraded_with_what_it_holds(bare: Database) -> None:
    scripts = list(ScriptDirectory.from_config(config()).walk_revisions())
    for script in scripts[1:]:
        with bare.write() as connection:
            held = MetaData()
            held.reflect(connection)
            held.drop_all(connection)
            command.upgrade(config(connection), script.revision)
        assert not is_current(bare)
        assert upgrade(bare) == (script.revision, REVISION)
        test_the_migrations_make_what_the_schema_says(bare)
    keep(bare, submission(lead()))
    bare.close()


def test_an_upgrade_that_fails_half_way_leaves_nothing(
    bare: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = command.upgrade

    def half(*args: object, **more: object) -> None:
        real(*args, **more)  # type: ignore[arg-type] # whatever it was given
        raise ZeroDivisionError

    monkeypatch.setattr(command, "upgrade", half)
    with pytest.raises(ZeroDivisionError):
        upgrade(bare)
    assert is_empty(bare)
    monkeypatch.undo()
    assert upgrade(bare) == (None, REVISION)
    bare.close()


@pytest.mark.parametrize("revision", ["0000", "9999"])
def test_another_schema_is_noticed(database: Database, revision: str) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": revision})
    assert not is_current(database)
    assert not is_empty(database)
    with pytest.raises(DatabaseUnavailableError, match="newer formapp"):
        upgrade(database)


def test_the_queue_and_the_pauses_keep_their_rows_when_they_are_renamed(bare: Database) -> None:
    with bare.write() as connection:
        command.upgrade(config(connection), "0006")
        for statement in (
            """INSERT INTO submissions
            (id, form, form_version, status, received_at, answers, consents, meta, lead, digest)
            VALUES ('s1', 'f', '1', 'unconfirmed', '2026-03-02', '{}', '[]', '{}', '{}', 'd')""",
            """INSERT INTO errands (submission_id, kind, content, created_at, due_at, attempts)
            VALUES ('s1', 'confirm', '{}', '2026-03-02 12:00:00', '2026-03-02 13:00:00', 2)""",
            "INSERT INTO lanes (site, reason, strikes) VALUES ('main', '401', 3)",
        ):
            connection.execute(text(statement))
    assert upgrade(bare) == ("0006", REVISION)
    with bare.write() as connection:
        job = connection.execute(text("SELECT submission_id, kind, key, attempts FROM jobs")).one()
        assert tuple(job) == ("s1", "confirm", None, 2)
        pause = connection.execute(text("SELECT site, reason, failures FROM pauses")).one()
        assert tuple(pause) == ("main", "401", 3)
    bare.close()
