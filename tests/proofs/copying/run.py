"""Copying many contacts of the sandbox to a system in memory: calls, memory, time."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from formapp.crm import initial
from formapp.crm.digests import PURPOSE, Digests
from formapp.crm.model import Book, FieldPair
from formapp.crm.session import Session
from formapp.crm.system import Record, Write
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


@dataclass(frozen=True)
class Both:
    """Copying by formapp and by the plain loop that a user would write."""

    ours: Figures
    plain: Figures


class _Target(MemorySystem):
    """A new contact is never there before: to search a list of 10,000 would take longer."""

    pause = 0.0
    """Seconds that each create takes."""

    def find(self, **_wanted: Any) -> list[Record]:
        """Nothing."""
        return []

    def create(self, write: Write) -> Record:
        """Take as long as a system does."""
        time.sleep(self.pause)
        return super().create(write)


def copy(contacts: int, folder: Path, *, pause: float = 0.0) -> Both:
    """Fill a sandbox and copy it, in both ways; each create takes `pause` seconds."""
    app = create_sandbox(SandboxOptions(Settings(rate_limit=0)))
    with SandboxServer(app) as server:
        site = WixSite(server.url)
        for number in range(contacts):
            emails = {"items": [{"email": f"p{number}@example.com"}]}
            site.add(name={"first": f"P{number}"}, emails=emails)
        plain = _copy_plainly(site, pause)
        database = Database(f"sqlite:///{folder / 'formapp.db'}")
        give_schema(database)
        try:
            return Both(_copy(site, database, pause), plain)
        finally:
            database.close()
            site.close()


def _copy_plainly(site: WixSite, pause: float) -> Figures:
    """As a script does: list a page, create each contact of it; nothing is remembered."""
    site.forget_calls()
    target = _Target("p", _now)
    target.pause = pause
    memory: list[int] = []
    started, offset, total = time.monotonic(), 0, 1
    while offset < total:
        path = f"/contacts?paging.limit=1000&paging.offset={offset}&fieldsets=FULL"
        page = site.api("GET", path)
        for contact in page["contacts"]:
            info = contact["info"]
            values = {"given": info["name"]["first"], "email": info["emails"]["items"][0]["email"]}
            target.create(Write(values, key=contact["id"]))
        offset, total = offset + len(page["contacts"]), page["pagingMetadata"]["total"]
        memory.append(_resident())
    seconds = time.monotonic() - started
    return Figures(len(target.rows), seconds, Counter(site.calls()), (memory[0], memory[-1]))


def _copy(site: WixSite, database: Database, pause: float) -> Figures:
    site.forget_calls()
    pairs = (FieldPair("name.first", "given"), FieldPair("email", "email"))
    book = Book("main", "memory", "main", pairs, mode="copy")
    at_wix = Site("main", site.auth, 10_000, base_url=site.url)
    client = limited_client(at_wix, database, _now, Metrics())
    wix = WixSystem(book, WixCalls(client, clock=_now, wait=_wait))
    target = _Target("c", _now)
    target.pause = pause
    digests = Digests(Keyring(["the secret of the proof"], PURPOSE))
    memory: list[int] = []
    started = time.monotonic()
    session = Session(book, wix, target, database, digests, _now)
    initial.load(session, "wix", lambda _done, _total: memory.append(_resident()))
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
