"""The proof's short form; the long one is `python -m tests.proofs.faults`."""

from pathlib import Path

from tests.proofs.faults.plan import Round
from tests.proofs.faults.round import run_round
from tests.proofs.faults.stage import Weather

KILLS = 30
# The query lags by nearly the grace period, and Wix's own check is blind for a while, too.
WEATHER = Weather(
    rate=0.25,
    edits=0.3,
    sandbox={"query_delay": 50, "duplicate_blind_window": 20, "random_key_suffixes": True},
)


def test_kills_and_cuts_lose_nothing_double_nobody_and_overwrite_nothing(
    database_url: str, tmp_path: Path
) -> None:
    database = database_url.partition(":")[0].partition("+")[0]
    plan = Round(0, f"ci:{database}", database, KILLS, WEATHER)
    result = run_round(plan, tmp_path, database_url)
    assert [str(violation) for violation in result.violations] == []
    assert sum(result.kills.values()) >= KILLS
    # Else nothing was tried.
    assert result.counts["receipts"] > KILLS
    assert result.counts["edits by others"] > 5
    assert sum(result.faults.values()) > 20
