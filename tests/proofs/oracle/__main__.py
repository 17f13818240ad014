"""The long form: `python -m tests.proofs.oracle --posts 2000 --seed 7`.

Posts that often for people who are contacts and for people who aren't, in a shuffled order, to a
server with its worker and a sandbox. All answers must be the same bytes but for token, request id
and date, and their times must not tell the two apart: |AUC - 0.5| below 0.05, which chance alone
passes once in millions of runs of 2,000. Exits 1 otherwise.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from tests.proofs.oracle.asking import SETTINGS, Asked, ask, write_form
from tests.support.postgres import postgres_server
from tests.support.processes import Commands, Installation

BOUND = 0.05


def main() -> int:
    """Run as told by the arguments; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.oracle", description=__doc__)
    parser.add_argument("--posts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory(prefix="formapp-oracle-") as name, postgres_server() as server:
        for kind in ("sqlite", "postgresql"):
            folder = Path(name) / kind
            folder.mkdir()
            with server.database() as url:
                address = url if kind == "postgresql" else f"sqlite:///{folder / 'formapp.db'}"
                learnt = _ask(folder, address, asked.posts, asked.seed)
            sys.stdout.write(f"\n{kind}, seed {asked.seed}\n{table(learnt)}\n")
            failed |= tells_apart(learnt, BOUND)
    return int(failed)


def _ask(folder: Path, url: str, posts: int, seed: int) -> Asked:
    commands = Commands(folder)
    try:
        forms = write_form(folder / "forms")
        return ask(Installation(commands, url, FORMS=forms, **SETTINGS), posts, seed)
    finally:
        commands.close()


def tells_apart(learnt: Asked, bound: float) -> bool:
    """Whether known people can be told from unknown ones, by bytes or by time."""
    by_bytes = any(len(answers) > 1 for answers in learnt.answers.values())
    return by_bytes or abs(learnt.ranks().auc - 0.5) >= bound


def table(learnt: Asked) -> str:
    """What was learnt, in columns of text."""
    ranks = learnt.ranks()
    lines = [f"  {'different answers':<26}{'':>8}"]
    lines += [f"    {way:<24}{len(answers):>8}" for way, answers in learnt.answers.items()]
    for is_known, name in ((True, "known"), (False, "unknown")):
        times = learnt.seconds[is_known]
        cuts = statistics.quantiles(times, n=100)
        figures = f"median {cuts[49] * 1000:.2f} ms, p99 {cuts[98] * 1000:.1f} ms"
        lines.append(f"  {name:<26}{len(times):>8} posts, {figures}")
    return "\n".join([*lines, f"  AUC {ranks.auc:.4f}, p {ranks.p:.3f}"])


if __name__ == "__main__":
    sys.exit(main())
