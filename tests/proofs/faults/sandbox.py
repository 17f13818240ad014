"""`formapp sandbox` on the run's clock: `python -m tests.proofs.faults.sandbox --clock JSON`."""

import argparse
import json
import signal
import sys

from formapp.sandbox import SandboxOptions, SandboxServer, Settings, create_sandbox
from tests.proofs.faults.clock import FastClock


def main() -> None:
    """Serve until SIGTERM; prints the address once it does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clock", required=True)
    parser.add_argument("--settings", default="{}")
    chosen = parser.parse_args()
    clock = FastClock.from_json(json.loads(chosen.clock))
    settings = Settings().changed(json.loads(chosen.settings))
    server = SandboxServer(create_sandbox(SandboxOptions(settings=settings, clock=clock.seconds)))
    server.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(server.url + "\n")
    sys.stdout.flush()
    while not server.wait(1):
        pass


if __name__ == "__main__":
    main()
