"""Draining waiting leads at Wix's limit: 200 calls a minute, shared by 1, 2 or 4 worker processes.

The leads are a mix: of a hundred, 60 of new people, 25 with news and 15 without.

The sandbox and the workers follow one clock that runs six times as fast as the world's. What the
machine needs for a call is not scaled, so what is judged is the turning of the windows: the time
from the first call to the one that opens the last window, against 60 seconds for each of them.
"""

import secrets
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import func, select

from formapp.db.tables import deliveries
from tests.proofs.benchmarks.calls import introduce, mixed, people_of
from tests.proofs.benchmarks.office import Office, outcomes
from tests.proofs.benchmarks.report import Report, Verdict
from tests.proofs.benchmarks.rounds import play, spread
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, NotHereError, Stage
from tests.proofs.benchmarks.wixside import WixSide
from tests.proofs.faults.clock import FastClock
from tests.proofs.faults.nursery import Nursery
from tests.support.ledger import rows

LEADS = 1_000
LIMIT = 200
WINDOW = 60.0
SCALE = 6.0
TARGET = 0.97
MIX = "60/25/15"
MINUTES = 4.5
"""Within these, a worker process has drained them all."""

BUSY = 0.4
"""Of a window: where the machine needs longer for the first window's calls, which wait for nothing
else, the share says more about it than about the limit: each of its delays counts `SCALE` times."""

PROCESSES = {"postgresql": (1, 2, 4), "sqlite": (1,)}
PATIENCE = 600.0
DELIVERED = {"created", "updated", "unchanged"}


@dataclass(frozen=True)
class Drained:
    """What came of it.

    Attributes:
        share: of the limit, over whole windows.
        first: seconds of the clock that the first window's calls took: where that is long, the
            machine was the limit and not Wix.
        minutes: of the clock, from the first call to the last.
        calls: in all.
        refused: calls that were answered 429.
        failed: leads that were not delivered.
    """

    share: float
    first: float
    minutes: float
    calls: int
    refused: int
    failed: int


def run(setting: Setting) -> Report:
    """Play and judge."""
    leads = setting.part(LEADS, 2 * LIMIT)
    report = Report(
        "Draining at Wix's limit",
        (
            "workers",
            "share of the limit",
            "minutes",
            "calls",
            "calls a lead",
            "calls answered 429",
            "not delivered",
        ),
        notes=[
            (
                f"{leads:,} leads ({MIX}: new, with news, without); {LIMIT} calls a minute; the "
                f"clock runs {SCALE:g} times as fast. Minutes are the clock's, to the last call."
            ),
            (
                "The databases don't wait for the disk, whose time isn't scaled. What else the "
                f"machine needs counts {SCALE:g} times: a call that is {1 / SCALE:.2f} s late "
                "is late by the second that formapp leaves above Wix's minute."
            ),
        ],
    )
    with Stage(durable=False) as stage:
        turns = {
            f"{KINDS[kind]}, {number}": partial(_drain, stage, kind, number, leads)
            for kind in setting.kinds
            for number in PROCESSES[kind]
        }
        for kind in setting.kinds:
            try:
                stage.database(kind)
            except NotHereError as error:
                report.missing[KINDS[kind]] = str(error)
                turns = {name: turn for name, turn in turns.items() if KINDS[kind] not in name}
        seen = play(turns, setting.rounds)
    for name, drained in seen.items():
        _tell(report, name, drained, leads)
        if setting.is_full and name.endswith(", 1"):
            minutes = spread([each.minutes for each in drained])
            report.at_most(f"{name}: minutes for {leads:,} leads", MINUTES, minutes)
    return report


def _tell(report: Report, name: str, seen: Sequence[Drained], leads: int) -> None:
    share = spread([each.share for each in seen])
    refused, failed = (sum(getattr(each, what) for each in seen) for what in ("refused", "failed"))
    minutes, calls = (
        spread([getattr(each, what) for each in seen]) for what in ("minutes", "calls")
    )
    report.rows.append(
        (
            name,
            share.said(3),
            minutes.said(2),
            calls.said(),
            spread([each.calls / leads for each in seen]).said(3),
            str(refused),
            str(failed),
        )
    )
    if any(each.first > WINDOW * BUSY for each in seen):
        said = f"{share.said(3)}, but this machine is too busy for so fast a clock"
        report.verdicts.append(Verdict(f"{name}: share of the limit", f"{TARGET:g}", said, None))
    else:
        report.at_least(f"{name}: share of the limit", TARGET, share, 3)
    for what, number in (("calls answered 429", refused), ("leads not delivered", failed)):
        report.verdicts.append(Verdict(f"{name}: {what}", "none", str(number), number == 0))


def _drain(stage: Stage, kind: str, processes: int, leads: int) -> Drained:
    clock = FastClock(time.time(), SCALE)
    url = stage.database(kind)
    with ExitStack() as beside:
        wix = beside.enter_context(WixSide(clock.seconds))
        office = beside.enter_context(closing(Office(url, wix.url, WIX_RATE_LIMIT=str(LIMIT))))
        people = people_of(MIX, leads)
        introduce(wix, people, stage.database("sqlite"))
        office.post(mixed(people, secrets.randbits(32)))
        wix.control("PATCH", "/settings", {"rate_limit": LIMIT})
        for _ in range(processes):
            nursery = beside.enter_context(closing(Nursery(office.given)))
            log = str(stage.folder / f"worker-{secrets.token_hex(4)}.log")
            nursery.bear(kind="worker", clock=clock.as_json(), log=log, timeouts=[5, 20])
            beside.callback(nursery.end)
        _wait(office)
        return _read(wix, _outcomes(office))


def _wait(office: Office) -> None:
    """Until nothing waits any more; seldom asked, since the sandbox is in this process.

    Raises:
        RuntimeError: it takes too long.
    """
    pending = select(func.count()).where(deliveries.c.state == "pending")
    deadline = time.monotonic() + PATIENCE
    while True:
        with office.database.read() as connection:
            left = connection.execute(pending).scalar_one()
        if not left:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{left} leads still wait after {PATIENCE:.0f} s")
        time.sleep(0.25)


def _outcomes(office: Office) -> dict[str, int]:
    return outcomes(rows(office.database, "deliveries"))


def _read(wix: WixSide, found: dict[str, int]) -> Drained:
    log = wix.calls()
    times = [datetime.fromisoformat(call["time"]).timestamp() for call in log]
    whole = (len(times) - 1) // LIMIT
    took = times[whole * LIMIT] - times[0]
    failed = sum(count for name, count in found.items() if name not in DELIVERED)
    return Drained(
        share=whole * WINDOW / took,
        first=times[LIMIT - 1] - times[0],
        minutes=(times[-1] - times[0]) / WINDOW,
        calls=len(log),
        refused=sum(call["status"] == 429 for call in log),
        failed=failed,
    )
