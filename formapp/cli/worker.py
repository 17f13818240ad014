"""`formapp worker`: deliveries alone."""

import logging

import click

from formapp.cli.wiring import (
    log_to_stderr,
    make_chores,
    make_deliverer,
    on_signals,
    one_line_errors,
    open_database,
    read_settings,
)
from formapp.worker import Worker

_log = logging.getLogger(__name__)


@click.command("worker")
@click.option("--once", is_flag=True, help="Deliver what is due, then end.")
def command(*, once: bool) -> None:
    """Deliver leads to Wix; several workers may run at once."""
    log_to_stderr()
    with one_line_errors():
        settings = read_settings(wix=True)
        database = open_database(settings)
        worker = Worker(make_deliverer(settings, database), chores=make_chores(settings, database))
        on_signals(worker.stop)
        if once:
            count = worker.drain(_progress)
            _log.info("%d deliveries were due", count)
        else:
            _log.info("waiting for leads")
            worker.run()
        database.close()


def _progress(count: int) -> None:
    every = 50
    if count % every == 0:
        _log.info("%d so far", count)
