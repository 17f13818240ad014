"""`formapp` that waits less: for a process that was killed, and between looks at both sides."""

from datetime import timedelta

from formapp import cli
from formapp.cli import crm, demo_crm
from formapp.crm import holding, store


def main() -> None:
    """Run the command line."""
    file = vars(demo_crm)["_FILE"]
    assert "{every}" in file
    # The page itself shows a look each three seconds: who clicks needs a page that stands still.
    vars(demo_crm).update(_FILE=file.replace("{every}", "1s"))
    for module in (crm, holding):
        vars(module).update(LEASE=timedelta(seconds=5))
    vars(holding).update(BEAT=1.0)
    vars(store).update(LEASE=timedelta(seconds=12))
    cli.main()
