"""Line numbers of a TOML text, which `tomllib` doesn't give.

A statement ends where a line does. So the text is parsed statement by statement: the shortest run
of lines that is valid TOML by itself is one, and what it defines begins at its first line. Of an
array over several lines, each line closed by a bracket shows how far it got.
"""

import tomllib
from collections.abc import Iterator
from typing import Any

Location = tuple[int | str, ...]


def find_lines(text: str) -> dict[Location, int]:
    """Return the first line of each table, key and list entry of a valid TOML text, from 1."""
    found: dict[Location, int] = {}
    lines = text.split("\n")
    table: Location = ()
    start = 0
    for end in range(1, len(lines) + 1):
        run = "\n".join(lines[start:end])
        complete = _parsed(run)
        part = complete if complete is not None else _parsed(f"{run}\n]")
        if part is not None:
            begin = start + 1 if complete is not None else end
            if run.lstrip().startswith("["):
                table = _table(found, part)
                for depth in range(1, len(table) + 1):
                    found.setdefault(table[:depth], begin)
            else:
                for path in _paths(part, table):
                    found.setdefault(path, begin)
        if complete is not None:
            start = end
    return found


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _paths(value: Any, path: Location) -> Iterator[Location]:
    entries: Any = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, entry in entries:
        yield (*path, key)
        yield from _paths(entry, (*path, key))


def _table(found: dict[Location, int], header: dict[str, Any]) -> Location:
    """Return the path that a header opens: of the next field, or of a table within the last."""
    path: Location = ()
    node: Any = header
    while node:
        ((key, node),) = node.items()
        path = (*path, key)
        count = 0
        while (*path, count) in found:
            count += 1
        if isinstance(node, list):
            path, node = (*path, count), node[0]
        elif count:
            path = (*path, count - 1)
    return path
