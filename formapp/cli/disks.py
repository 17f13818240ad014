"""Whether the file of an SQLite database is on a disk that vanishes: memory, or a container's own.

Leads that aren't delivered yet are only there. Linux says what is mounted where in
`/proc/self/mountinfo` (proc_pid_mountinfo(5)); on other systems nothing is known.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy.engine import make_url

MOUNTS = Path("/proc/self/mountinfo")
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
"""Files that Docker and Podman put into containers."""

ADVICE = (
    "keep the file on a mounted volume, or use PostgreSQL: leads that wait for delivery are "
    "nowhere else"
)
_MEMORY = {"tmpfs", "ramfs"}
_LAYERS = {"overlay", "aufs"}
_ESCAPED = re.compile(r"\\([0-7]{3})")


def vanishing_database(database_url: str) -> str | None:
    """Return why the file of this database may vanish; None if it stays, or nothing is known."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    try:
        mounts = MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    contained = any(mark.exists() for mark in CONTAINER_MARKS)
    path = Path(os.path.realpath(url.database))
    reason = vanishing(path, mounts, contained=contained)
    return reason and f"{path} {reason}"


def vanishing(path: Path, mounts: Iterable[str], *, contained: bool) -> str | None:
    """Return why a file at this absolute path may vanish.

    `mounts` are lines of mountinfo, `contained` is whether this is known to be a container.
    """
    place, kind = "", ""
    for line in mounts:
        fields, _, rest = line.partition(" - ")
        point = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields.split()[4])
        # A later mount at the same place hides the earlier one.
        if path.is_relative_to(point) and len(point) >= len(place):
            place, kind = point, rest.split()[0]
    if kind in _MEMORY:
        return f"is in memory ({kind} at {place}): a restart loses it"
    if kind in _LAYERS or (contained and place == "/"):
        return f"is on the container's own disk ({kind} at {place}): it goes with the container"
    return None
