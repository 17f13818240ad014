"""`formapp demo --crm`: an address book kept equal with Wix's contacts, and a page of both.

Its server is Radicale, of the extra `formapp[demo]`. The page edits the address book as any CardDAV
client would: with the card's ETag.
"""

import importlib.util
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
from flask import Flask, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from formapp.cli.books import find_book, open_book
from formapp.cli.wiring import open_database
from formapp.config.settings import Settings
from formapp.crm import initial
from formapp.crm.model import Book
from formapp.crm.system import CrmError, GoneError, Record, StaleError, Value, Write
from formapp.crm.systems.carddav import CardDavSystem
from formapp.crm.systems.http_calls import HttpCalls
from formapp.crm.systems.vcard import Card
from formapp.monitoring.metrics import Metrics
from formapp.resources import STATIC, TEMPLATES
from formapp.sandbox.core import Sandbox
from formapp.sandbox.state import Site

_BOOK = "contacts"
_EVERY = "3s"
_FILE = """system = "carddav"
url = "{url}"
every = "{every}"
region = "GB"

[[fields]]
wix = "name.first"
crm = "given_name"

[[fields]]
wix = "name.last"
crm = "family_name"

[[fields]]
wix = "company"
crm = "org"

[[fields]]
wix = "emails"
crm = "emails"

[[fields]]
wix = "phones"
crm = "phones"
"""
_PACKAGE = "radicale>=3.5"
_START_SECONDS = 30.0
_USER = "shop"
_MADE = (201, 405, 409)
"""It is made, or was there already."""

_MKCOL = b"""<?xml version="1.0" encoding="utf-8"?>
<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop>
<resourcetype><collection/><C:addressbook/></resourcetype><displayname>Contacts</displayname>
</prop></set></mkcol>"""

# Only this machine reaches it, and browsers let no other site's page write to it.
_CONFIG = """[server]
hosts = {host}:{port}
[auth]
type = none
[rights]
type = from_file
file = {folder}/rights
[storage]
filesystem_folder = {folder}/collections
[logging]
level = error
"""
_RIGHTS = "[all]\nuser: .*\ncollection: .*\npermissions: RrWw\n"
_LOOKS = ("queryContacts", "listContacts")
_WRITES = (
    *("createContact", "updateContact", "deleteContact", "mergeContacts"),
    *("labelContact", "unlabelContact"),
)
_SHOWN_CALLS = 12
_ONE = ("given_name", "family_name", "org")
_SEVERAL = ("emails", "phones")
_LABELS = (
    ("given_name", "First name"),
    ("family_name", "Last name"),
    ("org", "Company"),
    ("emails", "E-mails"),
    ("phones", "Phones"),
)


def check_installed() -> None:
    """Raise ClickException, with a line that installs it, where Radicale is missing."""
    if importlib.util.find_spec("radicale") is None:
        python, package = shlex.quote(sys.executable), shlex.quote(_PACKAGE)
        line = f"{python} -m pip install {package}"
        if importlib.util.find_spec("pip") is None:
            line = f"uv pip install --python {python} {package}"
        reason = f"--crm needs Radicale, an address book server; install it first:\n{line}"
        raise click.ClickException(reason)


@contextmanager
def running_address_book(data: Path, host: str, port: int) -> Iterator[str]:
    """Run Radicale in the demo's folder; yields the address that the book's file there names."""
    folder = data / "address-book"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config"
    place = folder.absolute()
    config.write_text(_CONFIG.format(host=host, port=port, folder=place), "utf-8")
    (folder / "rights").write_text(_RIGHTS, "utf-8")
    command = [sys.executable, "-m", "radicale", "--config", str(config)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - our own words
    try:
        url = f"http://{host}:{port}/{_USER}/contacts/"
        _make_address_book(process, url, folder / "log")
        (data / "crm").mkdir(exist_ok=True)
        text = _FILE.format(url=url, every=_EVERY)
        (data / "crm" / f"{_BOOK}.toml").write_text(text, "utf-8")
        yield url
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()


def _make_address_book(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Wait until the server answers; make the address book if it isn't there yet."""
    deadline = time.monotonic() + _START_SECONDS
    # Every user gets a folder; the password is not checked.
    calls = HttpCalls(auth=(_USER, "any"))
    headers = {"Content-Type": "application/xml; charset=utf-8"}
    while True:
        with suppress(CrmError):
            made = calls.call("MKCOL", url, data=_MKCOL, headers=headers, allow=_MADE)
            if made.status_code in _MADE:
                break
        if process.poll() is not None or time.monotonic() > deadline:
            raise click.ClickException(f"Radicale didn't start: see {log}")
        time.sleep(0.1)
    calls.close()


def start_book(settings: Settings) -> Book:
    """Plan and start the demo's book; one that runs goes on. Both sides are running already."""
    book = find_book(settings, _BOOK)
    with (
        closing(open_database(settings, create=True)) as database,
        closing(
            open_book(book, settings=settings, database=database, metrics=Metrics(), patient=True)
        ) as opened,
    ):
        try:
            initial.plan(opened.session)
            initial.load(opened.session, "wix")
        except initial.BusyError:
            reason = "an earlier demo was killed: try again in a minute"
            raise click.ClickException(reason) from None
        except CrmError as error:
            raise click.ClickException(f"the address book can't be used: {error}") from None
    return book


def create_page(book: Book, sandbox: Sandbox, site_id: str, form_url: str) -> Flask:
    """Return the app of the page; the sandbox's server serves it."""
    app = Flask(__name__, static_folder=str(STATIC), template_folder=str(TEMPLATES))

    @app.before_request
    def refuse_other_sites() -> Response | None:
        foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        return make_response("refused", 403) if foreign and request.method == "POST" else None

    @app.get("/")
    def page() -> str:
        return _render(book, sandbox, site_id, form_url)

    @app.post("/cards", defaults={"name": None})
    @app.post("/cards/<name>")
    def change(name: str | None) -> AnyResponse | str:
        with closing(_AddressBook(book)) as cards:
            try:
                if name is None:
                    cards.add(Write(_values()))
                else:
                    cards.change(name, request.form.get("revision"))
            except (StaleError, GoneError):
                notice = "The card has changed meanwhile: look at it again."
                return _render(book, sandbox, site_id, form_url, notice)
            except CrmError as error:
                return _render(book, sandbox, site_id, form_url, f"It wasn't saved: {error}")
        return redirect(url_for("page"), 303)

    return app


def _render(book: Book, sandbox: Sandbox, site_id: str, form_url: str, notice: str = "") -> str:
    found = sandbox.calls.read(site_id)
    calls = [call for call in found["calls"] if call["operation"] not in _LOOKS]
    try:
        cards = _cards(book)
    except CrmError as error:
        cards, notice = [], f"The address book doesn't answer: {error}"
    return render_template(
        "demo/crm.html",
        book=book,
        cards=cards,
        contacts=_contacts(sandbox.store.site(site_id)),
        calls=calls[: -_SHOWN_CALLS - 1 : -1],
        writes=sum(call["operation"] in _WRITES for call in calls),
        looks=sum(found["counts"].get(name, 0) for name in _LOOKS),
        every=_EVERY.removesuffix("s"),
        labels=_LABELS,
        form_url=form_url,
        notice=notice,
    )


class _AddressBook(CardDavSystem):
    """The address book for the length of a request, as another program sees it."""

    def __init__(self, book: Book) -> None:
        super().__init__(book, HttpCalls())

    def add(self, write: Write) -> None:
        """Add a card of its own, which names no twin."""
        uid = str(uuid4())
        card = Card.new(uid)
        self._fields.apply(card, write)
        self._put(f"{uid}.vcf", card.text(), {"If-None-Match": "*"})

    def change(self, name: str, revision: str | None) -> None:
        """Change or delete a card as it was shown; StaleError, GoneError."""
        record = self.get(name)
        if record is None or record.revision != revision:
            raise StaleError("the card has changed")
        if request.form.get("do") == "delete":
            self.delete(record)
        else:
            self.update(record, Write(_values()))


def _cards(book: Book) -> list[dict[str, Any]]:
    with closing(_AddressBook(book)) as cards:
        names = [name for page in cards.sweep() for name in page]
        records = cards.get_many(names)
    return sorted((_card(each) for each in records.values()), key=lambda card: str(card["name"]))


def _card(record: Record) -> dict[str, Any]:
    texts = {name: _text(record.values.get(name)) for name in (*_ONE, *_SEVERAL)}
    shown = " ".join(filter(None, (texts["given_name"], texts["family_name"])))
    return {
        "id": record.id,
        "revision": record.revision,
        "name": shown or texts["emails"] or "No name",
        "texts": texts,
        "labels": sorted(record.labels),
    }


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ", ".join(value or ())


def _values() -> dict[str, Value | None]:
    """What the page's form says, by the card's fields; several are separated by commas."""
    sent = {name: request.form.get(name, "").strip() for name, _ in _LABELS}
    values: dict[str, Value | None] = {name: sent[name] or None for name in _ONE}
    for name in _SEVERAL:
        values[name] = tuple(filter(None, map(str.strip, sent[name].split(",")))) or None
    return values


def _contacts(site: Site) -> list[dict[str, Any]]:
    with site.lock:
        return [_contact(site, each.body) for each in site.contacts.values()]


def _contact(site: Site, contact: Mapping[str, Any]) -> dict[str, Any]:
    info = contact["info"]
    keys = info.get("labelKeys", {}).get("items", [])
    labels = [site.labels[key]["displayName"] for key in keys if key in site.labels]
    items = {each: info.get(each, {}).get("items", []) for each in _SEVERAL}
    name = " ".join(filter(None, map(info.get("name", {}).get, ("first", "last"))))
    texts = {
        "org": info.get("company", ""),
        "emails": ", ".join(each["email"] for each in items["emails"]),
        "phones": ", ".join(each["phone"] for each in items["phones"]),
    }
    shown = name or texts["emails"] or "No name"
    return {"id": contact["id"], "name": shown, "texts": texts, "labels": labels}
