"""Which core of the machine a web server runs on.

Python runs one thread at a time. On several cores the threads of a server wake each other on
another core at each call of the system, which takes a sixth of a post's time, a third of a page's.
"""

import os
import sys
from pathlib import Path


def usable_cores() -> list[int | None]:
    """Return the cores that this process may use, beginning with the one that it runs on.

    [None] where the system doesn't say.
    """
    if sys.platform != "linux":
        return [None]
    usable = sorted(os.sched_getaffinity(0))
    # The 39th value (proc(5)); the second one may contain blanks.
    here = int(Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()[36])
    first = usable.index(here) if here in usable else 0
    return [*usable[first:], *usable[:first]]


def stay_on(core: int | None) -> None:
    """Keep this thread, and those that it starts, on one core; None: on any."""
    if sys.platform == "linux" and core is not None:
        os.sched_setaffinity(0, {core})
