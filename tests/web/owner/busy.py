"""A running inbox with leads of every kind, and with numbers of every kind, for browsers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from formapp.db.inbox_tables import form_visits, notified, wix_definitions
from formapp.db.tables import crm_books, crm_links, wix_calls
from formapp.delivery.results import Attempt, Result, finish, give_up
from formapp.leads.accept import Status
from formapp.server import Server, listen
from tests.support.claiming import claim_next
from tests.web.forms import load
from tests.web.owner.inbox import HOSTILE, PASSWORD, send
from tests.web.support import Site

LONG = "Catarina Maria-José von Hohenzollern-Sigmaringen zu Castell-Rüdenhausen" + "x" * 60


@dataclass
class Office:
    """A running site; of some of its leads the ids."""

    site: Site
    address: str
    failed: str
    delivered: str
    held: str
    unconfirmed: str
    to_correct: str


@contextmanager
def running_office(folder: Path) -> Iterator[Office]:
    """Serve such an inbox."""
    listener = listen("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    site = Site.build(folder, forms=load(), BASE_URL=address, OWNER_PASSWORD=PASSWORD)
    office = _fill(site, address)
    server = Server(site.app, listener)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield office
    server.stop()
    thread.join(20)
    site.database.close()


def _fill(site: Site, address: str) -> Office:
    now = datetime.now(UTC)
    names = [LONG, HOSTILE, "محمد العربي", *(f"Ana {number}" for number in range(55))]
    for number, name in enumerate(names):
        send(site, name, at=now - timedelta(hours=7 * number))
    held = send(
        site,
        "Quentin",
        status=Status.QUARANTINED,
        at=now,
        meta={"suspect": ["many links in the texts"]},
        unknown={"budget": "5,000"},
        consents=[{"field": "privacy", "text": "I agree.", "at": now.isoformat()}],
    )
    question = {"title": "Nearly done", "subject": "Please confirm", "text": "t", "button": "Yes"}
    unconfirmed = send(
        site,
        "Ursula",
        status=Status.UNCONFIRMED,
        at=now - timedelta(hours=1),
        meta={"confirmation": question},
    )
    settled: dict[str, str] = {}
    calls = [{"operation": "createContact", "status": 400, "code": "X", "request_id": "r", "ms": 3}]
    for name in ("failed", "delivered", "to_correct"):
        claim = claim_next(site.database, ["main"], now)
        assert claim
        settled[name] = claim.submission_id
        result = "delivered" if name == "delivered" else "failed"
        attempt = Attempt(now, result, 12, calls, "createContact", 400, "INVALID_ARGUMENT")
        if result == "failed":
            give_up(site.database, claim, attempt, "Wix refused: info.phones must be a number")
        else:
            change = {"field": "company", "result": "kept", "before": "x" * 200, "given": LONG}
            finish(site.database, claim, attempt, Result("updated", "c1", (), [change]))  # type: ignore[list-item]
    office = Office(site, address, held=held, unconfirmed=unconfirmed, **settled)
    with site.database.write() as connection:
        _add_numbers(connection, office, now)
    return office


def _add_numbers(connection: Connection, office: Office, now: datetime) -> None:
    def add(table: Any, **values: Any) -> None:
        connection.execute(insert(table), values)

    for days in range(20):
        day = (now - timedelta(days=days)).date()
        add(form_visits, form="lead", day=day, shown=40 + days, started=20)
    add(crm_books, book="main", state="running")
    add(crm_books, book="news", state="running", paused=True, reason=f"the brake: {HOSTILE}")
    add(crm_links, book="main", wix_id="w", state="linked", due_at=now - timedelta(minutes=3))
    add(wix_calls, site="main", at=now)
    fields = {"Budget": "TEXT", LONG: "NUMBER"}
    add(wix_definitions, site="main", read_at=now, labels=[LONG, HOSTILE], fields=fields)
    mail = {"channel": "mail", "to": "owner@example.com", "at": now}
    add(notified, submission_id=office.delivered, result="sent", tries=1, **mail)
    add(notified, submission_id=office.failed, result="failed", tries=9, reason=HOSTILE, **mail)
