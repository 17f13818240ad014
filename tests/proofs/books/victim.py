"""The process that works for a book and is killed, wired by `formapp.cli.books` itself."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from formapp.cli import books, sites, wiring
from formapp.crm import discover, holding, initial, store, sync
from formapp.crm.books import load_books
from formapp.crm.holding import LEASE
from formapp.crm.initial import BusyError
from formapp.crm.model import Book
from formapp.crm.session import Session
from formapp.crm.system import CrmError
from formapp.crm.systems import http_calls
from formapp.db.database import Database
from formapp.monitoring import logs
from formapp.monitoring.metrics import Metrics
from formapp.wix import Timeouts
from tests.proofs.faults.clock import FastClock
from tests.proofs.faults.seams import Seam, arm

TIMEOUTS = (1.0, 1.0)
SWEEP_EVERY = timedelta(seconds=90)
POLL_SECONDS = 0.05

_WIX = "formapp.crm.systems.wix:WixSystem"
_DAV = "formapp.crm.systems.carddav:CardDavSystem"
_RECONCILE, _TWINS = "formapp.crm.reconcile", "formapp.crm.twins"
_ENDING, _DISCOVER = "formapp.crm.ending", "formapp.crm.discover"
_WRITING = "formapp.crm.writing"

LOAD_STEPS: dict[str, Seam] = {
    "load_before_match": Seam("formapp.crm.initial", "match", "before"),
    "load_links_uncommitted": Seam("formapp.crm.initial:_Load", "_insert", "after"),
    "load_before_link": Seam("formapp.crm.initial", "claim_link", "before"),
    "load_after_link": Seam("formapp.crm.initial", "work_off", "after"),
}
"""Steps of a first load; also met by `STEPS`."""

STEPS: dict[str, Seam] = {
    "look_changes_uncommitted": Seam(_DISCOVER, "write_cursor", "after"),
    "look_hints_uncommitted": Seam(_DISCOVER, "add_hints", "after"),
    "look_before_sweep": Seam(_DISCOVER, "_sweep", "before"),
    "look_done": Seam("formapp.crm.sync", "look", "after"),
    "before_claim": Seam("formapp.crm.sync", "claim_due", "before"),
    "claim_uncommitted": Seam("formapp.crm.store", "read_link", "after"),
    "after_claim": Seam("formapp.crm.sync", "claim_due", "after", wants_result=True),
    "after_wix_read": Seam(_WIX, "get", "after"),
    "after_crm_read": Seam(_DAV, "get", "after"),
    "before_search": Seam(_TWINS, "_candidates", "before"),
    "before_update_intent": Seam(_RECONCILE, "intend", "before"),
    "intent_uncommitted": Seam(_WRITING, "write_link", "after"),
    "after_update_intent": Seam(_RECONCILE, "intend", "after"),
    "before_create_intent": Seam(_TWINS, "intend", "before"),
    "after_create_intent": Seam(_TWINS, "intend", "after"),
    "during_wix_create": Seam(_WIX, "create", "during"),
    "after_wix_create": Seam(_WIX, "create", "after"),
    "during_wix_update": Seam(_WIX, "update", "during"),
    "after_wix_update": Seam(_WIX, "update", "after"),
    "between_wix_calls": Seam("formapp.wix.contacts:Contacts", "update", "after"),
    "during_crm_create": Seam(_DAV, "create", "during"),
    "after_crm_create": Seam(_DAV, "create", "after"),
    "during_crm_update": Seam(_DAV, "update", "during"),
    "after_crm_update": Seam(_DAV, "update", "after"),
    "before_answer_kept": Seam(_RECONCILE, "commit_answer", "before"),
    "after_answer_kept": Seam(_RECONCILE, "commit_answer", "after"),
    "link_uncommitted": Seam(_TWINS, "write_link", "after"),
    "finish_uncommitted": Seam(_RECONCILE, "finish_link", "after"),
    "after_finish": Seam(_RECONCILE, "_finish", "after"),
    "before_policy": Seam(_ENDING, "_carry_out", "before"),
    "after_policy": Seam(_ENDING, "_carry_out", "after"),
    "end_uncommitted": Seam(_ENDING, "finish_link", "after"),
}
"""Every step of a book's work, in the order in which a link meets them."""


def read_book(folder: Path, url: str = "") -> Book:
    """The book of the proof; `url` instead of that in its file."""
    book = load_books(folder)["main"]
    return replace(book, url=url) if url else book


def work(order: dict[str, Any], clock: FastClock, die: Callable[[], None], ready: Any) -> None:
    """Plan, load, then work for the book until asked to end, or dead."""
    if step := order.get("step"):
        seam = (STEPS | LOAD_STEPS)[step]
        arm(seam, order.get("at", 1), order.get("delay", 0.0), die)
    vars(books).update(now_in_utc=clock)
    vars(sites).update(TIMEOUTS=Timeouts(*TIMEOUTS))
    vars(http_calls).update(CONNECT_SECONDS=TIMEOUTS[0], DEADLINE=TIMEOUTS[1])
    vars(holding).update(BEAT=holding.BEAT / clock.scale)
    for module in (discover, sync, initial):
        vars(module).update(SWEEP_EVERY=SWEEP_EVERY)
    settings = wiring.read_settings(wix=True)
    logs.configure(settings.log_format)
    database = Database(settings.database_url)
    stopping = threading.Event()
    wiring.on_signals(stopping.set)
    ready()
    book = books.find_book(settings, "main")
    opened = books.open_book(
        book, settings=settings, database=database, metrics=Metrics(), wait=stopping.wait
    )
    session = replace(opened.session, sleep=partial(_sleep, stopping, clock.scale))
    while not stopping.is_set():
        if not _do_next(session):
            stopping.wait(POLL_SECONDS)
    opened.close()
    database.close()
    os._exit(0)


def _sleep(stopping: threading.Event, scale: float, seconds: float) -> None:
    stopping.wait(seconds / scale)


def _do_next(session: Session) -> bool:
    """The next thing; a book that isn't running is planned and loaded first."""
    with session.database.read() as connection:
        row = store.read_book(connection, session.book.name)
    if row is not None and row.state == "running":
        return sync.pass_once(session)
    try:
        if row is None or row.planned_at is None:
            initial.plan(session)
        initial.load(session, "wix")
    except BusyError:
        session.sleep(LEASE.total_seconds() / 4)
    except CrmError:
        return False
    return True
