"""`formapp forms`: checking form files, and beginning one. Needs no settings."""

import os
import sys
from pathlib import Path

import click

from formapp.cli.output import echo
from formapp.cli.wiring import number_of
from formapp.config.agreement import check_files
from formapp.forms.definition.explain import suggestion
from formapp.forms.definition.parse import FormFilesError, names_in, parse_form
from formapp.resources import BUNDLED_FORMS
from formapp.starter import KINDS, languages, render_form


@click.group("forms")
def command() -> None:
    """Check form files, or begin one."""


@command.command("check")
@click.argument("path", metavar="[PATH]", required=False)
def check(path: str | None) -> None:
    """Check form files and print every fault.

    PATH is a folder, a file, or the name of a form. Forms are in the folder of FORMAPP_FORMS, else
    they are those that come with formapp; without PATH, all of them are checked. The project file
    formapp.toml is checked with them, and that each form's site is in it.
    """
    place = _find(path, Path(os.environ.get("FORMAPP_FORMS") or BUNDLED_FORMS))
    forms, faults = check_files(place, os.environ)
    if faults:
        echo("\n".join(faults), err=True)
        echo(f"formapp: {number_of(len(faults), 'fault')} in {place}", err=True)
        sys.exit(1)
    echo(f"{number_of(len(forms), 'form')} in {place}: {', '.join(forms)}. No faults.")


@command.command("new")
@click.argument("name", metavar="NAME")
@click.option("--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True)
@click.option("--language", type=click.Choice(languages()), default="en", show_default=True)
@click.option("--origin", "origins", multiple=True, help="A site that shows it; may be repeated.")
def new(name: str, kind: str, language: str, origins: tuple[str, ...]) -> None:
    """Begin a form: write NAME.toml to the folder of form files, to be changed.

    That is the folder of FORMAPP_FORMS, else `forms`.
    """
    folder = Path(os.environ.get("FORMAPP_FORMS") or "forms")
    file = folder / f"{name}.toml"
    text = render_form(name, kind, language, origins)
    try:
        parse_form(file.name, text)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FormFilesError as error:
        raise click.ClickException(str(error)) from None
    except FileExistsError:
        raise click.ClickException(f"{file} exists already") from None
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror}") from error
    echo(f"{file} is written. Change it, then: formapp forms check {name}")


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
