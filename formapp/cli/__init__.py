"""The command line. Each command's module is loaded when it is called: `--help` stays quick."""

import difflib
import importlib
import sys
from typing import Any

import click

from formapp import __version__
from formapp.printable import printable

_COMMANDS = {
    "demo": "Try everything at once: sandbox, forms and deliveries, with no account.",
    "serve": "Serve the forms, with the worker in the same process.",
    "worker": "Deliver leads to Wix.",
    "sandbox": "Run the local stand-in for the Wix Contacts API.",
    "init": "Begin an installation: a form, settings, and what a server needs.",
    "forms": "Check form files, or begin one.",
    "leads": "See, retry, export and erase submissions and their deliveries.",
    "users": "Add, list and remove the people who may sign in to the inbox.",
    "files": "Look after the files that visitors sent.",
    "notify": "Try how a form notifies, and notify of a lead again.",
    "crm": "Copy contacts to another CRM, or keep both sides equal.",
    "db": "Look after the database.",
    "doctor": "Check everything, and say what to do about each fault.",
    "manual": "Read the manual.",
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            near = difflib.get_close_matches(cmd_name, _COMMANDS, 1)
            if near and not ctx.resilient_parsing:
                ctx.fail(f"No such command '{cmd_name}'. Did you mean '{near[0]}'?")
            return None
        module = importlib.import_module(f"formapp.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; its errors may quote arguments, files and other servers."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            error.message = printable(error.message, lines=True)  # type: ignore[misc] # its only text
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's interface
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="formapp")
def cli() -> None:
    """Bring every lead to Wix, as exactly one contact."""


def main() -> None:
    """Run the command line; exit code 0, 1 failed, 2 wrong use."""
    try:
        cli(prog_name="formapp")
    except BrokenPipeError:
        # The reader closed the pipe, such as `| head`: not an error.
        sys.stderr.close()
        sys.exit(1)
