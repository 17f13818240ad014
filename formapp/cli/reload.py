"""Reading form files again when one changes, while their owner writes them."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from flask import Flask

from formapp.cli.output import echo
from formapp.forms.definition.parse import FormFilesError
from formapp.forms.form import Form
from formapp.web.services import EXTENSION

EVERY = 0.5
"""Seconds between two looks at the folder."""


def reload_on_change(app: Flask, folder: Path, load: Callable[[], Mapping[str, Form]]) -> None:
    """Show the forms of the folder as they are now, from a thread that ends with the process.

    Faults are printed, and the forms stay as they were. What a worker does with a lead follows the
    files of its start.
    """
    watching = (app, folder, load)
    threading.Thread(target=_watch, args=watching, daemon=True, name="reload").start()


def _watch(app: Flask, folder: Path, load: Callable[[], Mapping[str, Form]]) -> None:
    seen = _state(folder)
    pause = threading.Event()
    while not pause.wait(EVERY):
        now = _state(folder)
        if now == seen:
            continue
        seen = now
        try:
            forms = load()
        except FormFilesError as error:
            echo(f"{error}\nThe forms stay as they were.", err=True)
            continue
        # In one step: a request sees either the old ones or the new ones.
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], forms=forms, pages={})
        echo(f"read again: {', '.join(forms)}", err=True)


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    """Of each form file, when it changed and its size; an editor may be about to replace one."""
    found = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            stat = path.stat()
        except OSError:
            continue
        found[path] = (stat.st_mtime_ns, stat.st_size)
    return found
