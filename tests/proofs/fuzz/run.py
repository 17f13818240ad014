"""A run: the same inputs for a site on each kind of database, and what they made of them."""

import gc
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from tests.proofs.fuzz import inputs
from tests.proofs.fuzz.attacks import attacks
from tests.proofs.fuzz.described import strategy
from tests.proofs.fuzz.inputs import Input, Strategy
from tests.proofs.fuzz.verdicts import CLOSED, Verdict, send, send_bytes
from tests.proofs.fuzz.wire import wire
from tests.support.postgres import PostgresServer
from tests.web.forms import load
from tests.web.running import Running, get
from tests.web.support import Site

SLOW = 0.5
"""Seconds: no answer takes longer, nor does a page for a bystander."""

CHUNK = 1000
"""Examples drawn at once: the generator remembers all of a chunk."""

# Inputs of a hundred, by how they are made.
SHARES = {
    "described, right": 11,
    "described, wrong": 11,
    "json answers": 17,
    "form answers": 17,
    "bodies": 10,
    "parts": 8,
    "headers": 6,
    "addresses": 8,
    "wire": 2,
    "attacks": 10,
}
_ROUTE = re.compile(r"/+f/[^/]+(/[a-z.]+)?|/embed\.js|/healthz|/readyz|/metrics|/static/.+")


@dataclass
class Result:
    """What came of the inputs.

    Attributes:
        answers: how many, by group, route and status; of one of the databases.
        violations: a line for each input that was answered wrongly or slowly.
        waits: seconds that each page took a bystander.
    """

    answers: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def add(self, group: str, given: Input, verdicts: Mapping[str, Verdict]) -> None:
        """Note the answers to one input, by the kind of database."""
        first, *others = verdicts.values()
        self.answers[group, route(given), first.status] += 1
        wrong = {verdict.complaint for verdict in verdicts.values()} - {""}
        worst = max(verdict.status for verdict in verdicts.values())
        wrong |= {"a defect"} if worst >= HTTPStatus.INTERNAL_SERVER_ERROR else set()
        # Of bytes that are refused before all of them are read, the answer may be lost.
        cut = given.wire and any(verdict.status == CLOSED for verdict in verdicts.values())
        wrong |= {"not alike" for other in others if other != first and not cut}
        for what in sorted(wrong):
            self.violations.append(f"{what}: {group}: {given!r}: {dict(verdicts)}")


def strategies() -> dict[str, Strategy]:
    """How inputs are made, by the groups of `SHARES`."""
    return {
        "described, right": strategy(GenerationMode.POSITIVE),
        "described, wrong": strategy(GenerationMode.NEGATIVE),
        "json answers": inputs.json_answers,
        "form answers": inputs.form_answers,
        "bodies": inputs.bodies,
        "parts": inputs.parts,
        "headers": inputs.headers,
        "addresses": inputs.addresses,
        "wire": wire,
        "attacks": attacks,
    }


@contextmanager
def sites(folder: Path, server: PostgresServer) -> Iterator[dict[str, Running]]:
    """A running site on each kind of database, which share nothing else."""
    with server.database() as url:
        running = {}
        for kind, address in {"sqlite": None, "postgresql": url}.items():
            (folder / kind).mkdir()
            running[kind] = Running(Site.build(folder / kind, forms=load(), url=address))
        try:
            yield running
        finally:
            for each in running.values():
                each.stop()
                each.site.database.close()


def run(
    running: Mapping[str, Running],
    count: int,
    chosen: int,
    told: Callable[[str], None] = lambda _line: None,
) -> Result:
    """Send so many inputs, drawn by this seed."""
    result = Result()
    with ExitStack() as beside:
        bystanders = [beside.enter_context(bystander(one)) for one in running.values()]
        for number, (group, making) in enumerate(strategies().items()):
            wanted = count * SHARES[group] // 100
            done, chunk = 0, 0
            while done < wanted:
                # Collecting the generator's objects would stop the servers: `serve` does so too.
                gc.freeze()
                drawn = min(CHUNK, wanted - done)
                start = chosen * 1_000_000 + number * 10_000 + chunk
                done += _chunk(running, group, making, drawn, start, result)
                chunk += 1
            told(f"{group}: {done}")
    for waits in bystanders:
        result.waits += waits
    if slow := [wait for wait in result.waits if wait > SLOW]:
        result.violations.append(f"a bystander waited: {max(slow):.2f} s")
    return result


@contextmanager
def bystander(running: Running) -> Iterator[list[float]]:
    """A visitor who opens the form again and again; yields how long each page took.

    Of two visits at once the quicker counts: the machine may be busy, but not twice by chance.
    """
    waits: list[float] = []
    over = threading.Event()

    def visit() -> float:
        began = time.perf_counter()
        running.ask(get("/f/lead"))
        return time.perf_counter() - began

    def visits() -> None:
        while not over.wait(0.1):
            first = visit()
            waits.append(first if first <= SLOW else min(first, visit()))

    thread = threading.Thread(target=visits)
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()


def _chunk(  # noqa: PLR0917 - one chunk of a run
    running: Mapping[str, Running],
    group: str,
    making: Strategy,
    count: int,
    start: int,
    result: Result,
) -> int:
    signer = running["sqlite"].site.signer
    sent = 0

    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(making)
    def each(drawn: Input) -> None:
        nonlocal sent
        sent += 1
        exact = drawn.filled(signer)
        verdicts = {}
        for kind, one in running.items():
            began = time.perf_counter()
            verdicts[kind] = send_bytes(one, exact) if exact.wire else send(one.site, exact)
            if time.perf_counter() - began > SLOW and not _is_quick(one, exact):
                result.violations.append(f"slow: {group}: {str(exact)[:2000]}")
        result.add(group, exact, verdicts)

    each()
    return sent


def _is_quick(running: Running, given: Input) -> bool:
    """Send a slow input twice more: the machine may have been busy."""
    for _ in range(2):
        began = time.perf_counter()
        _ = send_bytes(running, given) if given.wire else send(running.site, given)
        if time.perf_counter() - began <= SLOW:
            return True
    return False


def route(given: Input) -> str:
    """The route that an input is for, as far as its path tells."""
    if given.wire:
        return "(bytes on a connection)"
    match = _ROUTE.fullmatch(given.path)
    if not match:
        return "(no route)"
    path = "/" + given.path.lstrip("/")
    if path.startswith("/f/"):
        path = f"/f/<form>{match[1] or ''}"
    return f"{given.method} {'/static/…' if path.startswith('/static/') else path}"
