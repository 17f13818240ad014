"""Copying many contacts of the sandbox to a system in memory: calls, memory, time."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from formapp.crm import sync
from formapp.crm.digests import PURPOSE
from formapp.crm.model import Book, FieldPair
from formapp.crm.system import Record
from formapp.crm.systems.wix import WixSystem
from formapp.crm.systems.wix_calls import WixCalls, limited_client
from formapp.db.database import Database
from formapp.delivery.sites import Site
from formapp.monitoring.metrics import Metrics
from formapp.sandbox import SandboxOptions, SandboxServer, Settings, create_sandbox
from formapp.signing import Keyring
from tests.crm.memory import MemorySystem
from tests.support.schema import give_schema
from tests.support.wixsite import WixSite


@dataclass(frozen=True)
class Figures:
    """What a copy took; memory in MiB, of sandbox and copy together."""

    copied: int
    seconds: float
    calls: Counter[str]
    memory: tuple[int, int]


class _Target(MemorySystem):
    """A new contact is never there before: to search a list of 10,000 would take longer."""

    def find(self, **_wanted: Any) -> list[Record]:
        """Nothing."""
        return []


def copy(contacts: int, folder: Path) -> Figures:
    """Fill a sandbox and copy it."""
    app = create_sandbox(SandboxOptions(Settings(rate_limit=0)))
    with SandboxServer(app) as server:
        site = WixSite(server.url)
        for number in range(contacts):
            emails = {"items": [{"email": f"p{number}@example.com"}]}
            site.add(name={"first": f"P{number}"}, emails=emails)
        site.forget_calls()
        database = Database(f"sqlite:///{folder / 'formapp.db'}")
        give_schema(database)
        try:
            return _copy(site, database)
        finally:
            database.close()
            site.close()


def _copy(site: WixSite, database: Database) -> Figures:
    pairs = (FieldPair("name.first", "given"), FieldPair("email", "email"))
    book = Book("main", "memory", "main", pairs, mode="copy")
    at_wix = Site("main", site.auth, 10_000, base_url=site.url)
    client = limited_client(at_wix, database, _now, Metrics())
    wix = WixSystem(book, WixCalls(client, clock=_now, wait=_wait))
    target = _Target("c", _now)
    keyring = Keyring(["the secret of the proof"], PURPOSE)
    memory: list[int] = []
    started = time.monotonic()
    session = sync.Session(book, wix, target, database, keyring, _now)
    sync.load(session, "wix", lambda _done, _total: memory.append(_resident()))
    seconds = time.monotonic() - started
    wix.close()
    return Figures(len(target.rows), seconds, Counter(site.calls()), (memory[0], memory[-1]))


def _now() -> datetime:
    return datetime.now(UTC)


def _wait(seconds: float) -> bool:
    time.sleep(seconds)
    return False


def _resident() -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024
