"""Memory and start-up: `formapp serve` with its worker, at rest and after many submissions."""

import re
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import requests

from tests.proofs.benchmarks.accept import at
from tests.proofs.benchmarks.bodies import FORM, answers
from tests.proofs.benchmarks.contestant import Contestant
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, spread, tell
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, ROOT, NotHereError, Stage
from tests.proofs.benchmarks.wixside import WixSide
from tests.support.processes import environ, free_port, send

SUBMISSIONS = 100_000
TURN = 10.0
"""Seconds of load at a time."""

MIB = 1024
MOST = 120
"""MiB."""


def run(setting: Setting) -> Report:
    """Play and judge."""
    submissions = setting.part(SUBMISSIONS, 100)
    report = Report(
        "Memory and start-up",
        ("what", "measured"),
        notes=[
            (
                f"`formapp serve` with its worker, a rate limit of 200 calls a minute: most of the "
                f"{submissions:,} submissions still wait for Wix when memory is read."
            ),
            "MiB resident, code that other processes share included; starts are of a warm disk.",
        ],
    )
    _starts(report, setting)
    for kind in setting.kinds:
        try:
            _memory(report, kind, submissions)
        except NotHereError as error:
            report.missing[KINDS[kind]] = str(error)
    return report


def _starts(report: Report, setting: Setting) -> None:
    with Stage() as stage, WixSide() as wix:
        turns = {
            "start-up to the first answer, s": partial(_start, stage, wix),
            "`formapp --help`, s": partial(_help, stage.folder),
        }
        seen = play(turns, setting.rounds)
    for (name, seconds), most in zip(seen.items(), (1.5, 0.3), strict=True):
        report.rows.append((name, spread(seconds).said(2)))
        report.at_most(name, most, spread(seconds))


def _start(stage: Stage, wix: WixSide) -> float:
    """Seconds until an empty database is set up and a form page is answered."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/f/contact"
    started = time.perf_counter()
    given = {"DATABASE_URL": stage.database("sqlite"), "WIX_API_URL": wix.url}
    process = stage.formapp("serve", "--port", str(port), **given)
    while not _answers(url):
        time.sleep(0.005)
    took = time.perf_counter() - started
    process.terminate()
    process.wait(35)
    return took


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).ok
    except requests.ConnectionError:
        return False


def _help(folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "formapp", "--help"],
        cwd=folder,
        env=environ({}) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    return time.perf_counter() - started


def _memory(report: Report, kind: str, submissions: int) -> None:
    with Stage() as stage, WixSide(rate_limit=200) as wix:
        url = stage.database(kind)
        base, process = stage.served(DATABASE_URL=url, WIX_API_URL=wix.url)
        contestant = at("formapp", url, [base])
        # At rest: after a page and a post, when all that is loaded late is loaded.
        send(base, FORM, **answers(0, "first")).raise_for_status()
        rest = _resident(process.pid)
        taken = _fill(contestant, stage, submissions)
        after = _resident(process.pid)
    for when, mib in (("at rest", rest), (f"after {taken:,} submissions", after)):
        what = f"{KINDS[kind]}: MiB {when}"
        report.rows.append((what, f"{mib:.0f}"))
        report.at_most(what, MOST, spread([mib]), 0)


def _fill(contestant: Contestant, stage: Stage, submissions: int) -> int:
    """Post at least so many; how many there were."""
    done = 0
    while done < submissions:
        tell(f"  {done:,} of {submissions:,} submissions")
        done += contestant.turn(stage.folder, TURN, f"m{done}").requests
    return done


def _resident(pid: int) -> float:
    """MiB that the process has in memory."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", text, re.MULTILINE)
    if found is None:
        raise ValueError("the process is gone")
    return int(found[1]) / MIB
