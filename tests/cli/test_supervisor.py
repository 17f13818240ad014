"""The supervisor: restarts with growing pauses, ends all, and kills what doesn't end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import eventually

_SCRIPT = """
import logging, signal, sys, time
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

logging.basicConfig(level=logging.INFO, stream=sys.stdout)
supervisor.END_SECONDS = 0.3
tasks = [(each.__name__, each) for each in {tasks}]
sys.exit(0 if supervisor.Supervisor(tasks).run() else 1)
"""


def start(folder: Path, tasks: str) -> tuple["subprocess.Popen[str]", Path]:
    log = folder / "log"
    with log.open("w") as output:
        script = _SCRIPT.format(tasks=tasks)
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
def test_a_process_that_does_not_end_is_killed(tmp_path: Path) -> None:
    process, log = start(tmp_path, "(steady, deaf)")
    eventually(lambda: "deaf\n" in log.read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 1
    assert "doesn't end: it is killed" in log.read_text()
