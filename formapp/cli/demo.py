"""`formapp demo`: the main job with no account and no set-up."""

import secrets
from pathlib import Path

import click
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from formapp.app import create_app
from formapp.cli.output import echo
from formapp.cli.serve import run_together
from formapp.cli.wiring import (
    exit_on_signals,
    ignore_signals,
    listening_on,
    on_signals,
    one_line_errors,
    open_database,
)
from formapp.cli.workers import make_worker_group
from formapp.config.settings import Settings
from formapp.demo import Addresses, allow_origins, create_example
from formapp.forms.loader import load_forms
from formapp.monitoring.metrics import Metrics
from formapp.sandbox import SandboxOptions, SandboxServer, create_sandbox
from formapp.server import Server, listen
from formapp.web.owner import share
from formapp.web.owner.sign_in import Owner

_HOST = "127.0.0.1"
_DATABASE = "formapp.db"
_SITE = "00000000-0000-4000-8000-00000000de40"


@click.command("demo")
@click.option("--port", default=8000, show_default=True, help="Port of the forms.")
@click.option("--sandbox-port", default=8001, show_default=True, help="Port of the sandbox.")
@click.option(
    "--data",
    default="formapp-demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the demo's database and contacts.",
)
def command(port: int, sandbox_port: int, data: Path) -> None:
    """Try everything at once: sandbox, forms and deliveries, with no account."""
    exit_on_signals()
    with one_line_errors():
        _make_folder(data)
        listener = listen(_HOST, port)
        options = SandboxOptions(state_file=data / "contacts.json")
        sandbox_app = DispatcherMiddleware(create_sandbox(options))
        with listening_on(_HOST, sandbox_port):
            sandbox = SandboxServer(sandbox_app, _HOST, sandbox_port)
        addresses = Addresses(f"http://{_HOST}:{listener.getsockname()[1]}", sandbox.url)
        sandbox_app.mounts = {"/example": create_example(addresses)}
        settings = _settings(addresses, data)
        database = open_database(settings)
        origins = tuple(f"http://{host}:{sandbox.port}" for host in (_HOST, "localhost"))
        metrics = Metrics()
        worker = make_worker_group(settings, database, metrics)
        app = create_app(
            settings,
            forms=allow_origins(load_forms(settings.forms), origins),
            database=database,
            on_kept=worker.wake,
            metrics=metrics,
        )
        # Only this machine reaches it.
        share.init_app(app, Owner(everybody=True))
    server = Server(app, listener)
    on_signals(server.stop)
    _greet(addresses, data)
    with sandbox:
        run_together(server, worker)
    ignore_signals()
    database.close()


def _make_folder(data: Path) -> None:
    try:
        is_ours = not data.exists() or (data / _DATABASE).exists()
        data.mkdir(parents=True, exist_ok=True)
        if is_ours:
            data.chmod(0o700)  # whatever the umask says
    except OSError as error:
        reason = f"the folder {data} can't be made: {error.strerror}; choose another with --data"
        raise click.ClickException(reason) from error


def _settings(addresses: Addresses, data: Path) -> Settings:
    return Settings.read(
        {
            "FORMAPP_DATABASE_URL": f"sqlite:///{data.absolute() / _DATABASE}",
            "FORMAPP_SECRET_KEY": secrets.token_hex(),
            "FORMAPP_BASE_URL": addresses.web,
            "FORMAPP_TRUSTED_HOSTS": "127.0.0.1,localhost",
            "FORMAPP_WIX_API_URL": addresses.sandbox,
            "FORMAPP_WIX_API_KEY": "any-key-is-accepted-by-the-sandbox",
            "FORMAPP_WIX_SITE_ID": _SITE,
            # All visitors of the demo have the same address.
            "FORMAPP_LIMIT_PER_ADDRESS": "off",
        },
        web=True,
        wix=True,
    )


def _greet(addresses: Addresses, data: Path) -> None:
    echo(
        f"""formapp demo is running.

  1. Fill in a form:            {addresses.form}
     or another one:            {addresses.web}/f/quote
                                {addresses.web}/f/newsletter
  2. See the contact it made:   {addresses.contacts}
  3. A form on another site:    {addresses.example}
  4. What to paste into yours:  {addresses.share}

The contacts are in a sandbox that stands in for Wix; nothing leaves this machine.
What visitors sent is kept in {data / "formapp.db"}. Ctrl+C ends the demo.""",
    )
