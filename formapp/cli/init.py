"""`formapp init`: a folder with all that a new installation needs."""

import getpass
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from formapp import __version__
from formapp.cli.output import echo
from formapp.config import checks
from formapp.forms.definition.parse import FormFilesError, load_definitions
from formapp.forms.origins import origin_of
from formapp.resources import PACKAGE
from formapp.starter import KINDS, Starter, languages, render_files

_PLAIN_PATH = re.compile(r"[\w./+@-]+", re.ASCII)
"""Paths that mean the same to systemd, nginx, Docker and the shell."""

_PLAIN_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_PRIVATE = 0o600


class _Checked(click.ParamType[str]):
    name = "text"

    def __init__(self, check: Callable[[str], str]) -> None:
        self._check = check

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return self._check(str(value).strip())
        except ValueError as error:
            self.fail(f'"{value}" {error}', param, ctx)


def _name(value: str) -> str:
    if not value or not value.isprintable():
        raise ValueError("can't be a name")
    return value


def _origin(value: str) -> str:
    found = origin_of(value if "://" in value else f"https://{value}")
    if found is None or not _PLAIN_HOST.fullmatch(urlsplit(found).hostname or ""):
        raise ValueError("is no site; write it like https://www.example.com")
    return found


def _base_url(value: str) -> str:
    return _origin(checks.base(checks.address(value)))


_NAME, _ORIGIN, _BASE_URL = _Checked(_name), _Checked(_origin), _Checked(_base_url)


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", type=_NAME, help="The name of the business.")
@click.option("--origin", type=_ORIGIN, help="The site that shows the form.")
@click.option("--language", type=click.Choice(languages()), help="The form's language.")
@click.option("--kind", type=click.Choice(KINDS), help="The kind of form.")
@click.option("--base-url", type=_BASE_URL, help="Where the forms are reached; else forms.…")
def command(folder: Path, base_url: str | None, **given: str | None) -> None:
    """Begin an installation in FOLDER: a form, settings, and what a server needs.

    Asks for what no option says. Overwrites nothing.
    """
    folder = folder.absolute()
    if not _PLAIN_PATH.fullmatch(str(folder)):
        problem = "has characters that systemd or nginx would read otherwise; choose another path"
        raise click.ClickException(f"{folder} {problem}")
    answers = _ask(given)
    origin = answers["origin"]
    files = render_files(
        Starter(
            name=answers["name"],
            origin=origin,
            base_url=base_url or _forms_address(origin),
            language=answers["language"],
            kind=answers["kind"],
            folder=folder,
            command=Path(sys.executable).with_name("formapp"),
            source=str(PACKAGE.parent) if (PACKAGE.parent / "requirements.lock").is_file() else "",
            user=_service_user(),
            version=__version__,
        )
    )
    _write(folder, files)
    try:
        load_definitions(folder / "forms")
    except FormFilesError as error:
        raise click.ClickException(str(error)) from None
    echo(_next_steps(folder, files, answers["kind"]))


def _ask(given: Mapping[str, str | None]) -> dict[str, str]:
    """Return an answer to each question; without a terminal, each must have its option."""
    questions: dict[str, dict[str, Any]] = {
        "name": {"text": "Name of the business", "type": _NAME},
        "origin": {"text": "Site that shows the form", "type": _ORIGIN},
        "language": {"text": "Language", "type": click.Choice(languages()), "default": "en"},
        "kind": {"text": "Kind of form", "type": click.Choice(KINDS), "default": KINDS[0]},
    }
    missing = [name for name in questions if given[name] is None]
    if missing and not _can_ask():
        options = ", ".join(f"--{name}" for name in missing)
        raise click.UsageError(f"without a terminal to ask in, give {options}")
    return {name: given[name] or click.prompt(**how) for name, how in questions.items()}


def _can_ask() -> bool:
    return sys.stdin.isatty()


def _service_user() -> str:
    """The user who begins the installation runs it, but for root."""
    user = getpass.getuser()
    return "formapp" if user == "root" else user


def _forms_address(origin: str) -> str:
    """Return `https://forms.example.com` for `https://www.example.com`."""
    host = urlsplit(origin).hostname or ""
    return f"https://forms.{host.removeprefix('www.')}"


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files, or none if one exists; those with secrets for this user alone."""
    if there := [path for path in files if (folder / path).exists()]:
        raise click.ClickException(f"{folder} has already {', '.join(there)}; nothing was written")
    try:
        (folder / "data").mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            mode = _PRIVATE if path == ".env" else 0o644
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "w", encoding="utf-8") as opened:
                opened.write(text)
    except OSError as error:
        raise click.ClickException(f"{folder} can't be written: {error.strerror}") from error


def _next_steps(folder: Path, files: Mapping[str, str], kind: str) -> str:
    written = "\n".join(f"  {path}" for path in (*files, "data/"))
    program = Path(sys.executable).with_name("formapp")
    return f"""Written to {folder}:
{written}

  1. Look at the form:          {program} demo --forms {folder / "forms"}
  2. Connect Wix:               set the key and the site's id in {folder / ".env"}
  3. Check everything:          cd {folder} && set -a && . ./.env && {program} doctor
  4. Run it:                    {program} serve, or deploy/formapp.service, or deploy/compose.yaml

The form's file is {folder / "forms" / f"{kind}.toml"}."""
