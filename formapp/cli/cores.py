"""Which core of the machine each of several web servers runs on.

Python runs one thread at a time. On several cores the threads of a server wake each other on
another core at each call of the system; two such servers on two cores take hardly more than one.
"""

import os
import sys
from contextlib import suppress


def spread(processes: int) -> list[int | None]:
    """Return a core for each process, as far apart as can be: neighbours may be one core's halves.

    None: any, where the system doesn't say, or has fewer. Several installations on one machine
    begin with different cores.
    """
    usable = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if len(usable) < processes:
        return [None] * processes
    step, first = len(usable) // processes, os.getpid()
    return [usable[(first + number * step) % len(usable)] for number in range(processes)]


def stay_on(core: int | None) -> None:
    """Keep this thread, and those that it starts, on one core, if the system lets it; None: any."""
    if sys.platform == "linux" and core is not None:
        with suppress(OSError):  # forbidden, or no longer one of this process's cores
            os.sched_setaffinity(0, {core})
