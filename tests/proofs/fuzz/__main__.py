"""The long form: `python -m tests.proofs.fuzz --inputs 100000 --seed 7`.

Each input goes to two sites, on SQLite and on PostgreSQL, which must answer alike: the same status,
the same codes, the same redirect, the same body but for the token, each within half a second, while
a bystander opens a page of each ten times a second, as quickly. Prints the answers by route and
status; exits 1 if an answer told of a defect (500 and above), had a cookie, wasn't in the format
that was asked for, or differed. The same seed draws the same inputs; tokens in them are fresh.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.proofs.fuzz.run import Result, run, sites
from tests.support.postgres import postgres_server

SHOWN = 20


def main() -> int:
    """Run as told by the arguments; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="formapp-fuzz-") as folder,
        postgres_server() as server,
        sites(Path(folder), server) as running,
    ):
        result = run(running, asked.inputs, asked.seed, _tell)
    seconds = time.monotonic() - started
    sys.stdout.write(f"{table(result)}\n\nseed {asked.seed}, {seconds:.0f} seconds\n")
    return 1 if result.violations else 0


def table(result: Result) -> str:
    """Everything that came of the inputs, in columns of text."""
    by_route = Counter[tuple[str, int]]()
    by_group = Counter[str]()
    for (group, route, status), count in result.answers.items():
        by_route[route, status] += count
        by_group[group] += count
    statuses = sorted({status for _, status in by_route})
    lines = ["", f"Inputs: {by_group.total()} (each to both databases)"]
    lines += [f"  {group:<26}{count:>8}" for group, count in by_group.items()]
    lines += ["", "  " + f"{'Answers':<26}" + "".join(f"{each or 'none':>8}" for each in statuses)]
    for route in sorted({route for route, _ in by_route}):
        counts = [by_route[route, status] for status in statuses]
        lines.append(f"  {route:<26}" + "".join(f"{count or '':>8}" for count in counts))
    defects = sum(count for (_, status), count in by_route.items() if status >= 500)
    lines += ["", f"500 and above: {defects}", f"Violations: {len(result.violations)}"]
    if waits := sorted(result.waits):
        middle, worst = waits[len(waits) // 2] * 1000, waits[-1] * 1000
        lines += [f"A bystander's page: {middle:.0f} ms, {worst:.0f} ms at most ({len(waits)})"]
    return "\n".join(lines + result.violations[:SHOWN])


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
