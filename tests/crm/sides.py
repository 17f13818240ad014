"""Every system of a book, empty, and people who use the same data in another way."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from standardwebhooks import Webhook

from formapp.crm.events import store_event
from formapp.crm.inbound import read_message
from formapp.crm.model import LABELS, Book, FieldPair
from formapp.crm.system import Record, System, Write
from formapp.crm.systems.carddav import CardDavSystem
from formapp.crm.systems.http_calls import HttpCalls
from formapp.crm.systems.hubspot import HubSpotSystem
from formapp.crm.systems.webhook import WebhookSystem
from formapp.crm.systems.wix import WixSystem
from formapp.crm.systems.wix_calls import WixCalls, limited_client
from formapp.db.database import Database
from formapp.delivery.sites import Site
from formapp.monitoring.metrics import Metrics
from formapp.sandbox import SandboxServer
from tests.crm import davservers, trytonserver
from tests.crm.davservers import AddressBook, DavServer
from tests.crm.hubspot_standin import HubSpot
from tests.crm.memory import MemorySystem
from tests.crm.tryton import TrytonSystem
from tests.support.callback import Callback, callback
from tests.support.clock import TurnedClock
from tests.support.wixsite import WixSite

FIRST, LAST, EMAIL, PHONE = "first", "last", "email", "phone"
ADA = {FIRST: "Ada", LAST: "Lovelace", EMAIL: "ada@example.com", PHONE: "+442079460018"}
KEY = "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21"


@dataclass
class Side:
    """A system under test, empty, and a person who uses the same data in another way.

    Attributes:
        names: the system's names of the fields that the promises speak of.
        edit: changes the first name of a record.
        remove: deletes a record.
        shown: a record as people see it, for a system that can't be read.
        people: the ids of all records as people see them, for such a system.
        unknown_cursor: one that the system doesn't know; None if it can't tell.
        makes_no_doubles: whether a second create with the same key is noticed.
        odd_email: an address in a spelling that the system takes and changes.
        settle: waits until an index has everything, and what is older counts as old.
    """

    system: System
    edit: Callable[[str, str], None]
    remove: Callable[[str], None]
    names: Mapping[str, str] = field(default_factory=dict)
    shown: Callable[[str], Record | None] | None = None
    people: Callable[[], list[str]] | None = None
    unknown_cursor: str | None = None
    makes_no_doubles: bool = True
    odd_email: str = " ada@example.com "
    settle: Callable[[], None] = lambda: None

    @property
    def can_be_read(self) -> bool:
        return self.system.capabilities.lists

    def write(
        self, *, add: str = "", remove: str = "", key: str | None = None, **values: str | None
    ) -> Write:
        named = {self.names.get(name, name): value for name, value in values.items()}
        added, removed = (frozenset(filter(None, [text])) for text in (add, remove))
        return Write(named, added, removed, key)

    def update(self, record: Record, **changes: Any) -> Record:
        """Update it as the engine does: a system that can't be read receives all labels."""
        write = self.write(**changes)
        if not self.can_be_read:
            labels = (record.labels | write.add_labels) - write.remove_labels
            write = replace(write, all_labels=labels)
        return self.system.update(record, write)

    def value(self, values: Mapping[str, object], name: str) -> object:
        return values.get(self.names.get(name, name))

    def read(self, record_id: str) -> Record | None:
        """What the system really holds."""
        return self.shown(record_id) if self.shown else self.system.get(record_id)

    def listed(self) -> dict[str, str]:
        return {id_: etag for page in self.system.sweep() for id_, etag in page.items()}

    def everybody(self) -> list[str]:
        return self.people() if self.people else [*self.listed()]


# Each system, empty


def _memory(_: pytest.FixtureRequest) -> Side:
    system = MemorySystem("m", TurnedClock())
    return Side(
        system,
        lambda id_, first: system.edit(id_, **{FIRST: first}),
        system.remove,
        unknown_cursor="1",
        makes_no_doubles=False,
    )


DAV_NAMES = {FIRST: "given_name", LAST: "family_name", EMAIL: "email", PHONE: "phone"}


def dav_system(book: AddressBook, *more: str) -> CardDavSystem:
    """An adapter for an address book, with the fields of the promises and more."""
    pairs = tuple(FieldPair(name, name) for name in (*DAV_NAMES.values(), *more))
    auth = (davservers.USER, davservers.PASSWORD) if book.auth else None
    return CardDavSystem(
        Book("book", "carddav", "main", pairs, url=book.url, region="GB"), HttpCalls(auth=auth)
    )


def _dav(name: str, cursor: str) -> Callable[[pytest.FixtureRequest], Side]:
    def make(request: pytest.FixtureRequest) -> Side:
        server: DavServer = request.getfixturevalue(name)
        book = server.address_book()

        def edit(id_: str, first: str) -> None:
            lines = book.read(id_).splitlines()
            changed = [
                f"N:Lovelace;{first};;;" if line.startswith("N:") else line for line in lines
            ]
            book.put(id_, "\r\n".join(changed) + "\r\n")

        return Side(dav_system(book), edit, book.remove, DAV_NAMES, unknown_cursor=cursor)

    return make


HUBSPOT_NAMES = {FIRST: "firstname", LAST: "lastname", EMAIL: "email", PHONE: "phone"}


def hubspot_system(url: str, clock: TurnedClock, waited: list[float]) -> HubSpotSystem:
    """An adapter for the stand-in at this address."""
    pairs = tuple(FieldPair(name, name) for name in HUBSPOT_NAMES.values())
    book = Book("book", "hubspot", "main", pairs, url=url, region="GB")
    return HubSpotSystem(book, HttpCalls(token="pat-key"), clock, waited.append)


def _hubspot(request: pytest.FixtureRequest) -> Side:
    clock = TurnedClock()
    account = HubSpot(clock)
    server = SandboxServer(account.app).start()
    request.addfinalizer(server.stop)
    return Side(
        hubspot_system(server.url, clock, []),
        lambda id_, first: account.edit(id_, firstname=first),
        account.remove,
        HUBSPOT_NAMES,
        unknown_cursor="yesterday",
        settle=lambda: clock.turn(hours=1),
    )


TRYTON_NAMES = {FIRST: "name", LAST: "other", EMAIL: "email", PHONE: "phone"}


def tryton_system(url: str) -> TrytonSystem:
    """An adapter for an empty Tryton."""
    pairs = tuple(FieldPair(name, name) for name in TRYTON_NAMES.values())
    book = Book("book", "tryton", "main", pairs, url=url, region="GB")
    system = TrytonSystem(book, HttpCalls(), trytonserver.USER, trytonserver.PASSWORD)
    known = system.rpc("model.party.party.search", [["active", "in", [True, False]]], 0, None, None)
    for party in known:
        system.rpc("model.party.party.delete", [party])
    return system


def _tryton(request: pytest.FixtureRequest) -> Side:
    system = tryton_system(request.getfixturevalue("tryton"))
    party = "model.party.party"
    return Side(
        system,
        lambda id_, first: system.rpc(f"{party}.write", [int(id_)], {"name": first}),
        lambda id_: system.rpc(f"{party}.delete", [int(id_)]),
        TRYTON_NAMES,
        unknown_cursor="yesterday",
    )


WIX_NAMES = {FIRST: "name.first", LAST: "name.last", EMAIL: "email", PHONE: "phone"}


def _wix(request: pytest.FixtureRequest) -> Side:
    site: WixSite = request.getfixturevalue("wix_site")
    clock: TurnedClock = request.getfixturevalue("turned_clock")
    database: Database = request.getfixturevalue("sqlite")
    pairs = tuple(FieldPair(name, name) for name in WIX_NAMES.values())
    at_wix = Site("main", site.auth, 10_000, base_url=site.url)
    client = limited_client(at_wix, database, clock, Metrics())
    calls = WixCalls(client, clock=clock, wait=lambda _seconds: False)
    return Side(
        WixSystem(Book("book", "memory", "main", pairs, region="GB"), calls),
        lambda id_, first: _edit_at_wix(site, id_, first),
        site.delete,
        WIX_NAMES,
        unknown_cursor="yesterday",
        odd_email="Ada@Example.com",
        settle=lambda: clock.turn(hours=3),
    )


def _edit_at_wix(site: WixSite, contact_id: str, first: str) -> None:
    site.edit(contact_id, name={"first": first})


WEBHOOK_NAMES = {FIRST: "first_name", LAST: "last_name", EMAIL: "mail", PHONE: "number"}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """A program behind a webhook, with contacts of its own: by what it received, and posts."""

    callback: Callback
    database: Database
    numbers: Any = field(default_factory=lambda: count(1))

    def records(self) -> dict[str, Record]:
        """Its contacts: each message is verified, and one that it knows is ignored."""
        found: dict[str, Record] = {}
        known = set()
        for body, headers in zip(self.callback.bodies, self.callback.headers, strict=True):
            message = Webhook(SECRET).verify(body, headers)
            name, data = headers["webhook-id"], dict(message["data"])
            if name not in known:
                known.add(name)
                _apply(found, message["type"], data, name)
        return found

    def post(self, type_: str, **data: str) -> None:
        """Send a message, which the site's address reads and stores."""
        body = json.dumps({"type": type_, "data": data})
        name, now = f"msg_{next(self.numbers)}", datetime.now(UTC)
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(name, now, body),
        }
        for event in read_message(Webhook(SECRET), "book", body.encode(), headers, now):
            with self.database.write() as connection:
                assert store_event(connection, event)

    def remove(self, record_id: str) -> None:
        """Delete a contact: a message about it is refused from now on."""
        self.post("contact.deleted", id=record_id)
        self.callback.statuses = [422]


def _apply(found: dict[str, Record], type_: str, data: dict[str, Any], revision: str) -> None:
    record_id = data.pop("id")
    before = found.pop(record_id, Record(record_id))
    if type_ == "contact.deleted":
        return
    data.pop("external_id", None)
    labels = frozenset(data.pop(LABELS, before.labels))
    values = {name: value for name, value in {**before.values, **data}.items() if value}
    found[record_id] = replace(before, revision=revision, values=values, labels=labels)


def _webhook(request: pytest.FixtureRequest) -> Side:
    running = callback()
    receiver = Receiver(running.__enter__(), request.getfixturevalue("sqlite"))
    request.addfinalizer(lambda: running.__exit__(None, None, None))
    pairs = tuple(FieldPair(WIX_NAMES[name], own) for name, own in WEBHOOK_NAMES.items())
    book = Book("book", "webhook", "main", pairs, url=receiver.callback.url)
    return Side(
        WebhookSystem(book, SECRET, HttpCalls(), receiver.database, lambda: datetime.now(UTC)),
        lambda id_, first: receiver.post("contact.updated", id=id_, first_name=first),
        receiver.remove,
        WEBHOOK_NAMES,
        shown=lambda id_: receiver.records().get(id_),
        people=lambda: [*receiver.records()],
    )


SIDES: dict[str, Callable[[pytest.FixtureRequest], Side]] = {
    "memory": _memory,
    "radicale": _dav("radicale", "http://radicale.org/ns/sync/" + "0" * 64),
    "xandikos": _dav("xandikos", "0" * 40),
    "hubspot": _hubspot,
    "tryton": _tryton,
    "wix": _wix,
    "webhook": _webhook,
}
