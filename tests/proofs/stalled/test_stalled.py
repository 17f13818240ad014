"""A short `python -m tests.proofs.stalled`."""

from pathlib import Path

import pytest

from tests.proofs.stalled.run import run


@pytest.mark.slow
def test_a_visitor_gets_pages_among_connections_that_stall(tmp_path: Path) -> None:
    result = run(tmp_path, connections=400, seconds=5)
    assert result.failures == 0
    assert len(result.waits) > 20
    # The machine of a test run may be busy; the long form holds 99 of 100 to 0.2 s.
    assert result.percentile(0.9) < 0.5
