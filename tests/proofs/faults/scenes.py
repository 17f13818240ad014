"""All scenes, and what each needs; the long form plays them after its kills."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from tests.proofs.faults.moments import DAY, one_nonce, skewed_host, wrong_clock
from tests.proofs.faults.outages import full, full_by_limit, locked, restarted, small_disk
from tests.proofs.faults.result import Result
from tests.proofs.faults.setting import Place
from tests.proofs.faults.storm import storm
from tests.support.postgres import postgres_server

Scene = Callable[[Place], Result]

ANYWHERE: dict[str, Scene] = {
    "storm": storm,
    "clock_ahead": partial(wrong_clock, shift=DAY),
    "clock_behind": partial(wrong_clock, shift=-DAY),
    "host_ahead": partial(skewed_host, shift=DAY),
    "host_behind": partial(skewed_host, shift=-DAY),
    "one_nonce": one_nonce,
}
"""Those that happen on either database."""


def restart(place: Place) -> Result:
    """PostgreSQL restarts; a server of the scene's own does."""
    with postgres_server() as server, server.database() as url:
        return restarted(replace(place, url=url), server)


def disk_full(place: Place) -> Result | None:
    """The disk is full; None where this process may not mount a small one."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk(place.folder / "disk"))
        if disk is None:
            return None
        return full(replace(place, url=f"sqlite:///{disk / 'formapp.db'}"))


SQLITE_ONLY: dict[str, Callable[[Place], Result | None]] = {
    "locked": locked,
    "files_limited": full_by_limit,
    "disk_full": disk_full,
}
POSTGRES_ONLY: dict[str, Callable[[Place], Result | None]] = {"restart": restart}


def scenes(database: str) -> Iterator[tuple[str, Callable[[Place], Result | None]]]:
    """The scenes of one kind of database."""
    yield from ANYWHERE.items()
    yield from (SQLITE_ONLY if database == "sqlite" else POSTGRES_ONLY).items()
