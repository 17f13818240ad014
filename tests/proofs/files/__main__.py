"""The long form: `python -m tests.proofs.files --kills 200 [--database both]`.

Processes that take posts with files, and one that erases, are killed at each step between the first
byte and the answer. Exits with 1 if an answered lead lacks a file, a row lacks its content, or
anything without a row is left after the sweep.
"""

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.proofs.files.run import Result, run
from tests.support.postgres import postgres_server

BOTH = ("sqlite", "postgresql")


def main() -> int:
    """Run as told by the arguments; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.files")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--database", choices=[*BOTH, "both"], default="both")
    given = parser.parse_args()
    databases = BOTH if given.database == "both" else (given.database,)
    results = [(name, _run(name, given.kills, given.seed)) for name in databases]
    for name, result in results:
        sys.stdout.write(f"{name}: {result}\n")
    return 1 if any(result.violations for _, result in results) else 0


def _run(database: str, kills: int, seed: int) -> Result:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="formapp-files-")))
        url = f"sqlite:///{folder / 'formapp.db'}"
        if database == "postgresql":
            url = stack.enter_context(stack.enter_context(postgres_server()).database())
        return run(url, folder / "files", kills, seed)


if __name__ == "__main__":
    sys.exit(main())
