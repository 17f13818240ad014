"""`formapp manual`: the manual in a terminal."""

import difflib
import sys

import click

from formapp.cli.output import echo
from formapp.manual import read, topics


@click.command("manual", epilog="Example: formapp manual spam")
@click.argument("topic", required=False)
def command(topic: str | None) -> None:
    """Read a topic of the manual; without one, list them."""
    titles = topics()
    if topic is None:
        width = max(map(len, titles))
        for name, title in titles.items():
            echo(f"{name:{width}}  {title}")
        return
    if topic not in titles:
        near = difflib.get_close_matches(topic, titles, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(titles)}"
        raise click.ClickException(f"the manual has no topic {topic!r}: {hint}")
    if sys.stdout.isatty():
        click.echo_via_pager(read(topic))
    else:
        echo(read(topic).rstrip())
