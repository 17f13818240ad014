"""The long form: `python -m tests.proofs.notifications --kills 500 --leads 1000 [--database both]`.

Leads are accepted while the worker that notifies of them by mail and webhook is killed again and
again: at random, and at the steps where a notification could be lost or doubled. Prints what the
receivers got, and exits with 1 if a notification is missing, or if more are doubled than one for
each kill and channel.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.proofs.notifications.run import Plan, Result, run
from tests.support.postgres import postgres_server

BOTH = ("sqlite", "postgresql")


def main() -> int:
    """Run as told by the arguments; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.notifications")
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--leads", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=[*BOTH, "both"], default="both")
    given = parser.parse_args()
    databases = BOTH if given.database == "both" else (given.database,)
    plan = Plan(given.kills, given.leads, given.seed)
    results = [(name, _run(name, plan)) for name in databases]
    for name, result in results:
        sys.stdout.write(f"{name}: {result}\n")
    return 1 if any(result.violations for _, result in results) else 0


def _run(database: str, plan: Plan) -> Result:
    folder = tempfile.TemporaryDirectory(prefix="formapp-notifications-")
    with folder as name, _url(database, Path(name)) as url:
        return run(url, plan)


@contextmanager
def _url(database: str, folder: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{folder / 'formapp.db'}"
        return
    with postgres_server() as server, server.database() as url:
        yield url


if __name__ == "__main__":
    sys.exit(main())
