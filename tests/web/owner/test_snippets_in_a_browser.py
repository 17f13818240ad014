"""Every snippet does what it promises, on a page of a listed site, in a browser."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from formapp.cli.demo import allow_origins
from formapp.forms.form import load_forms
from formapp.resources import BUNDLED_FORMS
from formapp.server import Server, listen
from formapp.web.owner.snippets import SNIPPETS, snippet
from tests.support.browser import DESKTOP, PHONE, axe_violations
from tests.web.support import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "twelve chars and more"


class Elsewhere:
    """A site whose pages a test writes, and formapp, which lists it.

    Attributes:
        address: where formapp is reached.
        origin: that of the other site.
    """

    def __init__(self, folder: Path) -> None:
        self.pages: dict[str, str] = {}
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.get(self.path, "")
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._pages = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        listener = listen("127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Another host name, so that the two are different sites and not only different ports.
        self.origin = f"http://localhost:{self._pages.server_port}"
        self.forms = allow_origins(load_forms(BUNDLED_FORMS), (self.origin,))
        self.site = Site.build(
            folder, forms=self.forms, BASE_URL=self.address, OWNER_PASSWORD=PASSWORD
        )
        self._server = Server(self.site.app, listener)
        self._threads = [
            threading.Thread(target=run) for run in (self._pages.serve_forever, self._server.run)
        ]
        for thread in self._threads:
            thread.start()

    def snippet(self, name: str, form: str = "contact") -> str:
        return snippet(name, self.forms[form], self.address)

    def write(self, *parts: str) -> str:
        """Put a page on the other site, and return its address."""
        body = "\n".join(parts)
        head = '<!doctype html><html lang="en"><title>Shop</title><link rel="icon" href="data:,">'
        self.pages["/"] = f"{head}<main>{body}</main>"
        return f"{self.origin}/"

    def stop(self) -> None:
        self._server.stop()
        self._pages.shutdown()
        for thread in self._threads:
            thread.join(20)
        self._pages.server_close()
        self.site.database.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    elsewhere = Elsewhere(tmp_path)
    yield elsewhere
    elsewhere.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser; what it complains of fails the test, but for the status of errors."""
    context = browser.new_context()
    context.set_default_timeout(10_000)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert [text for text in said if "422" not in text] == []


def fill(page: Page) -> None:
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Your message").fill("Hello")
    page.get_by_label("I agree").check()


def test_the_html_form_is_sent_and_leads_to_the_thank_you_page(
    elsewhere: Elsewhere, page: Page
) -> None:
    page.goto(elsewhere.write(elsewhere.snippet("html")))
    expect(page.locator("[name=_gotcha]")).to_be_hidden()
    page.get_by_role("button").click()
    assert page.url == f"{elsewhere.origin}/", "the browser asks for what is required"
    fill(page)
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert page.url == f"{elsewhere.address}/f/contact/thanks"
    assert elsewhere.site.row().answers["name"] == "Ada Lovelace"


def test_fetch_shows_what_is_wrong_and_then_the_thanks_without_leaving_the_page(
    elsewhere: Elsewhere, page: Page
) -> None:
    page.goto(elsewhere.write(elsewhere.snippet("html"), elsewhere.snippet("fetch")))
    page.get_by_label("Phone").fill("call me")
    page.get_by_role("button").click()
    errors = page.get_by_role("alert").get_by_role("listitem")
    expect(errors).to_have_count(5)
    expect(errors.nth(0)).to_have_text("Your name: is required")
    expect(page.get_by_label("Phone")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Company")).not_to_have_attribute("aria-invalid", "true")

    fill(page)
    page.get_by_label("Phone").fill("020 7946 0018")
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text(
        "Thank you. We have received your message and will be in touch."
    )
    assert page.url == f"{elsewhere.origin}/"
    assert elsewhere.site.row().answers["phone.e164"] == "+442079460018"


def test_fetch_from_a_site_that_is_not_listed_says_so_in_the_console(
    elsewhere: Elsewhere, browser: Browser
) -> None:
    address = elsewhere.write(elsewhere.snippet("html"), elsewhere.snippet("fetch"))
    # The same page on another origin.
    other = address.replace("localhost", "www.localhost")
    context = browser.new_context()
    page = context.new_page()
    page.goto(other)
    fill(page)
    with page.expect_console_message(lambda message: "to origins in" in message.text) as said:
        page.get_by_role("button").click()
    assert said.value.type == "error"
    assert f'add "{other.removesuffix("/")}" to origins in contact.toml' in said.value.text
    expect(page.get_by_role("alert")).to_contain_text("could not be sent")
    post = """async (url) => {
        const headers = { Accept: "application/json" };
        const body = new URLSearchParams({ name: "Ada" });
        const response = await fetch(url, { method: "POST", headers, body });
        return [response.status, (await response.json()).error];
    }"""
    status, text = page.evaluate(post, f"{elsewhere.address}/f/contact")
    assert (status, "to origins in contact.toml" in text) == (403, True)
    context.close()
    assert elsewhere.site.rows() == []


def test_fetch_sends_all_boxes_of_a_group_and_names_a_group_by_its_legend(
    elsewhere: Elsewhere, page: Page
) -> None:
    html, fetch = (elsewhere.snippet(name, "quote") for name in ("html", "fetch"))
    page.goto(elsewhere.write(html, fetch))
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("What do you need?: must be chosen")
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Last name").fill("Lovelace")
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("A repair").check()
    page.get_by_label("Delivery").check()
    page.get_by_label("Training").check()
    page.get_by_label("I agree").check()
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("Thank you for asking")
    answers = elsewhere.site.row().answers
    assert (answers["service"], answers["extras"]) == ("repair", ["Delivery", "Training"])


@pytest.mark.parametrize("form", ["contact", "newsletter", "quote"])
def test_the_frame_without_script_shows_the_whole_form(
    elsewhere: Elsewhere, page: Page, form: str
) -> None:
    page.set_viewport_size({"width": 640, "height": 900})
    page.goto(elsewhere.write(elsewhere.snippet("iframe", form)))
    definition = elsewhere.forms[form].definition
    frame = page.frame_locator(f'iframe[title="{definition.title}"]')
    expect(frame.get_by_role("heading", level=1)).to_have_text(definition.title)
    # The page doesn't wait for a frame that loads lazily, nor the heading for the rest of the form.
    page.frames[1].wait_for_load_state()
    inner = page.frames[1].evaluate("document.documentElement.scrollHeight")
    shown = page.frames[1].evaluate("innerHeight")
    assert inner <= shown
    body = page.frames[1].evaluate("document.body.getBoundingClientRect().height")
    assert body > shown * 0.85, "and not much more than that"


def test_the_one_line_puts_in_a_frame_that_fits_and_sends(elsewhere: Elsewhere, page: Page) -> None:
    page.goto(elsewhere.write(elsewhere.snippet("script", "newsletter")))
    frame = page.frame_locator('iframe[title="Our newsletter"]')
    frame.get_by_label("E-mail").fill("ada@example.com")
    frame.get_by_label("Please send me").check()
    frame.get_by_role("button").click()
    expect(frame.get_by_role("heading", name="You are on the list")).to_be_visible()
    assert elsewhere.site.row().answers["email"] == "ada@example.com"


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_owners_page_copies_previews_and_can_be_used_by_everybody(
    elsewhere: Elsewhere, browser: Browser, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        http_credentials={"username": "owner", "password": PASSWORD},
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{elsewhere.address}/f/contact/share")
    for name in SNIPPETS:
        page.locator(f'[data-copy="{name}-text"]').click()
        expect(page.locator(f'[data-copy="{name}-text"]')).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()") == elsewhere.snippet(name)
    for title in ("Preview: the hosted page", "Preview: the form in a frame"):
        page.get_by_title(title).scroll_into_view_if_needed()
        shown = page.frame_locator(f'iframe[title="{title}"]')
        expect(shown.get_by_role("heading", name="Contact us")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert said == []
    assert axe_violations(page) == []
    context.close()


def test_without_script_everything_is_there_but_the_buttons(
    elsewhere: Elsewhere, browser: Browser
) -> None:
    context = browser.new_context(
        java_script_enabled=False,
        http_credentials={"username": "", "password": PASSWORD},
    )
    page = context.new_page()
    page.goto(f"{elsewhere.address}/f/contact/share")
    for name in SNIPPETS:
        expect(page.locator(f"#{name}-text")).to_have_text(elsewhere.snippet(name))
    expect(page.locator("button")).to_have_count(len(SNIPPETS))
    for button in page.locator("button").all():
        expect(button).to_be_hidden()
    context.close()


def test_a_preview_sends_nothing(elsewhere: Elsewhere, browser: Browser) -> None:
    context = browser.new_context(http_credentials={"username": "", "password": PASSWORD})
    page = context.new_page()
    page.goto(f"{elsewhere.address}/f/contact/share/preview?_use=embed")
    fill(page)
    with page.expect_console_message(lambda message: "form-action" in message.text):
        page.evaluate("document.querySelector('form').requestSubmit()")
    context.close()
    assert elsewhere.site.rows() == []
