"""`formapp forms`: checking form files. Needs no settings."""

import os
import sys
from pathlib import Path

import click

from formapp.cli.output import echo
from formapp.cli.wiring import number_of
from formapp.forms.definition.explain import suggestion
from formapp.forms.definition.parse import check_file, check_forms, names_in
from formapp.resources import BUNDLED_FORMS


@click.group("forms")
def command() -> None:
    """Check form files."""


@command.command("check")
@click.argument("path", metavar="[PATH]", required=False)
def check(path: str | None) -> None:
    """Check form files and print every fault.

    PATH is a folder, a file, or the name of a form. Forms are in the folder of FORMAPP_FORMS, else
    they are those that come with formapp; without PATH, all of them are checked.
    """
    place = _find(path, Path(os.environ.get("FORMAPP_FORMS") or BUNDLED_FORMS))
    is_file = place.is_file()
    faults = check_file(place) if is_file else check_forms(place)
    for fault in faults:
        echo(str(fault), err=True)
    if faults:
        echo(f"formapp: {number_of(len(faults), 'fault')} in {place}", err=True)
        sys.exit(1)
    names = [place.stem] if is_file else names_in(place)
    echo(f"{number_of(len(names), 'form')} in {place}: {', '.join(names)}. No faults.")


def _find(path: str | None, folder: Path) -> Path:
    if path is None:
        return folder
    file = folder / f"{path}.toml"
    for place in (Path(path), file):
        if place.exists():
            return place
    hint = suggestion(path.removesuffix(".toml"), names_in(folder))
    known = hint or f"the forms of {folder} are {', '.join(names_in(folder)) or 'none'}"
    raise click.ClickException(f"there is no folder, file or form {path}; {known}")
