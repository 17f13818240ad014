"""The doctor looks at CRM books."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from formapp.cli import books
from formapp.cli.doctor import command
from formapp.crm.events import Event, store_event, wix_source
from formapp.db.database import Database
from formapp.db.tables import crm_books, crm_links
from formapp.db.upgrade import upgrade
from formapp.sandbox import SandboxOptions, SandboxServer, Settings, create_sandbox
from tests.crm.memory import MemorySystem
from tests.support.processes import free_port
from tests.support.wixsite import KEY, SITE_ID, WixSite

BOOK = """
system = "carddav"
url = "http://127.0.0.1:1/contacts/"
[[fields]]
wix = "extended.{field}"
crm = "note"
"""

Examine = Callable[..., dict[str, list[str]]]


@pytest.fixture
def site() -> Iterator[WixSite]:
    with SandboxServer(create_sandbox(SandboxOptions(Settings(rate_limit=0)))) as server:
        site = WixSite(server.url)
        yield site
        site.close()


@pytest.fixture
def examine(tmp_path: Path, site: WixSite, sqlite: Database) -> Examine:
    """Runs the doctor: its findings about books, by level."""
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "main.toml").write_text(BOOK.format(field="Budget"))
    upgrade(sqlite)
    settings = {
        "FORMAPP_DATABASE_URL": f"sqlite:///{tmp_path}/formapp.db",
        "FORMAPP_CRM": str(tmp_path / "crm"),
        "FORMAPP_SECRET_KEY": "0123456789abcdef",
        "FORMAPP_WIX_API_URL": site.url,
        "FORMAPP_WIX_API_KEY": KEY,
        "FORMAPP_WIX_SITE_ID": SITE_ID,
    }

    def run(**more: str) -> dict[str, list[str]]:
        changed = {f"FORMAPP_{name}": value for name, value in more.items()}
        done = CliRunner().invoke(command, ["--json"], env=settings | changed)
        found: dict[str, list[str]] = {"ok": [], "hint": [], "fault": []}
        for each in json.loads(done.stdout)["findings"]:
            if each["check"] == "crm":
                found[each["level"]].append(each["message"])
        return found

    return run


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> MemorySystem:
    system = MemorySystem("crm", lambda: datetime.now(UTC))
    monkeypatch.setattr(books, "open_system", lambda *_: system)
    return system


def test_a_book_that_works_is_well_and_nothing_is_written(
    examine: Examine, other: MemorySystem, site: WixSite
) -> None:
    assert examine() == {
        "ok": ["main.toml: both sides answer and have the mapped fields"],
        "hint": [],
        "fault": [],
    }
    assert other.rows == {}
    assert not any(call.startswith(("findOrCreate", "create")) for call in site.calls())


def test_a_faulty_book_file_is_a_fault(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "crm" / "main.toml").write_text("system = 7")
    assert len(examine()["fault"]) == 2


def test_books_that_would_share_their_ids_are_a_fault(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "crm" / "second.toml").write_text(BOOK.format(field="Budget"))
    (found,) = examine()["fault"]
    assert "is the field of main.toml, too" in found


def test_a_system_that_is_away_and_a_field_of_wix_s_own_are_faults(
    examine: Examine, tmp_path: Path
) -> None:
    (tmp_path / "crm" / "main.toml").write_text(BOOK.format(field="Membership status"))
    wix, carddav = examine(CRM_MAIN_USERNAME="shop", CRM_MAIN_PASSWORD="secret word")["fault"]
    assert wix.startswith('main.toml: Wix: the extended field "Membership status"')
    assert carddav.startswith("main.toml: carddav: 127.0.0.1")
    assert "secret word" not in carddav


@pytest.mark.usefixtures("other")
def test_wix_that_is_away_is_a_fault_and_named_once(examine: Examine) -> None:
    (found,) = examine(WIX_API_URL=f"http://127.0.0.1:{free_port()}")["fault"]
    assert found == "main.toml: Wix: listExtendedFields: no connection"


def test_secrets_that_are_missing_or_belong_to_no_book_are_named(examine: Examine) -> None:
    found = examine(CRM_MAIN_USERNAME="shop", CRM_MIAN_PASSWORD="secret word")
    assert found["fault"] == ["FORMAPP_CRM_MAIN_PASSWORD: is missing; main.toml needs it"]
    assert found["hint"] == ["FORMAPP_CRM_MIAN_PASSWORD belongs to no book"]


def test_what_waits_for_the_owner_is_a_hint(
    examine: Examine, other: MemorySystem, sqlite: Database
) -> None:
    assert other.rows == {}
    with sqlite.write() as connection:
        paused = {"book": "main", "state": "running", "paused": True, "reason": "too many gone"}
        connection.execute(insert(crm_books), paused)
        connection.execute(insert(crm_links), {"book": "main", "state": "held", "wix_id": "a"})
        second = {"book": "second", "state": "running", "paused": False}
        connection.execute(insert(crm_books), second)
        connection.execute(insert(crm_links), {"book": "second", "state": "held", "wix_id": "a"})
    assert examine()["hint"] == [
        "CRM book main: paused: too many gone",
        "CRM book second: 0 conflicts and 1 held contacts wait for you",
    ]


def test_webhooks_that_never_came_are_a_hint(
    examine: Examine, other: MemorySystem, sqlite: Database
) -> None:
    assert other.rows == {}
    key = "any: only whether it is set is looked at"
    assert examine(WIX_PUBLIC_KEY=key)["hint"] == ["no webhook of the site main came so far"]
    event = Event(wix_source("main"), "1", "updated", "contact", datetime.now(UTC))
    with sqlite.write() as connection:
        store_event(connection, event)
    found = examine(WIX_PUBLIC_KEY=key)
    assert found["hint"] == []
    assert found["ok"][-1].startswith("a webhook of the site main came at ")
