"""Each web server stays on one core, and as many as there are on different ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import Commands, free_port, wait_for
from tests.support.several import SeveralServers

USABLE = os.sched_getaffinity(0)
ASK = """
import os
from formapp.cli.cores import stay_on, usable_cores
os.sched_setaffinity(0, {usable})
first = usable_cores()
stay_on(first[-1])
stay_on(None)
print(first, os.sched_getaffinity(0))
"""


def cores_of(pid: int) -> set[frozenset[int]]:
    """On which cores each thread of a process may run."""
    tasks = (Path(f"/proc/{pid}/task")).iterdir()
    return {frozenset(os.sched_getaffinity(int(task.name))) for task in tasks}


@pytest.mark.parametrize("usable", [{max(USABLE)}, USABLE])
def test_only_cores_that_the_process_may_use_are_chosen(usable: set[int]) -> None:
    run = [sys.executable, "-c", ASK.format(usable=usable)]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    listed, _, after = said.strip().partition("] ")
    found = [int(core) for core in listed.strip("[").split(",")]
    assert set(found) == usable
    assert len(found) == len(usable)
    assert after == str({found[-1]})


@pytest.mark.slow
@pytest.mark.parametrize(("options", "number"), [((), 1), (("--any-core",), len(USABLE))])
def test_a_server_with_its_worker_stays_on_one_core(
    commands: Commands, options: tuple[str, ...], number: int
) -> None:
    port = free_port()
    settings = {"SECRET_KEY": "a key that is long enough", "WIX_API_KEY": "IST.x"}
    settings |= {"WIX_SITE_ID": "00000000-0000-4000-8000-000000000001"}
    process = commands.start("serve", "--port", str(port), *options, **settings)
    wait_for(f"http://127.0.0.1:{port}/readyz")
    threads = cores_of(process.pid)
    assert len(threads) == 1
    assert {len(cores) for cores in threads} == {number}


@pytest.mark.slow
def test_several_servers_stay_on_different_cores_and_their_worker_on_any(tmp_path: Path) -> None:
    settings = {"WIX_API_KEY": "IST.x", "WIX_SITE_ID": "00000000-0000-4000-8000-000000000001"}
    servers = SeveralServers(tmp_path, "--processes", "2", **settings)
    try:
        pids = [servers.pid(name) for name in ("web server 1", "web server 2", "worker")]
        first, second, worker = map(os.sched_getaffinity, pids)
        assert len(first) == len(second) == 1
        assert len(first | second) == min(2, len(USABLE))
        assert worker == USABLE
    finally:
        assert servers.close() == 0
