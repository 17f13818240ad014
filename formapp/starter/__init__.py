"""The files of a new installation, as texts: rendered from `templates`, with nothing left to edit.

Values are checked before: no text can end a line or a string of any of these formats.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
KINDS = ("contact", "callback", "newsletter")
_FILES = (
    "formapp.toml",
    ".env",
    ".gitignore",
    "deploy/formapp.service",
    "deploy/nginx.conf",
    "deploy/Dockerfile",
    "deploy/compose.yaml",
)
"""Each from the template of its name, without a leading dot."""


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return msgspec.json.decode((_HERE / "texts.json").read_bytes(), type=dict[str, dict[str, Any]])


def languages() -> list[str]:
    """Return the languages in which a form can begin."""
    return list(_texts())


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """What a new installation is made from.

    Attributes:
        origin: of the site that shows the form.
        base_url: where the forms are to be reached.
        command: the path of `formapp`.
        source: formapp's own folder, where it is installed from one; else empty.
        user: who runs the service.
    """

    name: str
    origin: str
    base_url: str
    language: str
    kind: str
    folder: Path
    command: Path
    source: str
    user: str
    version: str


def render_form(name: str, kind: str, language: str, origins: tuple[str, ...]) -> str:
    texts = _texts()[language]
    label = "Newsletter" if kind == "newsletter" else "Website lead"
    return _render(
        "form.toml",
        name=name,
        kind=kind,
        language=language,
        origins=origins,
        texts=texts,
        label=label,
    )


def render_files(starter: Starter) -> dict[str, str]:
    """Return path within the folder to text; `.env` has fresh secrets."""
    values = {
        **asdict(starter),
        "host": urlsplit(starter.base_url).hostname,
        "secret": secrets.token_hex(32),
        "password": secrets.token_urlsafe(18),
    }
    form = render_form(starter.kind, starter.kind, starter.language, (starter.origin,))
    files = {path: _render(path.removeprefix("."), **values) for path in _FILES}
    return {f"forms/{starter.kind}.toml": form, **files}


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    # No HTML: what a value may hold is checked, and strings of TOML are quoted by their filter.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(_HERE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # A string of JSON is one of TOML.
    environment.filters["toml"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment
