"""`formapp` that waits less: for a process that was killed, and between looks at both sides."""

from datetime import timedelta

from formapp import cli
from formapp.cli import crm, demo
from formapp.crm import holding, store


def main() -> None:
    """Run the command line."""
    vars(demo).update(EVERY="1s")
    for module in (crm, holding):
        vars(module).update(LEASE=timedelta(seconds=5))
    vars(holding).update(BEAT=1.0)
    vars(store).update(LEASE=timedelta(seconds=12))
    cli.main()
