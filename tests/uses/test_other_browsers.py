"""The three uses in Firefox and WebKit, where Debian's packages of them are installed."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from formapp.server import Server, listen
from tests.support.driven import Driven, when
from tests.support.processes import free_port
from tests.uses.conftest import World, load
from tests.uses.sites import foreign_site
from tests.web.support import Site

pytestmark = pytest.mark.slow

FILL_IN = """
for (const [name, value] of [["name", "Ada Lovelace"], ["email", "ada@example.com"]])
    document.querySelector(`[name=${name}]`).value = value;
document.querySelector("[name=privacy]").checked = true;
document.querySelector("button[type=submit]").click();
"""
THANKED = "document.querySelector('h1')?.textContent === 'Thank you'"
FITS = (
    "document.readyState === 'complete' && document.querySelector('form, .thanks')"
    " && Math.ceil(document.body.getBoundingClientRect().height) === innerHeight"
)


@pytest.fixture
def numbered(tmp_path: Path) -> Iterator[World]:
    """The same world by numbers: not every system resolves names under `localhost`."""
    with foreign_site("127.0.0.2") as listed, foreign_site("127.0.0.3") as evil:
        port = free_port()
        origin = f"http://127.0.0.1:{port}"
        site = Site.build(tmp_path, forms=load((listed.origin,)), BASE_URL=origin)
        server = Server(site.app, listen("127.0.0.1", port))
        thread = Thread(target=server.run)
        thread.start()
        yield World(site, origin, listed, listed, evil)
        server.stop()
        thread.join(20)
        site.database.close()


def test_hosted(driven: Driven, numbered: World) -> None:
    driven.open(f"{numbered.origin}/f/lead?utm_source=letter")
    driven.run(FILL_IN)
    when(driven, THANKED)
    assert numbered.one().meta["utm"] == {"utm_source": "letter"}


def test_embedded_by_the_script(driven: Driven, numbered: World) -> None:
    address = numbered.listed.page(numbered.snippet())
    driven.open(f"{address}?utm_source=letter&name=Link&secret=1")
    when(driven, "document.querySelector('iframe')")
    when(driven, FITS, frame=0)
    assert driven.run("return document.querySelector('[name=name]').value", frame=0) == "Link"
    driven.run("document.querySelector('button[type=submit]').click()", frame=0)
    when(driven, "document.querySelector('.summary')", frame=0)
    when(driven, FITS, frame=0)
    driven.run(FILL_IN, frame=0)
    when(driven, THANKED, frame=0)
    when(driven, FITS, frame=0)
    meta = numbered.one().meta
    assert (meta["use"], meta["page"]) == ("embed", address)
    assert meta["utm"] == {"utm_source": "letter"}


FOREIGN = """<form method="post" action="{origin}/f/lead"><input name="name"><input name="email">
<input type="checkbox" name="privacy" value="yes"><button type="submit">Send</button></form>"""


def test_by_a_form_of_another_site(driven: Driven, numbered: World) -> None:
    driven.open(numbered.listed.page(FOREIGN.format(origin=numbered.origin)))
    driven.run(FILL_IN)
    when(driven, THANKED)
    assert numbered.one().meta["page"] == f"{numbered.listed.origin}/"


def test_not_by_a_form_of_an_unlisted_site_nor_in_its_frame(
    driven: Driven, numbered: World
) -> None:
    html = FOREIGN.format(origin=numbered.origin) + numbered.snippet()
    driven.open(numbered.evil.page(html))
    # The frame never says a word, so a link stands in its place.
    when(driven, "document.querySelector('a[target=_blank]')")
    driven.run(FILL_IN)
    when(driven, "document.querySelector('.status')?.textContent === '403'")
    assert numbered.kept() == []


ANSWER = """
const [name, value] = arguments;
const all = [...document.querySelectorAll(`[name=${name}]`)];
const control = all.find((one) => one.type !== "radio" || one.value === value);
if (/radio|checkbox/.test(control.type)) control.checked = true;
else control.value = value;
control.dispatchEvent(new Event("input", { bubbles: true }));
control.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
"""
PRESS = "[...document.querySelectorAll('button')].find((one) => one.textContent === %r).click()"
SEEN = "[...document.querySelectorAll('.field')].filter((one) => one.offsetHeight).length"


def test_a_form_in_steps_whose_fields_appear_and_are_checked(
    driven: Driven, numbered: World
) -> None:
    driven.open(f"{numbered.origin}/f/steps")
    when(driven, f"{SEEN} === 4 && document.querySelector('h2').innerText.includes('Step 1 of 3')")
    driven.run(ANSWER, "email", "ada")
    when(driven, "document.querySelector('.error')?.textContent.includes('Enter an e-mail')")
    driven.run(ANSWER, "email", "ada@example.com")
    driven.run(ANSWER, "name", "Ada Lovelace")
    when(driven, "!document.querySelector('.error')")
    driven.run(PRESS % "Next")
    when(driven, f"{SEEN} === 1")
    driven.run(ANSWER, "topic", "repair")
    when(driven, f"{SEEN} === 2")
    driven.run(PRESS % "Next")
    when(driven, "document.querySelector('#e-part')")
    driven.run(ANSWER, "part", "Hull")
    driven.run(PRESS % "Next")
    when(driven, f"{SEEN} === 3")
    driven.run(ANSWER, "same", "yes")
    driven.run(ANSWER, "privacy", "yes")
    driven.run(PRESS % "Send")
    when(driven, THANKED)
    row = numbered.one()
    assert (row.answers["topic"], row.answers["part"]) == ("repair", "Hull")
    assert "harbour" not in row.answers
    assert row.unknown is None
