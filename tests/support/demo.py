"""What tests know of a running demo."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.forked import Process


@dataclass(frozen=True)
class Demo:
    """A running demo: its addresses, its process and the file that it prints to."""

    web: str
    sandbox: str
    process: Process
    printed: Path

    def contacts(self) -> list[dict[str, Any]]:
        """The sandbox's contacts, whole."""
        sites = requests.get(f"{self.sandbox}/_sandbox/sites", timeout=10).json()["sites"]
        return [
            entry["contact"]
            for site in sites
            for entry in requests.get(
                f"{self.sandbox}/_sandbox/sites/{site['id']}/contacts", timeout=10
            ).json()["contacts"]
        ]

    def contact_when(
        self, condition: Callable[[dict[str, Any]], bool], seconds: float = 10
    ) -> dict[str, Any]:
        """The only contact, once it fulfils the condition."""
        deadline = time.monotonic() + seconds
        while True:
            contacts = self.contacts()
            if len(contacts) == 1 and condition(contacts[0]):
                return contacts[0]
            assert time.monotonic() < deadline, f"{len(contacts)} contacts, none as expected"
            time.sleep(0.05)
