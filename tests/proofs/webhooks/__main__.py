"""The long form: `python -m tests.proofs.webhooks --events 5000 --clients 16 --visitors 4`.

Posts events to a `formapp serve` as Wix does, while visitors send forms as quickly as they can.
Prints how long the answers took, and exits with 1 if one wasn't 200, if an event isn't in the
database, or if 99 of 100 did not come within 1,250 ms.
"""

import argparse
import sys
import tempfile
import threading
from pathlib import Path

from sqlalchemy import func, select

from formapp.db.database import Database
from formapp.db.tables import crm_events
from tests.proofs.webhooks.run import measure
from tests.support.processes import Commands, free_port, send, wait_for
from tests.support.wixevents import KEY, PEM

PROMISED = 1.25


def main() -> int:
    """Run as the arguments say; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--visitors", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="formapp-webhooks-") as folder:
        return _run(Path(folder), given.events, given.clients, given.visitors)


def _run(folder: Path, events: int, clients: int, visitors: int) -> int:
    url, port = f"sqlite:///{folder / 'formapp.db'}", free_port()
    commands = Commands(folder)
    settings = {
        "DATABASE_URL": url,
        "SECRET_KEY": "a key that is long enough",
        "WIX_PUBLIC_KEY": PEM,
        "LIMIT_PER_ADDRESS": "off",
        "LIMIT_PER_FORM": "off",
    }
    commands.run("db", "upgrade", **settings)
    try:
        commands.start("serve", "--no-worker", "--port", str(port), **settings)
        base, done, sent = f"http://127.0.0.1:{port}", threading.Event(), [0] * visitors
        wait_for(f"{base}/healthz")

        def visit(number: int) -> None:
            while not done.is_set():
                send(base, "contact", email=f"v{number}@example.com", message="Hello")
                sent[number] += 1

        threads = [threading.Thread(target=visit, args=(number,)) for number in range(visitors)]
        for thread in threads:
            thread.start()
        result = measure(f"{base}/wix/webhooks/main", KEY, events=events, clients=clients)
        done.set()
        for thread in threads:
            thread.join()
    finally:
        commands.close()
    database = Database(url)
    with database.read() as connection:
        stored = connection.execute(select(func.count()).select_from(crm_events)).scalar_one()
    database.close()
    for percent in (50, 95, 99, 100):
        sys.stdout.write(f"{percent:>3} % within {result.percentile(percent) * 1000:7.1f} ms\n")
    sys.stdout.write(f"{events} events, {result.refused} refused, {stored} stored; ")
    sys.stdout.write(f"{sum(sent)} forms sent meanwhile\n")
    good = not result.refused and stored == events and result.percentile(99) < PROMISED
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
