"""One round: both sides are edited while processes die; then all is quiet, and judged."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from formapp.crm import owner
from formapp.crm.sync import sync_once
from formapp.db.tables import crm_links
from tests.crm.davservers import AddressBook
from tests.proofs.books.judge import judge, read_world
from tests.proofs.books.people import People
from tests.proofs.books.stage import BookStage
from tests.proofs.books.victim import LOAD_STEPS, STEPS
from tests.proofs.faults.killing import Killer, Quota
from tests.proofs.faults.plan import RANDOM, Kill
from tests.proofs.faults.result import Result
from tests.proofs.faults.rng import rng
from tests.proofs.faults.violations import Violation

WORKERS = 2
QUIET_SECONDS = 240.0
WRITES = ("createContact", "updateContact", "deleteContact", "mergeContacts")
LABELLING = ("labelContact", "unlabelContact")


@dataclass(frozen=True, slots=True)
class Round:
    """What a round is made of; `per_second` are edits of people, on both sides together."""

    seed: str
    kills: int
    contacts: int
    edits: int
    per_second: float = 8.0
    rate: float = 0.04


def kills(seed: str, slot: int) -> Iterator[Kill]:
    """The ends of the processes of one slot, without end."""
    draw = rng(seed, "book", slot)
    for step in LOAD_STEPS:
        yield Kill(step, 6.0, {"step": step, "at": draw.randrange(1, 4)})
    steps = [*STEPS]
    while True:
        if draw.random() < 0.15:
            yield Kill(RANDOM, draw.uniform(0.2, 2.0))
            continue
        # Every step has its turn before one comes again.
        steps = steps or [*STEPS]
        step = steps.pop(draw.randrange(len(steps)))
        order = {"step": step, "at": draw.randrange(1, 4), "delay": draw.uniform(0, 0.03)}
        yield Kill(step, 4.0, order)


def run_round(plan: Round, folder: Path, database_url: str, book: AddressBook) -> Result:
    """Run it."""
    with BookStage(folder, database_url, plan.seed, book, plan.rate) as stage:
        people = People(stage, plan.seed)
        people.move_in(plan.contacts)
        quota = Quota(plan.kills)
        killers = [Killer(stage, "book", kills(plan.seed, slot), quota) for slot in range(WORKERS)]
        for killer in killers:
            killer.start()
        _wait_until_running(stage, killers)
        people.start(plan.per_second)
        for killer in killers:
            killer.join()
        end = _keep_alive(stage)
        while people.edits < plan.edits and not people.errors:
            time.sleep(0.1)
        people.stop()
        result = Result(faults=Counter(stage.mend()))
        result.faults.pop("edits", None)
        is_quiet = _wait_until_quiet(stage)
        end()
        result.violations += [] if is_quiet else [Violation("stuck", "links are due for ever")]
        _settle(stage, people, result)
        result.kills += quota.made
        odd = [*people.errors, *(fault for each in killers for fault in each.faults)]
        result.violations += [Violation("unclear", each) for each in odd]
        return result


def _wait_until_running(stage: BookStage, killers: list[Killer]) -> None:
    """People begin once the load is under way, or the kills are used up."""
    deadline = time.monotonic() + QUIET_SECONDS
    while owner.status(stage.database, "main", stage.clock()).state == "new":
        assert time.monotonic() < deadline, f"no load began: see {stage.folder}"
        assert not any(each.faults for each in killers), f"see {stage.folder}"
        time.sleep(0.1)


def _keep_alive(stage: BookStage) -> Any:
    nursery = stage.nursery()
    stopping = threading.Event()
    nursery.bear(**stage.order(kind="book"))

    def end() -> None:
        stopping.set()
        nursery.end()

    return end


def _wait_until_quiet(stage: BookStage) -> bool:
    """Wait until nothing is due, twice in a row with a look at both sides in between."""
    deadline, quiet_since = time.monotonic() + QUIET_SECONDS, 0.0
    while time.monotonic() < deadline:
        found = owner.status(stage.database, "main", stage.clock())
        if found.state == "paused":
            # The owner of this round deletes on purpose.
            owner.resume(stage.database, "main", stage.clock(), allow_deletes=999)
        if found.state != "running" or _waiting(stage):
            quiet_since = 0.0
        elif not quiet_since:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > 12:
            return True
        time.sleep(0.2)
    return False


def _waiting(stage: BookStage) -> int:
    """Links that are due, now or later."""
    waiting = select(func.count()).select_from(crm_links).where(crm_links.c.due_at.is_not(None))
    with stage.database.read() as connection:
        return connection.execute(waiting).scalar_one()


def _settle(stage: BookStage, people: People, result: Result) -> None:
    with stage.session() as session:
        failures = sync_once(session)
        calls = Counter(stage.calls())
        before = stage.state()["contacts"], stage.cards()
        failures += sync_once(session)
    again = Counter(stage.calls()) - calls
    after = stage.state()["contacts"], stage.cards()
    if failures:
        result.violations.append(Violation("failed", f"{failures} links at the end"))
    if before != after or again & Counter([*WRITES, *LABELLING]):
        result.violations.append(Violation("echo", f"a quiet book writes: {dict(again)}"))
    shown = stage.wix.api("GET", "/labels?paging.limit=1000")["labels"]
    labels = {each["key"]: each["displayName"] for each in shown}
    world = read_world(stage.state(), labels, after[1], stage.database)
    result.violations += judge(world, people.ledger)
    calls -= people.ledger.own_calls
    result.counts += Counter({f"edits: {kind}": n for kind, n in people.ledger.edits.items()})
    result.counts += Counter({f"calls: {name}": n for name, n in calls.items()})
    result.counts["edits"] = people.edits
    result.counts["contacts"] = len(world.wix)
    result.counts["cards"] = len(world.crm)
    result.counts["conflicts"] = len(world.conflicts)
    result.scenes += [
        f"conflict of {each.field}: kept {each.kept_value}, lost {each.lost_value}"
        for each in world.conflicts
    ]
