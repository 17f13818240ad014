"""The scenes, each on one database; the long form plays all of them on both."""

from pathlib import Path

import pytest

from tests.proofs.faults.moments import DAY, one_nonce, wrong_clock
from tests.proofs.faults.outages import full_by_limit, locked, restarted
from tests.proofs.faults.result import Result
from tests.proofs.faults.scenes import disk_full
from tests.proofs.faults.setting import Place
from tests.proofs.faults.storm import storm
from tests.support.postgres import PostgresServer, postgres_server


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place(tmp_path, f"sqlite:///{tmp_path / 'formapp.db'}", "ci")


def violations(result: Result) -> list[str]:
    return [str(violation) for violation in result.violations]


def test_a_storm_of_429_fails_nothing_and_the_budget_is_kept_and_used(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with postgres.database() as url:
        result = storm(Place(tmp_path, url, "ci"))
    assert violations(result) == []
    assert result.counts["answered 429"] > 0


def test_postgresql_may_restart_and_crash_under_load(tmp_path: Path) -> None:
    with postgres_server() as server, server.database() as url:
        result = restarted(Place(tmp_path, url, "ci"), server)
    assert violations(result) == []


def test_one_nonce_posted_a_hundred_times_at_once_is_one_submission(
    database_url: str, tmp_path: Path
) -> None:
    assert violations(one_nonce(Place(tmp_path, database_url, "ci"))) == []


def test_a_sqlite_that_is_locked_refuses_and_recovers(sqlite_place: Place) -> None:
    assert violations(locked(sqlite_place)) == []


def test_a_full_disk_refuses_and_recovers(sqlite_place: Place) -> None:
    # To mount a small file system takes root; else files may not grow.
    assert violations(disk_full(sqlite_place) or full_by_limit(sqlite_place)) == []


def test_clocks_that_were_a_day_ahead_are_overcome(sqlite_place: Place) -> None:
    assert violations(wrong_clock(sqlite_place, DAY)) == []
