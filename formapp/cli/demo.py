"""`formapp demo`: the main job with no account and no set-up."""

import secrets
from pathlib import Path

import click
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from formapp.app import create_app
from formapp.cli.serve import run_together
from formapp.cli.wiring import (
    end_before_beginning,
    no_more_signals,
    on_signals,
    one_line_errors,
    open_database,
)
from formapp.cli.workers import make_crew
from formapp.config.settings import Settings
from formapp.demo import Addresses, create_example, open_to
from formapp.forms.loader import load_forms
from formapp.monitoring.metrics import Metrics
from formapp.ports import PortInUseError
from formapp.sandbox import SandboxOptions, SandboxServer, create_sandbox
from formapp.server import Server, listen
from formapp.web.owner import share
from formapp.web.owner.sign_in import Owner

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
    end_before_beginning()
    with one_line_errors():
        _make_folder(data)
        listener = listen("127.0.0.1", port)
        sandbox, web_port = _sandbox(sandbox_port, data), listener.getsockname()[1]
        addresses = Addresses(f"http://127.0.0.1:{web_port}", sandbox.url)
        sandbox.mount(addresses)
        settings = _settings(addresses, data)
        database = open_database(settings)
        origins = tuple(f"http://{host}:{sandbox.port}" for host in ("127.0.0.1", "localhost"))
        metrics = Metrics()
        worker = make_crew(settings, database, metrics)
        app = create_app(
            settings,
            forms=open_to(load_forms(settings.forms), origins),
            database=database,
            on_kept=worker.wake,
            metrics=metrics,
        )
        # It is reached from this machine alone.
        share.init_app(app, Owner(everybody=True))
    server = Server(app, listener)
    on_signals(server.stop)
    _greet(addresses, data)
    with sandbox.server:
        run_together(server, worker)
    no_more_signals()
    database.close()


class _Demo:
    """The sandbox, with the example page beside it once the addresses are known."""

    def __init__(self, port: int, data: Path) -> None:
        options = SandboxOptions(state_file=data / "contacts.json")
        self._app = DispatcherMiddleware(create_sandbox(options))
        self.server = SandboxServer(self._app, "127.0.0.1", port)
        self.url = self.server.url
        self.port = self.server.port

    def mount(self, addresses: Addresses) -> None:
        self._app.mounts = {"/example": create_example(addresses)}


def _sandbox(port: int, data: Path) -> _Demo:
    try:
        return _Demo(port, data)
    except OSError as error:
        raise PortInUseError(f"127.0.0.1:{port} can't be listened on: {error.strerror}") from error


def _make_folder(data: Path) -> None:
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"the folder {data} can't be made: {error.strerror}; choose another with --data"
        raise click.ClickException(reason) from error


def _settings(addresses: Addresses, data: Path) -> Settings:
    return Settings.read(
        {
            "FORMAPP_DATABASE_URL": f"sqlite:///{data.absolute() / 'formapp.db'}",
            "FORMAPP_SECRET_KEY": secrets.token_hex(),
            "FORMAPP_BASE_URL": addresses.web,
            "FORMAPP_TRUSTED_HOSTS": "127.0.0.1,localhost",
            "FORMAPP_WIX_API_URL": addresses.sandbox,
            "FORMAPP_WIX_API_KEY": "any-key-is-accepted-by-the-sandbox",
            "FORMAPP_WIX_SITE_ID": _SITE,
            # Everybody who tries the demo has the same address.
            "FORMAPP_LIMIT_PER_ADDRESS": "off",
        },
        web=True,
        wix=True,
    )


def _greet(addresses: Addresses, data: Path) -> None:
    click.echo(
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
