"""The short form of the proof: each step once or twice."""

from pathlib import Path

from tests.proofs.files.run import STEPS, run


def test_no_kill_loses_a_file_or_leaves_one_behind(tmp_path: Path) -> None:
    result = run(f"sqlite:///{tmp_path / 'formapp.db'}", tmp_path / "files", kills=14, seed=7)
    assert result.violations == 0, str(result)
    assert result.answered
    assert result.swept
    reached = sum(result.endings[step] > 0 for step in STEPS)
    assert reached >= len(STEPS) - 2, str(result)
