"""What people type and paste in a browser reaches the contact as they mean it, and whole."""

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.support.browser import axe_violations
from tests.support.demo import Demo
from tests.support.processes import Commands, Installation, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FORM = """
title = "Anfrage"
language = "de"

[[fields]]
name = "email"
type = "email"
label = "E-Mail"
required = true
to = "email"

[[fields]]
name = "amount"
type = "number"
label = "Menge"
help = "In Tonnen."
min = 0.5
max = 5000
to = { extended_field = "Menge", data_type = "NUMBER" }

[[fields]]
name = "phone"
type = "tel"
label = "Telefon"
region = "DE"
to = "phone"

[[fields]]
name = "country"
type = "text"
label = "Land"
to = "country"

[[fields]]
name = "message"
type = "textarea"
label = "Nachricht"
to = { extended_field = "Nachricht" }
"""


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """An installation with a German form."""
    commands = Commands(tmp_path_factory.mktemp("german"))
    (commands.folder / "forms").mkdir()
    (commands.folder / "forms" / "contact.toml").write_text(FORM, "utf-8")
    database = f"sqlite:///{commands.folder / 'formapp.db'}"
    running = Installation(commands, database, FORMS="forms", LIMIT_PER_ADDRESS="off")
    wait_for(f"{running.web}/readyz")
    log = commands.folder / "serve.log"
    yield Demo(running.web, running.sandbox, running.serve_process, log)
    commands.close()


@pytest.fixture(autouse=True)
def empty_sandbox(german: Demo) -> None:
    requests.post(f"{german.sandbox}/_sandbox/reset", timeout=10).raise_for_status()


def _opened(german: Demo, open_page: Open, *, javascript: bool = True) -> Page:
    page = open_page(f"{german.web}/f/contact", javascript=javascript)
    page.get_by_label("E-Mail").fill("ann@example.com")
    return page


def _paste(page: Page, label: str, text: str) -> None:
    page.get_by_label(label).focus()
    page.keyboard.insert_text(text)


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize(
    ("typed", "value"), [("1,5", 1.5), ("2.500,00", 2500), ("1 250,25", 1250.25)]
)
def test_a_german_number_reaches_the_contact(
    german: Demo, open_page: Open, typed: str, value: float, *, javascript: bool
) -> None:
    page = _opened(german, open_page, javascript=javascript)
    page.get_by_label("Menge").press_sequentially(typed)
    page.get_by_label("Telefon").fill("030 901820 Durchwahl 12")
    page.get_by_label("Land").fill("Österreich")
    page.locator("form button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vielen Dank")
    info = german.contact_when(lambda _contact: True)["info"]
    assert value in info["extendedFields"]["items"].values()
    [phone] = info["phones"]["items"]
    assert (phone["phone"], "e164Phone" in phone) == ("+4930901820 ext. 12", False)
    assert info["addresses"]["items"][0]["address"]["country"] == "AT"


def test_what_is_out_of_bounds_is_described_and_comes_back(german: Demo, open_page: Open) -> None:
    page = _opened(german, open_page)
    amount = page.get_by_label("Menge")
    expect(amount).to_have_accessible_description("In Tonnen. Von 0,5 bis 5000.")
    amount.press_sequentially("0,25")
    page.locator("form button").click()
    expect(amount).to_have_value("0,25")
    expect(page.get_by_role("alert")).to_contain_text("0,5")
    assert axe_violations(page) == []


@pytest.mark.parametrize("char", ["x", "字", "😀"])
def test_pasted_text_is_kept_and_counted(german: Demo, open_page: Open, char: str) -> None:
    page = _opened(german, open_page)
    message, counter = page.get_by_label("Nachricht"), page.locator("output")
    _paste(page, "Nachricht", char * 700)
    expect(counter).to_have_count(0)
    _paste(page, "Nachricht", char * 200)
    expect(counter).to_have_text("900 von 1000 Zeichen")
    _paste(page, "Nachricht", char * 600)
    expect(counter).to_have_text("1500 von 1000 Zeichen")
    page.locator("form button").click()
    expect(page.get_by_role("alert")).to_contain_text("1000")
    expect(message).to_have_value(char * 1500)
    expect(counter).to_have_text("1500 von 1000 Zeichen")
    assert axe_violations(page) == []
    message.fill(char * 1000)
    expect(counter).to_have_text("1000 von 1000 Zeichen")
    message.fill(char * 500)
    expect(counter).to_be_hidden()
    message.fill(char * 1000)
    page.locator("form button").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Vielen Dank")
    info = german.contact_when(lambda _contact: True)["info"]
    assert char * 1000 in info["extendedFields"]["items"].values()
