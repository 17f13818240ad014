"""The long form: `python -m tests.proofs.books --contacts 200 --edits 300 --kills 20`.

Two-way sync between the sandbox and a real Radicale, by processes that are killed at every step
while people edit both sides and lines break. `--kills 500 --database both` plays rounds of 50.
Prints a table, the conflicts of a single round, and exits with 1 if a promise was broken.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.crm import davservers
from tests.proofs.books.run import Round, run_round
from tests.proofs.books.table import table
from tests.proofs.faults.result import Result
from tests.support.postgres import postgres_server

KILLS = 50
"""In a round of a long run."""


def main() -> int:
    """Run as the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.books", description=__doc__)
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--edits", type=int, default=300)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, help="only this one")
    parser.add_argument("--keep", type=Path, help="a folder for databases and logs")
    chosen = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if chosen.database == "both" else [chosen.database]
    total, started, left, number = Result(), time.monotonic(), chosen.kills, 0
    with ExitStack() as stack:
        folder = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cache = Path(tempfile.gettempdir()) / "formapp-carddav"
        (folder / "radicale").mkdir(parents=True)
        venv = davservers.environment(cache)
        server = stack.enter_context(davservers.radicale(venv, folder / "radicale"))
        databases = stack.enter_context(postgres_server()) if "postgresql" in kinds else None
        while left > 0:
            size = left if left < 2 * KILLS else KILLS
            kind = kinds[number % len(kinds)]
            place = folder / f"round-{number}"
            place.mkdir()
            url = f"sqlite:///{place / 'formapp.db'}"
            with ExitStack() as inner:
                if kind == "postgresql" and databases:
                    url = inner.enter_context(databases.database())
                plan = Round(f"{chosen.seed}:{number}", size, chosen.contacts, chosen.edits)
                if chosen.round in (None, number):
                    result = run_round(plan, place, url, server.address_book())
                    _report(number, kind, result, time.monotonic() - started)
                    total.add(result)
            left, number = left - size, number + 1
    sys.stdout.write(table(total, chosen.seed, time.monotonic() - started) + "\n")
    return 1 if total.violations else 0


def _report(number: int, kind: str, result: Result, seconds: float) -> None:
    head = f"round {number}, {kind}: {seconds:.0f} s, {sum(result.kills.values())} kills"
    lines = [f"{head}, {result.counts['edits']} edits, {len(result.violations)} violations"]
    sys.stderr.write("\n".join([*lines, *(f"  {each}" for each in result.violations)]) + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
