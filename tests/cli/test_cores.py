"""Several web servers stay on a core each; one alone is the system's to move."""

import os
import sys
from pathlib import Path

import pytest

from formapp.cli.cores import spread, stay_on
from tests.support.processes import SITE
from tests.support.several import SeveralServers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a program choose")

SETTINGS = {"WIX_API_KEY": "IST.x", "WIX_SITE_ID": SITE}


@pytest.mark.parametrize(
    ("usable", "processes", "begun", "expected"),
    [
        ({0, 1}, 2, 7, [1, 0]),
        ({0, 1}, 3, 7, [None] * 3),
        (set(range(8)), 2, 9, [1, 5]),
        (set(range(8)), 3, 6, [6, 0, 2]),
        ({3, 11, 12, 20}, 4, 4, [3, 11, 12, 20]),
        ({5}, 1, 4, [5]),
    ],
)
def test_each_process_gets_a_core_that_may_be_used_as_far_from_the_others_as_can_be(
    monkeypatch: pytest.MonkeyPatch,
    usable: set[int],
    processes: int,
    begun: int,
    expected: list[int | None],
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: usable)
    monkeypatch.setattr(os, "getpid", lambda: begun)
    assert spread(processes) == expected


def test_a_core_that_is_forbidden_or_gone_changes_nothing() -> None:
    before = os.sched_getaffinity(0)
    stay_on(4095)
    stay_on(None)
    assert os.sched_getaffinity(0) == before


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--any-core",)])
def test_several_servers_stay_on_different_cores_and_their_worker_on_any(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    usable = os.sched_getaffinity(0)
    are_bound = not options and len(usable) > 1
    servers = SeveralServers(tmp_path, "--processes", "2", *options, **SETTINGS)
    try:
        pids = [servers.pid(name) for name in ("web server 1", "web server 2", "worker")]
        first, second, worker = map(os.sched_getaffinity, pids)
        assert len(first) == len(second) == (1 if are_bound else len(usable))
        assert len(first & second) == (0 if are_bound else len(usable))
        assert worker == usable
    finally:
        assert servers.close() == 0
