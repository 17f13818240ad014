"""All sites of a sandbox."""

from __future__ import annotations

import secrets
import threading

from formapp.sandbox.state import Site


class Store:
    """All sites. A site comes into being when it is first asked for."""

    def __init__(self, sites: dict[str, Site] | None = None) -> None:
        self._lock = threading.Lock()
        self._sites = sites or {}
        self._start = secrets.token_hex(4)
        self._epoch = 0

    def site(self, site_id: str) -> Site:
        """Return the site, made if need be."""
        with self._lock:
            return self._sites.setdefault(site_id, Site(site_id))

    def find(self, site_id: str) -> Site | None:
        """Return the site if it exists."""
        with self._lock:
            return self._sites.get(site_id)

    def sites(self) -> list[Site]:
        """Return all sites in the order in which they were first used."""
        with self._lock:
            return list(self._sites.values())

    def forget(self, site_id: str | None = None) -> None:
        """Drop one site, or all of them."""
        with self._lock:
            self._epoch += 1
            if site_id is None:
                self._sites.clear()
            else:
                self._sites.pop(site_id, None)

    def version(self) -> str:
        """Return a text that differs whenever anything has changed."""
        with self._lock:
            return f"{self._start}-{self._epoch}-" + "-".join(
                str(site.changes) for site in self._sites.values()
            )
