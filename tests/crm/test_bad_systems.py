"""A side that is away, slow, answers nonsense, refuses, has lost its data or repeats itself.

Both sides are real: the sandbox, and Radicale behind a gate that spoils its answers.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from formapp.crm import owner
from formapp.crm.initial import load, plan
from formapp.crm.model import Book, FieldPair
from formapp.crm.sync import sync_once
from formapp.crm.systems import http_calls
from formapp.crm.systems.carddav import CardDavSystem
from formapp.crm.systems.http_calls import HttpCalls
from formapp.db.database import Database
from formapp.sandbox import SandboxServer
from tests.crm.davservers import PASSWORD, USER, AddressBook, DavServer
from tests.crm.sessions import open_session
from tests.support.clock import TurnedClock
from tests.support.wixsite import WixSite

pytestmark = pytest.mark.slow

PERSONS = 14
FIELDS = (FieldPair("name.first", "given_name"), FieldPair("emails", "emails"))
Answer = tuple[str, bytes]


class Gate:
    """Passes calls on to an address book, or answers in another way."""

    def __init__(self, book: AddressBook) -> None:
        self._book = book
        self.spoil: Callable[[Callable[[], Answer]], Answer] = lambda pass_on: pass_on()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        sent = {
            name[5:].replace("_", "-"): environ[name] for name in environ if name[:5] == "HTTP_"
        }
        sent.pop("HOST")
        etags: list[tuple[str, str]] = []

        def pass_on() -> Answer:
            name = environ["PATH_INFO"].rpartition("/")[2]
            sent["CONTENT-TYPE"] = environ.get("CONTENT_TYPE") or "text/plain"
            answer = self._book.call(environ["REQUEST_METHOD"], name, data=body, headers=sent)
            etags.extend(
                ("ETag", answer.headers[each]) for each in answer.headers if each == "ETag"
            )
            return f"{answer.status_code} -", answer.content

        status, content = self.spoil(pass_on)
        start(status, [("Content-Type", "application/xml"), *etags])
        return [content]


class World:
    """A running book of some persons, and its gate."""

    def __init__(
        self, database: Database, site: WixSite, book: AddressBook, clock: TurnedClock
    ) -> None:
        self.database, self.site, self.book, self.clock = database, site, book, clock
        self.gate = Gate(book)
        self.server = SandboxServer(self.gate).start()
        path = re.sub(r"^https?://[^/]+", "", book.url)
        file = Book("main", "carddav", "main", FIELDS, url=self.server.url + path, deletes="delete")
        crm = CardDavSystem(file, HttpCalls(auth=(USER, PASSWORD)))
        self.session = open_session(
            file, crm, database, url=site.url, auth=site.auth, clock=clock, sleep=clock.turn
        )
        for number in range(PERSONS):
            emails = {"items": [{"email": f"p{number}@example.com"}]}
            site.add(name={"first": f"P{number}"}, emails=emails)
        plan(self.session)
        load(self.session)

    def close(self) -> None:
        self.server.stop()
        self.session.wix.close()
        self.session.crm.close()

    def sync(self) -> int:
        self.clock.turn(hours=2)
        return sync_once(self.session)

    def status(self) -> Any:
        return owner.status(self.database, "main", self.clock())

    def cards(self) -> dict[str, str]:
        answer = self.book.call("PROPFIND", headers={"Depth": "1"})
        names = re.findall(r"href>[^<]*/([^</]+\.vcf)<", answer.text)
        return {name: self.book.read(name) for name in names}

    def names_at_wix(self) -> list[str]:
        return sorted(each["info"]["name"]["first"] for each in self.site.contacts())


@pytest.fixture
def world(
    sqlite: Database, wix_site: WixSite, radicale: DavServer, turned_clock: TurnedClock
) -> Iterator[World]:
    turned_clock.turn((datetime.now(UTC) - turned_clock()).total_seconds())
    world = World(sqlite, wix_site, radicale.address_book(), turned_clock)
    yield world
    world.close()


def _twice(pass_on: Callable[[], Answer]) -> Answer:
    status, content = pass_on()
    if not status.startswith("207"):
        return status, content
    responses = re.findall(rb"<response>.*?</response>", content, re.DOTALL)
    return status, content.replace(b"<response>", b"".join(responses) + b"<response>", 1)


HTML = b"<html><body>Please sign in</body></html>"
BAD_ANSWERS: dict[str, tuple[Callable[[Callable[[], Answer]], Answer], str]] = {
    "a gateway without a server": (lambda _: ("502 -", b""), "failed (502)"),
    "HTML": (lambda _: ("200 -", HTML), "isn't at this address (200)"),
    "HTML in place of XML": (lambda _: ("207 -", HTML), "can't be read"),
    "a pause": (lambda _: ("503 -", b""), "asks for a pause (503)"),
    "moved": (lambda _: ("301 -", b""), "redirects (301)"),
    "nothing there": (lambda _: ("404 -", b""), "isn't at this address (404)"),
}


@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_a_system_that_does_not_answer_well_makes_the_book_wait(world: World, kind: str) -> None:
    spoil, reason = BAD_ANSWERS[kind]
    world.gate.spoil = spoil
    world.site.add(name={"first": "New"})
    assert world.sync() > 0
    found = world.status()
    assert found.state == "running"
    assert reason in found.reason
    assert "P1" not in found.reason
    _mends(world)


def _mends(world: World) -> None:
    """Once it is well again, nothing is lost or doubled."""
    world.gate.spoil = lambda pass_on: pass_on()
    assert world.sync() == 0
    assert world.status().state == "running"
    assert len(world.cards()) == PERSONS + 1
    assert len(world.site.contacts()) == PERSONS + 1


def test_a_slow_system_is_given_up_and_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_calls, "DEADLINE", 0.3)
    finished = []

    def slow(pass_on: Callable[[], Answer]) -> Answer:
        world.server.wait(1.0)
        finished.append(pass_on())
        return finished[-1]

    world.gate.spoil = slow
    world.site.add(name={"first": "New"})
    assert world.sync() > 0
    assert "didn't answer in time" in world.status().reason
    monkeypatch.undo()
    _mends(world)


def test_a_revoked_password_pauses_the_book_until_it_is_set_right(world: World) -> None:
    world.gate.spoil = lambda _: ("401 -", b"")
    world.site.add(name={"first": "New"})
    assert world.sync() > 0
    assert (world.status().state, world.sync()) == ("paused", 1)
    assert "refuses the credentials" in world.status().reason
    assert owner.resume(world.database, "main", world.clock())
    _mends(world)


def test_a_revoked_key_of_wix_pauses_the_book_too(world: World) -> None:
    world.site.add(name={"first": "New"})
    world.site.set(credentials="unauthenticated")
    assert world.sync() > 0
    assert world.status().state == "paused"
    world.site.set(credentials="accepted")
    assert owner.resume(world.database, "main", world.clock())
    _mends(world)


def test_an_address_book_that_has_lost_its_cards_deletes_nothing_at_wix(world: World) -> None:
    cards = world.cards()
    for name in cards:
        world.book.remove(name)
    assert world.sync() > 0
    found = world.status()
    assert found.state == "paused"
    assert f"--allow-deletes {PERSONS}`" in found.reason
    assert len(world.site.contacts()) == PERSONS
    for name, card in cards.items():
        world.book.put(name, card)
    assert owner.resume(world.database, "main", world.clock())
    assert world.sync() == 0
    assert world.cards().keys() == cards.keys()
    assert len(world.site.contacts()) == PERSONS


def test_a_site_that_has_lost_its_contacts_deletes_no_card(world: World) -> None:
    world.site.control("DELETE", f"/sites/{world.site.site_id}")
    assert world.sync() > 0
    assert world.status().state == "paused"
    assert len(world.cards()) == PERSONS


def test_a_system_that_lists_a_contact_twice_gets_no_double(world: World) -> None:
    world.gate.spoil = _twice
    world.book.put("eva.vcf", _card("Eva"))
    (name,) = [name for name, card in world.cards().items() if "P3" in card]
    world.book.put(name, world.cards()[name].replace("P3", "Renamed"))
    assert world.sync() == 0
    names = world.names_at_wix()
    assert len(names) == len(set(names)) == PERSONS + 1
    assert {"Eva", "Renamed"} <= set(names)
    assert len(world.cards()) == PERSONS + 1


def _card(first: str) -> str:
    lines = (f"UID:{first}", f"FN:{first}", f"N:;{first};;;", f"EMAIL:{first}@example.com")
    return "\r\n".join(("BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""))
