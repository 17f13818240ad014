"""`formapp sandbox`: the stand-in for the Wix Contacts API."""

from pathlib import Path

import click
from flask import Flask

from formapp.cli.output import echo
from formapp.cli.wiring import ignore_signals, listening_on, on_signals, one_line_errors
from formapp.sandbox import (
    SandboxOptions,
    SandboxServer,
    SettingError,
    Settings,
    StateFileError,
    WebhookSettings,
    create_sandbox,
)


def open_sandbox(options: SandboxOptions) -> Flask:
    """Create the sandbox; a state file that is invalid becomes one line on standard error."""
    try:
        return create_sandbox(options)
    except StateFileError as error:
        raise click.ClickException(str(error)) from error


@click.command("sandbox")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True, help="Port to listen on.")
@click.option(
    "--rate-limit",
    default=200,
    show_default=True,
    help="Requests in 60 seconds for each key and site; 0 is no limit.",
)
@click.option(
    "--state-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the contacts in this file; without it they are in memory.",
)
@click.option("--webhooks", "webhooks", metavar="URL", default="", help="Send events to this URL.")
@click.option(
    "--webhook-speed",
    default=60.0,
    show_default=True,
    help="Resend failed events this many times sooner than Wix.",
)
def command(  # noqa: PLR0913, PLR0917 - click passes each option
    host: str,
    port: int,
    rate_limit: int,
    state_file: Path | None,
    webhooks: str,
    webhook_speed: float,
) -> None:
    """Run the local stand-in for the Wix Contacts API. Any key is accepted.

    With --webhooks it reports changes of contacts as Wix does. The public key that verifies them is
    at /_sandbox/webhooks/key; /webhooks shows what became of each event.

    Example: formapp sandbox --webhooks http://127.0.0.1:8000/wix/webhooks/main
    """
    try:
        switches = WebhookSettings().changed({"url": webhooks, "speed": webhook_speed})
    except SettingError as error:
        raise click.UsageError(f"--webhooks: {error}") from error
    options = SandboxOptions(Settings(rate_limit=rate_limit), switches, state_file)
    with one_line_errors():
        app = open_sandbox(options)
        with listening_on(host, port):
            server = SandboxServer(app, host, port)
    server.start()
    echo(f"contacts:  {server.url}/")
    echo(f"API:       {server.url}/contacts/v4/")
    if webhooks:
        echo(f"webhooks:  {server.url}/webhooks")
    on_signals(server.stop)
    while not server.wait(1):
        pass
    ignore_signals()
