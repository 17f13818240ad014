"""The inbox in Firefox and WebKit, where Debian's packages of them are installed."""

import time
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from sqlalchemy import func, select

from formapp.db.inbox_tables import form_visits
from tests.support.driven import Driven, when
from tests.web.owner.busy import Office, running_office
from tests.web.owner.inbox import PASSWORD

pytestmark = pytest.mark.slow

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
SIGN_IN = f"""
document.querySelector("[name=name]").value = "owner";
document.querySelector("[name=password]").value = "{PASSWORD}";
document.querySelector("form button").click();
"""
FIND = """
window.violations = null;
axe.run({iframes: false}).then(found => {
    window.violations = found.violations.map(each => each.id + ": " + each.nodes[0].html);
});
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with running_office(tmp_path_factory.mktemp("inbox")) as office:
        yield office


def heading_is(browser: Driven, text: str) -> None:
    """Wait for a page with this heading."""
    when(browser, f"document.querySelector('h1')?.textContent.startsWith({text!r})")


def test_people_sign_in_and_every_page_is_accessible_and_fits(
    driven: Driven, office: Office
) -> None:
    driven.open(f"{office.address}/inbox")
    driven.run(SIGN_IN)
    heading_is(driven, "Leads")
    paths = ("leads", f"leads/{office.failed}", f"leads/{office.delivered}", "overview")
    for path in (*paths, "forms", "forms/lead", "export", f"leads/{office.held}/release"):
        driven.open(f"{office.address}/inbox/{path}")
        assert driven.run("return document.documentElement.scrollWidth - innerWidth") <= 0, path
        driven.run(AXE)
        driven.run(FIND)
        when(driven, "window.violations !== null", seconds=40)
        assert driven.run("return window.violations") == [], path


def test_an_action_asks_once_and_says_what_happened(driven: Driven, office: Office) -> None:
    driven.open(f"{office.address}/inbox/leads?search=ana+30")
    if driven.run("return document.querySelector('[name=password]') !== null"):
        driven.run(SIGN_IN)
    heading_is(driven, "Leads")
    driven.run("document.querySelector('.leads th a').click()")
    heading_is(driven, "Ana 30")
    driven.run("document.querySelector('.actions [href$=retry]').click()")
    heading_is(driven, "Try again now?")
    driven.run("document.querySelector('main button').click()")
    when(driven, "document.querySelector('[role=status]')")
    said = driven.run("return document.querySelector('[role=status]').textContent")
    assert said == "It is tried again now."


def test_beginning_to_fill_in_counts(driven: Driven, office: Office) -> None:
    before = started(office)
    driven.open(f"{office.address}/f/lead")
    typed = "const field = document.querySelector('[name=name]'); field.value = 'A';"
    driven.run(f"{typed} field.dispatchEvent(new Event('input', {{bubbles: true}}));")
    deadline = time.monotonic() + 15
    while started(office) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert started(office) == before + 1


def started(office: Office) -> int:
    """How often the form was begun, so far."""
    office.site.app.extensions["formapp"].visits.store()
    total = select(func.sum(form_visits.c.started)).where(form_visits.c.form == "lead")
    with office.site.database.read() as connection:
        return int(connection.execute(total).scalar_one())
