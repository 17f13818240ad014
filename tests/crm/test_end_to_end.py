"""Books between real processes: the sandbox, a worker and Radicale."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.crm.davservers import PASSWORD, USER, AddressBook, DavServer
from tests.support.processes import SITE, Commands, end, eventually, free_port, wait_for

pytestmark = pytest.mark.slow

CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{fn}\r\n{lines}\r\nEND:VCARD\r\n"
BOOK = """
system = "carddav"
url = "{url}"
mode = "{mode}"
every = "1s"
region = "PT"

[[fields]]
wix = "name.first"
crm = "given_name"

[[fields]]
wix = "name.last"
crm = "family_name"

[[fields]]
wix = "emails"
crm = "emails"

[[fields]]
wix = "phones"
crm = "phones"
"""


class Site:
    """The sandbox, a process of its own."""

    def __init__(self, commands: Commands) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        commands.start("sandbox", "--port", str(port), "--rate-limit", "0")
        wait_for(f"{self.url}/")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self.url}/_sandbox{path}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def add(self, **info: Any) -> str:
        body = {"info": info, "allowDuplicates": True}
        return str(self.call("POST", f"/sites/{SITE}/contacts", body)["contact"]["id"])

    def edit(self, contact_id: str, **info: Any) -> None:
        self.call("PATCH", f"/sites/{SITE}/contacts/{contact_id}", {"info": info})

    def contacts(self) -> dict[str, Any]:
        found = self.call("GET", f"/sites/{SITE}/contacts")["contacts"]
        return {each["contact"]["id"]: each["contact"] for each in found}

    def last_names(self) -> set[str]:
        return {each["info"]["name"].get("last", "") for each in self.contacts().values()}

    def calls(self) -> list[str]:
        found = self.call("GET", f"/calls?site={SITE}")["calls"]
        return [each["operation"] for each in found]


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    commands = Commands(tmp_path, "tests.crm.quick")
    yield commands
    commands.close()


@pytest.fixture
def site(commands: Commands) -> Site:
    return Site(commands)


@pytest.fixture
def address_book(radicale: DavServer) -> AddressBook:
    return radicale.address_book()


def _settings(folder: Path, site: Site, url: str, mode: str, database: str = "") -> dict[str, str]:
    (folder / "crm").mkdir()
    (folder / "crm" / "main.toml").write_text(BOOK.format(url=url, mode=mode))
    return {
        "DATABASE_URL": database or f"sqlite:///{folder}/formapp.db",
        "CRM": str(folder / "crm"),
        "SECRET_KEY": "a key that is long enough",
        "WIX_API_URL": site.url,
        "WIX_API_KEY": "IST.example",
        "WIX_SITE_ID": SITE,
        "WIX_RATE_LIMIT": "100000",
        "CRM_MAIN_USERNAME": USER,
        "CRM_MAIN_PASSWORD": PASSWORD,
    }


def _names(book: AddressBook) -> list[str]:
    """The names of all cards in the address book."""
    answer = book.call("PROPFIND", headers={"Depth": "1"})
    names = [path.rpartition("/")[2] for path in re.findall(r"href>([^<]+)<", answer.text)]
    return [name for name in names if name]


def _cards(book: AddressBook) -> dict[str, str]:
    """All cards by their names in the address book."""
    return {name: book.read(name) for name in _names(book)}


def _card(book: AddressBook, text: str) -> tuple[str, str]:
    """Name and text of the only card that holds this; ("", "") if there is none or more."""
    found = [each for each in _cards(book).items() if text in each[1]]
    return found[0] if len(found) == 1 else ("", "")


def _emails(*addresses: str) -> Any:
    return {"items": [{"email": each} for each in addresses]}


def test_both_sides_are_kept_equal_by_the_worker(
    commands: Commands, site: Site, address_book: AddressBook, tmp_path: Path, database_url: str
) -> None:
    settings = _settings(tmp_path, site, address_book.url, "two-way", database_url)
    ines = site.add(name={"first": "Ines", "last": "Okafor"}, emails=_emails("ines@example.com"))
    site.add(name={"first": "Rui"}, phones={"items": [{"phone": "912 000 111"}]})
    eva = "N:Novak;Eva;;;\r\nEMAIL:eva@example.com"
    address_book.put("eva.vcf", CARD.format(uid="eva", fn="Eva Novak", lines=eva))
    twin = "N:Okafor;Inês;;;\r\nEMAIL:INES@example.com\r\nX-OWN:stays"
    address_book.put("ines.vcf", CARD.format(uid="ines", fn="Inês", lines=twin))
    planned = commands.run("crm", "plan", "main", "--json", **settings)
    assert planned.returncode == 0, planned.stderr
    plan = json.loads(planned.stdout)
    assert (plan["link"], plan["create_in_crm"], plan["create_in_wix"]) == (1, 1, 1)
    started = commands.run("crm", "start", "main", "--system-of-record", "wix", **settings)
    assert started.returncode == 0, started.stderr
    worker = commands.start("worker", **settings)

    site.edit(ines, name={"first": "Ines", "last": "Okafor-Lima"})
    eventually(lambda: "Okafor-Lima" in address_book.read("ines.vcf"), 60)
    assert "X-OWN:stays" in address_book.read("ines.vcf")

    changed = eva.replace("Novak", "Silva")
    address_book.put("eva.vcf", CARD.format(uid="eva", fn="Eva Silva", lines=changed))
    eventually(lambda: "Silva" in site.last_names(), 60)

    site.add(name={"first": "Bo"}, emails=_emails("bo@example.com"))
    eventually(lambda: bool(_card(address_book, "bo@example.com")[0]), 60)

    def settled() -> bool:
        (status,) = json.loads(commands.run("crm", "status", "--json", **settings).stdout)
        return bool(status["due"] == 0 and status["linked"] == 4)

    eventually(settled, 60)
    assert end(worker) == 0
    # No loop: a further look at both sides writes nothing.
    before = site.contacts(), _cards(address_book)
    assert commands.run("crm", "sync", "main", "--once", **settings).returncode == 0
    assert (site.contacts(), _cards(address_book)) == before
    assert "Inês" not in tmp_path.joinpath("worker.log").read_text()


def test_a_copy_goes_on_after_a_kill_and_doubles_nobody(
    commands: Commands, site: Site, address_book: AddressBook, tmp_path: Path
) -> None:
    number = 30
    for each in range(number):
        site.add(name={"first": f"P{each}"}, emails=_emails(f"p{each}@example.com"))
    settings = _settings(tmp_path, site, address_book.url, "copy")
    before = site.contacts()
    first = commands.start("crm", "start", "main", **settings)
    eventually(lambda: len(_names(address_book)) > 3, 60)
    first.kill()
    first.wait()
    assert len(_names(address_book)) < number, "too quick to be killed: take more contacts"
    again = commands.run("crm", "start", "main", **settings)
    assert again.returncode == 0, again.stderr
    site.add(name={"first": "New"}, emails=_emails("new@example.com"))
    assert commands.run("crm", "sync", "main", "--once", **settings).returncode == 0
    names = re.findall(
        r"^EMAIL[^:]*:(.*?)\r$", "".join(_cards(address_book).values()), re.MULTILINE
    )
    assert sorted(names) == sorted(
        [*(f"p{each}@example.com" for each in range(number)), "new@example.com"]
    )
    assert {id_: each for id_, each in site.contacts().items() if id_ in before} == before
    assert site.calls().count("listContacts") <= 4
