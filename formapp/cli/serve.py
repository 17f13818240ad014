"""`formapp serve`: the web server, and the worker beside it."""

import gc
import logging
import threading
from contextlib import ExitStack

import click

from formapp.app import create_app
from formapp.cli.load import load
from formapp.cli.wiring import (
    exit_on_signals,
    ignore_signals,
    on_signals,
    one_line_errors,
    open_database,
    read_settings,
)
from formapp.cli.workers import make_worker_group, woken_by
from formapp.jobs.worker import WorkerGroup
from formapp.monitoring import logs
from formapp.monitoring.metrics import Metrics
from formapp.server import Server, listen

_log = logging.getLogger(__name__)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--worker/--no-worker", default=True, help="Deliver leads in this process, too.")
def command(host: str, port: int, *, worker: bool) -> None:
    """Serve the forms, with the worker in the same process."""
    exit_on_signals()
    with one_line_errors():
        settings = read_settings(web=True, wix=worker)
        logs.configure(settings.log_format)
        forms = load(settings)
        listener = listen(host, port)
        database, metrics = open_database(settings, create=True), Metrics()
        runner = make_worker_group(settings, database, metrics) if worker else None
        app = create_app(
            settings,
            forms=forms,
            database=database,
            on_kept=runner.wake if runner else None,
            metrics=metrics,
        )
    server = Server(app, listener)
    on_signals(server.stop)
    # All objects so far are permanent: garbage collection can skip them.
    gc.freeze()
    where = settings.base_url or f"http://{host}:{listener.getsockname()[1]}"
    _log.info("serving %s at %s/f/…", ", ".join(forms), where)
    with ExitStack() as beside:
        if runner:
            beside.enter_context(woken_by(database, runner))
        run_together(server, runner)
    ignore_signals()
    database.close()


def run_together(server: Server, runner: WorkerGroup | None) -> None:
    """Run the server here and the worker in a thread; both have ended when this returns.

    Both end at the same time: each has most of the 30 s that a process gets.
    """
    thread = threading.Thread(target=runner.run, name="worker") if runner else None
    if thread:
        thread.start()
    try:
        server.run(runner.stop if runner else _nothing)
    finally:
        if runner and thread:
            runner.stop()
            thread.join()


def _nothing() -> None:
    """Deliveries are another process's work."""
