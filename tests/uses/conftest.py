"""A formapp server, sites of other people around it, and a browser between them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from formapp.server import Server, listen
from tests.look.forms import STEPS, VISIT
from tests.support.processes import free_port
from tests.uses.forms import CHALLENGE, HEBREW, LEAD, THEME
from tests.uses.sites import ForeignSite, foreign_site
from tests.web.support import Site

OpenPage = Callable[..., Page]
MIXED = ("Mixed Content",)
"""The listed site alone has TLS here: its browser remarks on an image of the frame within."""

# A test may touch the next page before the browser has moved the focus there.
FOCUSED = "Autofocus processing was blocked because a document already has a focused element."


@dataclass
class World:
    """Everybody who has a part in a use.

    Attributes:
        origin: formapp's.
        listed: a site that the forms list, by TLS.
        partner: another one that they list, without TLS.
        evil: a site that no form lists.
        said: what pages said on their consoles.
        forgiven: parts of what the browser itself says where a test means it to.
    """

    site: Site
    origin: str
    listed: ForeignSite
    partner: ForeignSite
    evil: ForeignSite
    said: list[str] = field(default_factory=list)
    forgiven: tuple[str, ...] = ()

    def snippet(self, form: str = "lead", attributes: str = "async") -> str:
        """The line that puts a form into a page."""
        return f'<script src="{self.origin}/embed.js" data-form="{form}" {attributes}></script>'

    def iframe(self, form: str = "lead", attributes: str = "", query: str = "") -> str:
        """The form in an iframe without a script."""
        return (
            f'<iframe src="{self.origin}/f/{form}/embed{query}" title="Ask us" width="100%" '
            f'height="900" {attributes}></iframe>'
        )

    def unforgiven(self) -> list[str]:
        """What was said and is no test's intention."""
        forgiven = (*self.forgiven, *MIXED, FOCUSED)
        return [text for text in self.said if not any(part in text for part in forgiven)]

    def warnings(self) -> list[str]:
        """What embed.js said; it is taken off."""
        found = [text for text in self.said if text.startswith("formapp")]
        self.said[:] = [text for text in self.said if text not in found]
        return found

    def kept(self) -> list[Any]:
        """All submissions, in the order in which they came."""
        return list(self.site.rows())

    def one(self) -> Any:
        """The only submission."""
        return self.site.row()


def load(origins: tuple[str, ...]) -> dict[str, Form]:
    """The forms of these tests, with these origins listed."""
    listed = ", ".join(f'"{origin}"' for origin in origins)
    texts = {
        "lead": LEAD.format(origins=listed, top=""),
        "hebrew": HEBREW.format(origins=listed, top=""),
        "themed": LEAD.format(origins=listed, top=THEME),
        "steps": f"origins = [{listed}]\n{VISIT}{STEPS}",
        "closed": LEAD.format(origins="", top=""),
        "guarded": LEAD.format(origins=listed, top=CHALLENGE),
        "guarded-hebrew": HEBREW.format(origins=listed, top=CHALLENGE),
    }
    return {name: compile_form(name, parse_form(name, text)) for name, text in texts.items()}


@pytest.fixture(scope="session")
def others() -> Iterator[tuple[ForeignSite, ForeignSite, ForeignSite]]:
    """The sites of other people: a listed one by TLS, another listed one, an unlisted one."""
    with ExitStack() as stack:
        yield (
            stack.enter_context(foreign_site("shop.localhost", tls=True)),
            stack.enter_context(foreign_site("partner.localhost")),
            stack.enter_context(foreign_site("evil.localhost")),
        )


@pytest.fixture(scope="session")
def all_forms(others: tuple[ForeignSite, ForeignSite, ForeignSite]) -> dict[str, Form]:
    """Compiled once."""
    return load((others[0].origin, others[1].origin))


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings of the server, without their prefix; a test may parametrise them."""
    return {}


@pytest.fixture
def world(
    tmp_path: Path,
    others: tuple[ForeignSite, ForeignSite, ForeignSite],
    all_forms: dict[str, Form],
    settings: dict[str, Any],
) -> Iterator[World]:
    """A formapp server on an empty database, amid the other sites."""
    port = free_port()
    origin = f"http://forms.localhost:{port}"
    site = Site.build(tmp_path, forms=all_forms, BASE_URL=origin, **settings)
    server = Server(site.app, listen("127.0.0.1", port))
    thread = Thread(target=server.run)
    thread.start()
    for other in others:
        other.pages.clear()
        other.visited.clear()
        other.posted = 0
    yield World(site, origin, *others)
    server.stop()
    thread.join(20)
    site.database.close()


@pytest.fixture
def open_page(browser: Browser, world: World) -> Iterator[OpenPage]:
    """Open an address: `width`, `javascript` and any option of a browser's context as keywords.

    What a page says on its console must be forgiven, or fails the test at its end.
    """
    contexts = []

    def open_(
        url: str, *, width: int = 1280, javascript: bool = True, of: Browser = browser, **how: Any
    ) -> Page:
        context = of.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=javascript,
            ignore_https_errors=True,  # the certificate is of an authority that nobody knows
            reduced_motion="reduce",
            locale="en-GB",
            **how,
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: world.said.append(message.text))
        page.on("pageerror", lambda error: world.said.append(f"error: {error}"))
        page.goto(url)
        return page

    yield open_
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    assert cookies == [], "no public page sets a cookie"
    assert world.unforgiven() == []
