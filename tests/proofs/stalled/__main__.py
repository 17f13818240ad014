"""The long form: `python -m tests.proofs.stalled --connections 1000 --seconds 120`.

So many connections stall or trickle at a `formapp serve`, and are made again when it ends them. A
visitor opens a page twenty times a second meanwhile. Prints how long that took, and exits with 1
if a page failed, or if 99 of 100 did not come within 0.2 seconds.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.proofs.stalled.run import run

PROMISED = 0.2


def main() -> int:
    """Run as told by the arguments; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.stalled", description=__doc__)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--uploads", action="store_true", help="all of them trickle files")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="formapp-stalled-") as folder:
        result = run(Path(folder), given.connections, given.seconds, uploads=given.uploads)
    shares = {"half": 0.5, "95 of 100": 0.95, "99 of 100": 0.99, "all": 1.0}
    for name, share in shares.items():
        sys.stdout.write(f"{name:<10} within {result.percentile(share) * 1000:6.1f} ms\n")
    pages = f"{len(result.waits)} pages, {result.failures} failed"
    sys.stdout.write(f"{pages}; {result.renewed} connections ended by the server\n")
    return 1 if result.failures or result.percentile(0.99) >= PROMISED else 0


if __name__ == "__main__":
    sys.exit(main())
