"""What a run does, drawn from its seed: rounds, their weather, and who is killed where.

The plan alone follows from the seed. When a process gets somewhere doesn't: two runs of one seed
kill at the same steps, but not the same leads.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.proofs.faults.rng import rng
from tests.proofs.faults.seams import WEB_STEPS, WORKER_STEPS
from tests.proofs.faults.stage import Weather

RANDOM = "random"
WEB_RANDOM = "web_random"
ASKED = "asked"
"""No kill: a worker is asked to end by SIGTERM, and must."""

ROUND = 200
"""Kills in one round; then the judge looks, and the next one begins with nothing."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One process's end.

    Attributes:
        step: of `seams`, or one of those that come from outside.
        order: what the victim is told.
        seconds: when it is killed from outside, if it lives so long.
    """

    step: str
    seconds: float
    order: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Round:
    """One round: its own database, sandbox and people."""

    number: int
    seed: str
    database: str
    kills: int
    weather: Weather


def rounds(seed: int, kills: int, databases: list[str]) -> Iterator[Round]:
    """The rounds of a run; databases take turns."""
    number = 0
    while kills > 0:
        size = min(kills, ROUND)
        name = f"{seed}:{number}"
        yield Round(number, name, databases[number % len(databases)], size, weather(name))
        kills -= size
        number += 1


def weather(seed: str) -> Weather:
    """The sandbox's switches of a round.

    An uncertain create is safe while one of two things sees it within the grace period (60 s):
    the query, or Wix's own check. So one of them may be slow beyond it, up to the margin that calls
    that arrive late (12 s) and a busy machine need.
    """
    draw = rng(seed, "weather")
    query_delay, blind = draw.choice(((0, 0), (25, 0), (50, 20), (20, 50), (90, 10), (10, 90)))
    sandbox = {
        "query_delay": query_delay,
        "duplicate_blind_window": blind,
        "extended_fields": draw.choice(("merge", "replace")),
        "any_email_duplicates": draw.random() < 0.5,
        "random_key_suffixes": draw.random() < 0.5,
    }
    return Weather(rate=0.25, edits=0.3, sandbox=sandbox)


def worker_kills(seed: str, slot: int) -> Iterator[Kill]:
    """The ends of the workers of one slot, without end."""
    draw = rng(seed, "worker", slot)
    # Keys are asked for once in a round, at its beginning.
    yield Kill("before_key_kept", 3.0, {"step": "before_key_kept", "at": slot + 1})
    steps = [*WORKER_STEPS]
    while True:
        if draw.random() < 0.2:
            yield Kill(draw.choice((RANDOM, RANDOM, ASKED)), draw.uniform(0.02, 0.4))
            continue
        # Every step has its turn before one comes again.
        steps = steps or [*WORKER_STEPS]
        step = steps.pop(draw.randrange(len(steps)))
        at = draw.randrange(1, WORKER_STEPS[step].most + 1)
        order = {"step": step, "at": at, "delay": draw.uniform(0, 0.012)}
        yield Kill(step, 4.0, order)


def web_kills(seed: str) -> Iterator[Kill]:
    """The ends of the web server, without end."""
    draw = rng(seed, "web")
    while True:
        if draw.random() < 0.3:
            yield Kill(WEB_RANDOM, draw.uniform(0.3, 1.5))
        else:
            step = draw.choice([*WEB_STEPS])
            yield Kill(step, 10.0, {"step": step, "at": draw.randrange(1, 25)})
