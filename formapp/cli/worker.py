"""`formapp worker`: deliveries and jobs alone."""

import logging
import sys
from collections.abc import Mapping

import click

from formapp.cli.wiring import (
    exit_on_signals,
    ignore_signals,
    listening_on,
    on_signals,
    one_line_errors,
    open_database,
    read_settings,
)
from formapp.cli.workers import make_worker_group, woken_by
from formapp.config.agreement import challenge_faults, confirm_faults, notify_faults
from formapp.config.settings import Settings
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import FormFilesError, load_definitions
from formapp.monitoring import logs
from formapp.monitoring.local_metrics import serve_metrics
from formapp.monitoring.metrics import Metrics

_log = logging.getLogger(__name__)


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, then end.")
@click.option(
    "--metrics-port", type=int, help="Serve Prometheus metrics on 127.0.0.1 at this port."
)
def command(*, once: bool, metrics_port: int | None) -> None:
    """Deliver leads to Wix; several workers may run at once."""
    exit_on_signals()
    with one_line_errors():
        settings = read_settings(wix=True)
        logs.configure(settings.log_format)
        forms = _readable_forms(settings)
        _log_missing_settings(settings, forms)
        metrics = Metrics()
        if metrics_port is not None:
            with listening_on("127.0.0.1", metrics_port):
                serve_metrics(metrics.registry, metrics_port)
        database = open_database(settings, create=True)
        worker = make_worker_group(settings, database, metrics, forms)
        on_signals(worker.stop)
        if once:
            tried = worker.drain(_progress)
            _log.info("tried %d deliveries, %d mails, challenges and notifications", *tried)
        else:
            with woken_by(database, worker):
                _log.info("waiting for leads")
                worker.run()
        ignore_signals()
        database.close()
        if worker.defects:
            sys.exit(1)


def _readable_forms(settings: Settings) -> dict[str, FormDefinition]:
    """Read the forms; without them a worker delivers, and leaves notifications to others."""
    try:
        return load_definitions(settings.forms)
    except (FormFilesError, OSError):
        return {}


def _log_missing_settings(settings: Settings, forms: Mapping[str, FormDefinition]) -> None:
    """Log which mails, challenges and notifications this worker can't do."""
    checks = (challenge_faults, confirm_faults, notify_faults)
    for line in [line for check in checks for line in check(settings, forms)]:
        # Pages alone need that key.
        if not line.startswith("FORMAPP_CHALLENGE_SITE_KEY"):
            _log.error("%s; what this worker can't do waits for one that can", line)


def _progress(count: int) -> None:
    every = 50
    if count % every == 0:
        _log.info("%d so far", count)
