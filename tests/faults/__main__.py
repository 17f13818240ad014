"""The long form: `python -m tests.faults --kills 2000 --seed 7 [--database both]`.

Prints a table at the end and exits 1 if anything was violated; progress goes to standard error.
`--round N` replays one round of a run alone: its plan of kills, faults and leads is the same, its
timing isn't.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.plan import rounds
from tests.faults.round import Result, run_round
from tests.faults.table import table
from tests.support.postgres import PostgresServer, postgres_server

BOTH = ["sqlite", "postgresql"]


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=[*BOTH, "both"], default="both")
    parser.add_argument("--round", type=int, help="only this one")
    parser.add_argument("--keep", type=Path, help="a folder for databases and logs")
    chosen = parser.parse_args()
    databases = BOTH if chosen.database == "both" else [chosen.database]
    started = time.monotonic()
    total = Result()
    with _servers(databases) as server, _folder(chosen.keep) as folder:
        for plan in rounds(chosen.seed, chosen.kills, databases):
            if chosen.round not in {None, plan.number}:
                continue
            place = folder / f"round-{plan.number}"
            place.mkdir(parents=True)
            with _database(plan.database, place, server) as url:
                result = run_round(plan, place, url)
            total.add(result)
            seconds = time.monotonic() - started
            _tell(f"round {plan.number}, {plan.database}: {seconds:.0f} s", result)
    sys.stdout.write(table(total, chosen.seed, time.monotonic() - started) + "\n")
    return 1 if total.violations else 0


def _tell(head: str, result: Result) -> None:
    kills, leads = sum(result.kills.values()), result.counts["leads"]
    lines = [f"{head}, {kills} kills, {leads} leads, {len(result.violations)} violations"]
    lines += [f"  {violation}" for violation in result.violations]
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()


@contextmanager
def _servers(databases: list[str]) -> Iterator[PostgresServer | None]:
    if "postgresql" in databases:
        with postgres_server() as server:
            yield server
    else:
        yield None


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        yield kept
    else:
        with tempfile.TemporaryDirectory(prefix="formapp-faults-") as name:
            yield Path(name)


@contextmanager
def _database(kind: str, place: Path, server: PostgresServer | None) -> Iterator[str]:
    if kind == "sqlite" or server is None:
        yield f"sqlite:///{place / 'formapp.db'}"
    else:
        with server.database() as url:
            yield url


if __name__ == "__main__":
    sys.exit(main())
