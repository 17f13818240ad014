"""The one way in which commands print: nothing that was sent reaches the terminal as a command."""

import click

from formapp.printable import printable


def echo(text: str, *, err: bool = False) -> None:
    """Print lines; unsafe characters as `printable` writes them."""
    click.echo(printable(text, lines=True), err=err)
