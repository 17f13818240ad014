"""A short `python -m tests.proofs.notifications`."""

from tests.proofs.notifications.run import Plan, run
from tests.proofs.notifications.victim import RANDOM, STEPS

KILLS = 12


def test_killed_workers_lose_no_notification_and_double_one_each_at_most(
    database_url: str,
) -> None:
    result = run(database_url, Plan(KILLS, leads=40, seed=3))
    assert result.violations == []
    assert result.leads == 40
    assert result.kills.total() == KILLS
    # Else nothing was tried.
    assert "sent, not recorded" in result.kills
    assert result.kills.keys() <= {RANDOM, *STEPS}
    assert result.doubled("mail") + result.doubled("webhook") > 0
