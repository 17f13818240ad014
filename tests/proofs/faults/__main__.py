"""The long form: `python -m tests.proofs.faults --kills 2000 --seed 7 [--database both]`.

First rounds of kills, then the scenes (`scenes.py`). Prints a table at the end and exits 1 if
anything was violated; progress goes to standard error. `--round N` replays one round of a run,
`--scene NAME` one scene: the plan of kills, faults and leads is the same, its timing isn't.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.proofs.faults.plan import rounds
from tests.proofs.faults.result import Result
from tests.proofs.faults.round import run_round
from tests.proofs.faults.scenes import scenes
from tests.proofs.faults.setting import Place
from tests.proofs.faults.table import table
from tests.support.postgres import PostgresServer, postgres_server

BOTH = ["sqlite", "postgresql"]


class Run:
    """One run of the long form."""

    def __init__(self, folder: Path, server: PostgresServer | None, seed: int) -> None:
        self._folder = folder
        self._server = server
        self._seed = seed
        self._started = time.monotonic()
        self.total = Result()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._started

    def play_rounds(self, kills: int, databases: list[str], only: int | None) -> None:
        """Kill."""
        for plan in rounds(self._seed, kills, databases):
            if only in {None, plan.number}:
                with self._place(f"round-{plan.number}", plan.database) as place:
                    result = run_round(plan, place.folder, place.url)
                self._add(f"round {plan.number}, {plan.database}", result)

    def play_scenes(self, databases: list[str], only: str | None) -> None:
        """Play the scenes; their violations count like the others, their leads apart."""
        for database in databases:
            for name, scene in scenes(database):
                if only not in {None, name}:
                    continue
                started = time.monotonic()
                with self._place(f"{name}-{database}", database) as place:
                    played = scene(place)
                head = f"{name}, {database}"
                if played is None:
                    self._add(head, Result(scenes=[f"{head}: skipped, no file system to mount"]))
                    continue
                said = f"{len(played.violations)} violations, {played.counts['leads']} leads"
                line = f"{head}: {said}, {time.monotonic() - started:.0f} s"
                self._add(head, Result(violations=played.violations, scenes=[line]))

    def _add(self, head: str, result: Result) -> None:
        self.total.add(result)
        kills, leads = sum(result.kills.values()), result.counts["leads"]
        said = f"{kills} kills, {leads} leads, {len(result.violations)} violations"
        lines = [f"{head}: {self.seconds:.0f} s, {'; '.join(result.scenes) or said}"]
        lines += [f"  {violation}" for violation in result.violations]
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()

    @contextmanager
    def _place(self, name: str, database: str) -> Iterator[Place]:
        folder = self._folder / name
        folder.mkdir(parents=True)
        seed = f"{self._seed}:{name}"
        if database == "sqlite" or self._server is None:
            yield Place(folder, f"sqlite:///{folder / 'formapp.db'}", seed, long=True)
        else:
            with self._server.database() as url:
                yield Place(folder, url, seed, long=True)


def main() -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=[*BOTH, "both"], default="both")
    parser.add_argument("--round", type=int, help="only this one, and no scene")
    parser.add_argument("--scene", help="only this one, and no round")
    parser.add_argument("--keep", type=Path, help="a folder for databases and logs")
    chosen = parser.parse_args()
    databases = BOTH if chosen.database == "both" else [chosen.database]
    signal.signal(signal.SIGTERM, _end)
    with _server(databases) as server, _folder(chosen.keep) as folder:
        run = Run(folder, server, chosen.seed)
        try:
            if chosen.scene is None:
                run.play_rounds(chosen.kills, databases, chosen.round)
            if chosen.round is None:
                run.play_scenes(databases, chosen.scene)
        finally:
            # Also of a run that is asked to end before.
            sys.stdout.write(table(run.total, chosen.seed, run.seconds) + "\n")
    return 1 if run.total.violations else 0


def _end(number: int, _frame: object) -> None:
    """Asked to end: its servers end, too. To be asked twice must not disturb that."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(1)


@contextmanager
def _server(databases: list[str]) -> Iterator[PostgresServer | None]:
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


if __name__ == "__main__":
    sys.exit(main())
