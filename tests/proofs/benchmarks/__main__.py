"""`python -m tests.proofs.benchmarks [NAME …]`: metrics, and prints the tables as Markdown.

The exit code is 1 if a suite could not be played; what doesn't hold is in the table, not in the
exit code, since it depends on the machine.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.proofs.benchmarks.accept import run as accept
from tests.proofs.benchmarks.calls import run as calls
from tests.proofs.benchmarks.click_to_contact import run as click
from tests.proofs.benchmarks.drain import run as drain
from tests.proofs.benchmarks.inbox import run as inbox
from tests.proofs.benchmarks.ladder import run as ladder
from tests.proofs.benchmarks.machine import heading
from tests.proofs.benchmarks.memory import run as memory
from tests.proofs.benchmarks.processes import run as processes
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import tell
from tests.proofs.benchmarks.scale import run as scale
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.show import run as show

SUITES: dict[str, Callable[[Setting], Report]] = {
    "accept": accept,
    "ladder": ladder,
    "processes": processes,
    "scale": scale,
    "show": show,
    "calls": calls,
    "drain": drain,
    "click": click,
    "memory": memory,
    "inbox": inbox,
}


def main(arguments: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SUITES)}; or all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="of load in each turn")
    parser.add_argument("--size", type=float, default=1.0, help="share of the full rows and leads")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables here, too")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(SUITES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    if chosen.rounds < 1 or chosen.seconds <= 0 or not 0 < chosen.size <= 1:
        parser.error("at least one round, some seconds, a size above 0 and at most 1")
    setting = Setting(chosen.rounds, chosen.seconds, chosen.size)
    text = heading(setting.rounds, setting.seconds, setting.size)
    failed = False
    for section, played in _play(chosen.names or SUITES, setting):
        failed |= not played
        text += "\n" + section
        if chosen.markdown:
            chosen.markdown.write_text(text, "utf-8")
    sys.stdout.write(text)
    return 1 if failed else 0


def _play(names: Iterable[str], setting: Setting) -> Iterable[tuple[str, bool]]:
    """Each suite's section, and whether it was played to its end."""
    for name in names:
        started = time.monotonic()
        tell(f"{name} …")
        try:
            section, played = SUITES[name](setting).markdown(), True
        except Exception as error:  # noqa: BLE001 - the others are still worth playing
            why = f"{type(error).__name__}: {error}".splitlines()[0]
            section, played = f"## {name}\n\nNot played to its end: {why}\n", False
        tell(f"{name}: {time.monotonic() - started:.0f} s")
        yield section, played


if __name__ == "__main__":
    sys.exit(main())
