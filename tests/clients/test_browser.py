"""@formspree/ajax and @formspree/react on a page of another site, in a real browser."""

import base64
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.clients.serving import Served
from tests.support.processes import eventually

pytestmark = pytest.mark.browser
BOTH = pytest.mark.parametrize("client", ["ajax", "react"])
ANY_DATABASE = pytest.mark.parametrize("database_kind", ["sqlite"])
FILE = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"a note"}


class Visitor:
    """Somebody on a page of one client."""

    def __init__(self, page: Page, origin: str, client: str) -> None:
        self.page = page
        self.origin = origin
        self.client = client

    def open(self, endpoint: str, form: str = "contact", **more: str) -> None:
        query = urlencode({"endpoint": endpoint, "form": form, **more})
        self.page.goto(f"{self.origin}/{self.client}?{query}")

    def fill_in(self, **answers: str) -> None:
        for label, value in (
            {"Name": "Ada Lovelace", "Email": "ada@example.com"} | answers
        ).items():
            self.page.get_by_label(label).fill(value)

    @property
    def button(self) -> Locator:
        return self.page.get_by_role("button", name="Send")

    def expect_success(self) -> None:
        where = "[data-fs-success]" if self.client == "ajax" else "[role=status]"
        expect(self.page.locator(where)).to_have_text(re.compile("Thank"))

    def fault(self, field: str) -> Locator:
        """Where the client shows what is wrong with a field."""
        attribute = "data-fs-error" if self.client == "ajax" else "data-of"
        return self.page.locator(f'[{attribute}="{field}"]')

    def form_error(self) -> Locator:
        """Where the client shows what is wrong with the whole."""
        return self.fault("" if self.client == "ajax" else "form")


@pytest.fixture
def visitor(page: Page, pages: str, client: str) -> Visitor:
    return Visitor(page, pages, client)


def session_data(headers: dict[str, str]) -> dict[str, Any]:
    return dict(json.loads(base64.b64decode(headers["Formspree-Session-Data"])))


@BOTH
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_submission_arrives_with_every_answer(
    visitor: Visitor, served: Served, slash: str
) -> None:
    visitor.open(served.endpoint + slash)
    visitor.fill_in(Size="12.5")
    visitor.page.get_by_label("Milk").check()
    visitor.page.get_by_label("Lemon").check()
    visitor.button.click()
    visitor.expect_success()

    assert served.answers() == [
        {
            "name": "Ada Lovelace",
            "email": "ada@example.com",
            "size": 12.5,
            "extras": ["milk", "lemon"],
        }
    ]
    row = served.running.site.row()
    assert row.meta["page"] == f"{visitor.origin}/"
    [(preflight, _, asked), (method, _, sent)] = served.seen
    assert (preflight, method) == ("OPTIONS", "POST")
    assert sent["Sec-Fetch-Site"] == "cross-site"
    wanted = asked["Access-Control-Request-Headers"]
    assert {"formspree-client", "formspree-session-data"} <= set(wanted.split(","))
    assert sent["Formspree-Client"].startswith(f"@formspree/{visitor.client}")
    data = session_data(sent)
    assert data.keys() == {"loadedAt", "webdriver"}
    # What only tells robots from people is no answer.
    assert str(data["loadedAt"]) not in json.dumps([row.answers, row.meta])


@BOTH
@ANY_DATABASE
def test_faults_are_shown_at_their_fields_and_go_when_corrected(
    visitor: Visitor, served: Served
) -> None:
    visitor.open(served.endpoint)
    visitor.fill_in(Email="ada at example", Size="big")
    visitor.button.click()
    expect(visitor.fault("email")).to_contain_text("should be an e-mail address")
    expect(visitor.fault("size")).to_contain_text("should be a number")
    expect(visitor.fault("name").filter(visible=True)).to_have_count(0)
    expect(visitor.form_error().filter(visible=True)).to_have_count(0)
    if visitor.client == "ajax":
        expect(visitor.page.get_by_label("Email")).to_have_attribute("aria-invalid", "true")
    else:
        # React's client puts the label before the message: together they are a sentence.
        expect(visitor.fault("email")).to_have_text(re.compile("^Email should be an e-mail"))
    assert served.answers() == []

    visitor.fill_in(Size="2")
    visitor.button.click()
    visitor.expect_success()
    assert served.answers() == [{"name": "Ada Lovelace", "email": "ada@example.com", "size": 2}]


@BOTH
@ANY_DATABASE
def test_a_form_without_files_says_so_and_takes_the_rest(visitor: Visitor, served: Served) -> None:
    visitor.open(served.endpoint)
    visitor.fill_in()
    visitor.page.get_by_label("File").set_input_files(FILE)  # type: ignore[arg-type] # a plain dict
    visitor.button.click()
    refused = "This form can't take files. Please send it without them."
    expect(visitor.form_error()).to_have_text(refused)
    assert served.answers() == []
    visitor.page.get_by_label("File").set_input_files([])
    visitor.button.click()
    visitor.expect_success()
    assert len(served.answers()) == 1


@BOTH
@ANY_DATABASE
@pytest.mark.parametrize("form", ["nope", "closed"])
def test_a_page_that_may_not_post_learns_that_it_failed_and_no_more(
    visitor: Visitor, served: Served, form: str
) -> None:
    visitor.open(served.endpoint, form)
    visitor.fill_in()
    visitor.button.click()
    # The browser's own words: it lets nobody read an answer that is for others.
    expect(visitor.form_error()).to_have_text("Failed to fetch")
    assert [method for method, _, _ in served.seen] == ["OPTIONS"]
    assert served.answers() == []


@BOTH
def test_a_double_click_makes_one_submission(visitor: Visitor, served: Served) -> None:
    visitor.open(served.endpoint)
    visitor.fill_in()
    visitor.button.dblclick(no_wait_after=True)
    visitor.expect_success()
    assert len(served.answers()) == 1


@pytest.mark.parametrize("client", ["react"])
def test_an_id_makes_one_submission_where_the_page_does_nothing_against_a_double_click(
    visitor: Visitor, served: Served
) -> None:
    visitor.open(served.endpoint, impatient="yes", id="0a1b2c")
    visitor.fill_in()
    visitor.button.dblclick()
    visitor.expect_success()
    eventually(lambda: [method for method, _, _ in served.seen].count("POST") == 2)
    assert len(served.answers()) == 1
