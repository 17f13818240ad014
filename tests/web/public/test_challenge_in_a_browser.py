"""A real browser before a form that asks for work: it is solved unseen, and never in the way."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request

from tests.support.processes import eventually
from tests.web.guarded import guarded
from tests.web.running import Running
from tests.web.support import Site, SiteMaker

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class Visitor:
    """A page of the form, and what was asked for on its behalf."""

    def __init__(self, browser: Browser, running: Running, *, javascript: bool = True) -> None:
        self.site: Site = running.site
        self.address = f"http://127.0.0.1:{running.address[1]}"
        self.context = browser.new_context(java_script_enabled=javascript)
        self.context.set_default_timeout(20_000)
        self.asked: list[str] = []
        self.said: list[str] = []
        self.page: Page = self.context.new_page()
        self.page.on("request", self._note)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def _note(self, request: Request) -> None:
        self.asked.append(request.url)

    def challenges(self) -> int:
        """How many challenges were fetched."""
        return sum(url.endswith("/challenge") for url in self.asked)

    def open(self, path: str = "/f/lead") -> None:
        self.page.goto(self.address + path)

    def fill(self, **answers: str) -> None:
        for name, text in ({"name": "Ada", "email": "ada@example.com"} | answers).items():
            self.page.fill(f"[name={name}]", text)
        self.page.check("[name=privacy]")

    def send(self) -> None:
        self.page.click("button")
        self.page.wait_for_url("**/thanks*")

    def states(self) -> list[tuple[str, Any]]:
        return [(row.status, row.meta.get("suspect", [])) for row in self.site.rows()]


@pytest.fixture
def running(make_site: SiteMaker) -> Iterator[Running]:
    running = Running(make_site(forms=guarded('challenge = "altcha"'), BASE_URL="http://127.0.0.1"))
    yield running
    running.stop()


@pytest.fixture
def visitor(browser: Browser, running: Running) -> Iterator[Visitor]:
    visitor = Visitor(browser, running)
    yield visitor
    visitor.context.close()
    assert visitor.said == []


@pytest.mark.parametrize("path", ["/f/lead", "/f/lead/embed"])
def test_the_work_is_done_while_the_visitor_types(visitor: Visitor, path: str) -> None:
    visitor.open(path)
    assert visitor.challenges() == 0
    visitor.fill()
    eventually(lambda: visitor.page.input_value("[name=altcha]") != "")
    visitor.send()
    [(status, suspect)] = visitor.states()
    assert (status, suspect) == ("accepted", suspect[:1])
    assert visitor.challenges() == 1
    # Nobody else was asked for anything.
    assert {url.split("/f/")[0].split("/static/")[0] for url in visitor.asked} == {visitor.address}


def test_the_button_works_at_once_and_waits_for_the_work(visitor: Visitor) -> None:
    visitor.open()
    # As an autofill and a hurried click do: nothing gets the focus before the button.
    visitor.page.evaluate(
        """() => {
            document.querySelector("[name=name]").value = "Ada";
            document.querySelector("[name=email]").value = "ada@example.com";
            document.querySelector("[name=privacy]").checked = true;
            document.querySelector("form").requestSubmit();
        }"""
    )
    visitor.page.wait_for_url("**/thanks*")
    assert visitor.states()[0][0] == "accepted"


def test_many_clicks_while_it_waits_send_it_once(visitor: Visitor) -> None:
    visitor.open()
    visitor.fill()
    visitor.page.evaluate(
        "() => { for (let n = 0; n < 5; n++) document.querySelector('button').click(); }"
    )
    visitor.page.wait_for_url("**/thanks*")
    assert [status for status, _ in visitor.states()] == ["accepted"]
    assert visitor.challenges() == 1


def test_a_form_that_comes_back_with_errors_is_solved_anew(visitor: Visitor) -> None:
    visitor.open()
    visitor.fill(email="nonsense")
    visitor.page.click("button")
    visitor.page.wait_for_selector("[role=alert]")
    visitor.said.clear()  # that the answer was a 422
    visitor.page.fill("[name=email]", "ada@example.com")
    visitor.send()
    assert [status for status, _ in visitor.states()] == ["accepted"]
    assert visitor.challenges() == 2


def test_going_back_and_sending_again_is_one_submission(visitor: Visitor) -> None:
    visitor.open()
    visitor.fill()
    visitor.send()
    visitor.page.go_back()
    visitor.page.wait_for_selector("form")
    visitor.send()
    assert [status for status, _ in visitor.states()] == ["accepted"]


def test_without_script_the_owner_decides(browser: Browser, running: Running) -> None:
    visitor = Visitor(browser, running, javascript=False)
    visitor.open()
    visitor.fill()
    visitor.send()
    [(status, suspect)] = visitor.states()
    assert (status, suspect[-1]) == ("quarantined", "the challenge was not solved")
    visitor.context.close()


def test_when_no_challenge_can_be_had_the_form_is_sent_all_the_same(
    browser: Browser, running: Running
) -> None:
    visitor = Visitor(browser, running)
    visitor.context.route("**/challenge", lambda route: route.abort())
    visitor.open()
    visitor.fill()
    visitor.send()
    assert [status for status, _ in visitor.states()] == ["quarantined"]
    visitor.context.close()
