"""The proof's short form; the long one is `python -m tests.proofs.books`."""

from pathlib import Path

import pytest

from tests.crm import davservers
from tests.proofs.books.run import Round, run_round


def test_both_sides_end_equal_though_processes_are_killed_and_people_edit(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    venv = davservers.environment(Path(request.config.cache.mkdir("carddav")))
    plan = Round("ci", kills=4, contacts=12, edits=25)
    with davservers.radicale(venv, tmp_path) as server:
        url = f"sqlite:///{tmp_path / 'formapp.db'}"
        result = run_round(plan, tmp_path, url, server.address_book())
    assert [str(violation) for violation in result.violations] == []
    assert sum(result.kills.values()) >= plan.kills
    assert result.counts["edits"] >= plan.edits
