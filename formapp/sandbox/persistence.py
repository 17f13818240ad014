"""Keeps the sites in a file, so that a restart or a kill loses no answered write."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

from formapp.sandbox.state import ContactRecord, Json, Site
from formapp.sandbox.store import Store

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1


class StateFileError(Exception):
    """The state file cannot be read as one; the text names it and says why."""


def load(path: Path | None) -> Store:
    """Return the store kept at `path`; an empty one if there is no path or no file.

    Raises:
        StateFileError: the file is there but is no state file.
    """
    if path is None or not path.exists():
        return Store()
    try:
        return Store(_sites(json.loads(path.read_bytes())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # The kind of error alone: its text could quote a contact.
        raise StateFileError(
            f"{path} is no state file of the sandbox ({type(error).__name__})"
        ) from error


def _sites(kept: Json) -> dict[str, Site]:
    if kept["format"] != FORMAT:
        raise ValueError("unknown format")
    return {key: Site.from_json(key, one) for key, one in kept["sites"].items()}


class Keeper:
    """Writes the store to its file, whole, before a change is answered.

    Several requests that wait at once share one write: whoever comes first writes for all
    whose changes are in by then.
    """

    def __init__(self, store: Store, path: Path | None) -> None:
        self._store = store
        self._path = path
        self._lock = threading.Lock()
        self._written: str | None = None
        self._texts: dict[str, tuple[Json, str]] = {}

    def keep(self) -> None:
        """Return once everything that has changed so far is in the file."""
        if self._path is None:
            return
        with self._lock:
            version = self._store.version()
            if version != self._written:
                self._write(self._path)
                self._written = version

    def _write(self, path: Path) -> None:
        """Replace the file in one step: a reader sees the old state or the next, whole.

        There is no fsync. A killed process loses nothing that it handed to the system, and a
        stand-in need not survive a power cut.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._text())
        temporary.replace(path)

    def _text(self) -> str:
        texts: dict[str, tuple[Json, str]] = {}
        sites = []
        for site in self._store.sites():
            with site.lock:
                sites.append(f"{json.dumps(site.id)}: {self._site_text(site, texts)}")
        self._texts = texts
        return f'{{"format": {FORMAT}, "sites": {{{", ".join(sites)}}}}}\n'

    def _site_text(self, site: Site, texts: dict[str, tuple[Json, str]]) -> str:
        parts = [f"{json.dumps(name)}: {json.dumps(rest)}" for name, rest in site.rest().items()]
        for name, records in (("contacts", site.contacts), ("gone", site.gone)):
            inner = (
                f"{json.dumps(key)}: {self._record_text(f'{site.id}/{name}/{key}', one, texts)}"
                for key, one in records.items()
            )
            parts.append(f"{json.dumps(name)}: {{{', '.join(inner)}}}")
        return f"{{{', '.join(parts)}}}"

    def _record_text(
        self, name: str, record: ContactRecord, texts: dict[str, tuple[Json, str]]
    ) -> str:
        """Return a record as JSON, from the last write if its body is still the same object.

        Every change of a record stores another body, so nothing else need be compared. This
        keeps the cost of a write low when there are many contacts.
        """
        known = self._texts.get(name)
        fresh = known is not None and known[0] is record.body
        text = known[1] if known and fresh else json.dumps(record.as_json())
        texts[name] = (record.body, text)
        return text
