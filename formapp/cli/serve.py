"""`formapp serve`: the web server, and the worker beside it."""

import gc
import logging
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial

import click
from flask import Flask

from formapp.app import create_app
from formapp.cli.cores import spread
from formapp.cli.disks import ADVICE, vanishing_database
from formapp.cli.load import body_limits, load
from formapp.cli.processes import MOST, serve_many
from formapp.cli.reload import reload_on_change
from formapp.cli.wiring import (
    exit_on_signals,
    ignore_signals,
    listening_on,
    on_signals,
    one_line_errors,
    open_database,
    read_settings,
)
from formapp.cli.worker import make_worker_group, woken_by
from formapp.config.settings import Settings
from formapp.forms.form import Form
from formapp.jobs.worker import WorkerGroup
from formapp.monitoring import logs
from formapp.monitoring.metrics import Metrics
from formapp.server import Server, listen
from formapp.web.public.views import answers_at_once
from formapp.web.services import EXTENSION

_log = logging.getLogger(__name__)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--worker/--no-worker", default=True, help="Deliver leads in this process, too.")
@click.option("--reload", is_flag=True, help="Show form files as they change, while you write.")
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, MOST),
    help="Web servers on this address; with several, the worker is one more process.",
)
@click.option(
    "--any-core",
    is_flag=True,
    help="Let the system move several web servers between cores; otherwise each has its own.",
)
def command(  # noqa: PLR0913 - a command's options
    host: str, port: int, *, worker: bool, reload: bool, processes: int, any_core: bool
) -> None:
    """Serve the forms, with the worker in the same process."""
    if reload and processes > 1:
        raise click.UsageError("--reload is for one process: leave --processes out while you write")
    exit_on_signals()
    with one_line_errors():
        settings = read_settings(web=True, wix=worker)
        logs.configure(settings.log_format)
        forms = load(settings)
        if reason := vanishing_database(settings.database_url):
            _log.warning("%s; %s", reason, ADVICE)
        with listening_on(host, port):
            listener = listen(host, port)
        where = settings.base_url or f"http://{host}:{listener.getsockname()[1]}"

        def ready(app: Flask | None = None) -> None:
            if reload and app:
                reload_on_change(app, settings.forms, partial(load, settings))
            by = f" by {processes} processes" if processes > 1 else ""
            _log.info("serving %s at %s/f/…%s", ", ".join(forms), where, by)

        if processes == 1:
            serve(settings, forms, listener, ready, worker=worker)
            return
        cores = [None] * processes if any_core else spread(processes)
        if not serve_many(settings, forms, listener, ready, cores, worker=worker):
            sys.exit(1)


def serve(
    settings: Settings,
    forms: Mapping[str, Form],
    listener: socket.socket,
    ready: Callable[[Flask], None],
    *,
    worker: bool = True,
) -> None:
    """Serve until a signal comes; `ready` gets the app before the first request is answered."""
    database, metrics = open_database(settings, create=True), Metrics()
    files = {name: form.definition for name, form in forms.items()}
    runner = make_worker_group(settings, database, metrics, files) if worker else None
    on_kept = runner.wake if runner else None
    app = create_app(settings, forms=forms, database=database, on_kept=on_kept, metrics=metrics)
    server = Server(
        app,
        listener,
        body_limits=body_limits(forms),
        at_once=partial(answers_at_once, app),
        # PostgreSQL commits by another core, which would be idle during one more look.
        gathers=database.is_sqlite,
    )
    on_signals(server.stop)
    # All objects so far are permanent: garbage collection can skip them.
    gc.freeze()
    ready(app)
    with woken_by(database, runner) if runner else nullcontext():
        run_together(server, runner)
    app.extensions[EXTENSION].visits.close()
    ignore_signals()
    database.close()


def run_together(server: Server, runner: WorkerGroup | None) -> None:
    """Run the server here and the worker in a thread, until the server is stopped.

    Both end at the same time: each has most of the 30 s that a process gets.
    """
    if runner is None:
        server.run()
        return
    thread = threading.Thread(target=runner.run, name="worker")
    thread.start()
    try:
        server.run(runner.stop)
    finally:
        runner.stop()
        thread.join()
