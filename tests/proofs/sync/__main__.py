"""The long form: `python -m tests.proofs.sync --examples 2000 --seed 7`.

Plays so many stories of the state machine of `tests/crm/machine.py`. Exits with 1, and prints the
shortest story, if one breaks a promise.
"""

import argparse
import sys

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.crm.machine import SyncMachine


def main() -> int:
    """Run as told by the arguments; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.sync", description=__doc__)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    chosen = settings(
        max_examples=given.examples,
        stateful_step_count=given.steps,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(given.seed)(SyncMachine), settings=chosen)
    except (AssertionError, KeyError) as error:
        sys.stderr.write("\n".join([str(error), *getattr(error, "__notes__", [])]) + "\n")
        return 1
    sys.stdout.write(f"{given.examples} stories of up to {given.steps} steps: no promise broken\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
