"""`formapp forms`: checking form files. Needs no settings."""

import os
import sys
from pathlib import Path

import click

from formapp.cli.wiring import number_of
from formapp.forms.definition.parse import check_forms
from formapp.forms.loader import load_forms
from formapp.resources import BUNDLED_FORMS


@click.group("forms")
def command() -> None:
    """Check form files."""


@command.command("check")
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
def check(folder: Path | None) -> None:
    """Check the form files of DIR and print every fault.

    Without DIR the folder of FORMAPP_FORMS is checked, or the forms that come with formapp.
    """
    folder = folder or Path(os.environ.get("FORMAPP_FORMS") or BUNDLED_FORMS)
    faults = check_forms(folder)
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        click.echo(f"formapp: {number_of(len(faults), 'fault')} in {folder}", err=True)
        sys.exit(1)
    forms = load_forms(folder)
    click.echo(f"{number_of(len(forms), 'form')} in {folder}: {', '.join(forms)}. No faults.")
