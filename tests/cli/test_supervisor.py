"""The supervisor: restarts with growing pauses, ends all, and kills what doesn't end."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import eventually
from tests.support.several import is_running

_SCRIPT = """
import logging, os, signal, sys, time
from formapp.cli import supervisor

def steady():
    while True:
        time.sleep(1)

def broken():
    sys.exit(3)

def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    steady()

def without_memory():
    global failures
    failures -= 1
    if failures < 0:
        return fork()
    raise BlockingIOError(11, "Resource temporarily unavailable")

fork, failures = os.fork, {failures}
os.fork = without_memory
logging.basicConfig(level=logging.INFO, stream=sys.stdout)
supervisor.END_SECONDS = 0.3
tasks = [(each.__name__, each) for each in {tasks}]
sys.exit(0 if supervisor.Supervisor(tasks).run() else 1)
"""


def start(folder: Path, tasks: str, *, failures: int = 0) -> tuple["subprocess.Popen[str]", Path]:
    log = folder / "log"
    with log.open("w") as output:
        script = _SCRIPT.format(tasks=tasks, failures=failures)
        process = subprocess.Popen([sys.executable, "-c", script], stdout=output, text=True)
    return process, log


@pytest.mark.slow
def test_a_process_that_dies_at_once_is_started_again_after_growing_pauses(tmp_path: Path) -> None:
    process, log = start(tmp_path, "(steady, broken)")
    eventually(lambda: log.read_text().count("ended with 3") == 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    text = log.read_text()
    pauses = [line.rpartition("in ")[2] for line in text.splitlines() if "ended with 3" in line]
    assert pauses == ["0.5 s", "1.0 s", "2.0 s"]
    assert text.count("steady is process") == 1


@pytest.mark.slow
def test_a_process_that_the_system_refuses_is_tried_again(tmp_path: Path) -> None:
    process, log = start(tmp_path, "(steady,)", failures=2)
    eventually(lambda: "steady is process" in log.read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    refused = "steady can't be started (Resource temporarily unavailable); it is tried again in"
    assert [f"{refused} {pause} s" in log.read_text() for pause in (0.5, 1.0)] == [True, True]


@pytest.mark.slow
def test_processes_end_with_a_killed_supervisor_without_waiting_for_each_other(
    tmp_path: Path,
) -> None:
    process, log = start(tmp_path, "(steady, deaf)")
    eventually(lambda: "deaf\n" in log.read_text())
    pids = {name: int(pid) for name, pid in re.findall(r"(\w+) is process (\d+)", log.read_text())}
    try:
        process.kill()
        process.wait()
        eventually(lambda: not is_running(pids["steady"]))
        assert is_running(pids["deaf"])
    finally:
        for pid in pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_process_that_does_not_end_is_killed(tmp_path: Path) -> None:
    process, log = start(tmp_path, "(steady, deaf)")
    eventually(lambda: "deaf\n" in log.read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 1
    assert "doesn't end: it is killed" in log.read_text()
