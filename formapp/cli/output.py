"""The one way in which commands print: nothing that was sent reaches the terminal as a command."""

import json
import os
import shutil
import sys
import textwrap
import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import click

from formapp.printable import printable

_LEAST_ROOM = 20

Span = tuple[str, str | None]
"""Some text, and its colour by click's names; None: the terminal's own."""


def echo(text: str, *, err: bool = False) -> None:
    """Print lines; unsafe characters as `printable` writes them."""
    click.echo(printable(text, lines=True), err=err)


def echo_json(value: object) -> None:
    """Print a value, which may have dataclasses and times in it."""
    echo(json.dumps(value, indent=2, default=_json, ensure_ascii=False))


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else asdict(value)


@dataclass(frozen=True, slots=True)
class Screen:
    """Where standard output goes: a terminal, or a file or program for which nothing is cut.

    `width` is in columns, None where it isn't a terminal.
    """

    width: int | None = None
    colors: bool = False

    def echo(self, *spans: Span) -> None:
        click.echo("".join(self._painted(*span) for span in spans), color=self.colors)

    def _painted(self, text: str, color: str | None) -> str:
        safe = printable(text)
        return click.style(safe, fg=color) if self.colors and color else safe

    def wrap(self, text: str, indent: int) -> list[str]:
        """Return the lines that a text needs behind so many columns; words stay whole."""
        if self.width is None:
            return [text]
        room = max(self.width - indent, _LEAST_ROOM)
        return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]


def screen() -> Screen:
    """Return what standard output is; no colours with `NO_COLOR` (no-color.org)."""
    if not sys.stdout.isatty():
        return Screen()
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Screen(shutil.get_terminal_size().columns, colors=not plain)


def cells(text: str) -> int:
    """Return how many columns a terminal needs for a line of text."""
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fit(text: str, width: int) -> str:
    """Return the text in exactly so many columns: filled with blanks, or cut at an ellipsis."""
    if (free := width - cells(text)) >= 0:
        return text + " " * free
    kept, left = "", width - 1
    for character in text:
        left -= _cells_of(character)
        if left < 0:
            break
        kept += character
    return fit(f"{kept}…", width)
