"""The pages for people: as HTML, and in a browser with and without its script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from formapp.sandbox.options import SETTING_RULES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

C = "/contacts/v4/contacts"


def page_of(api: Any, path: str = "/") -> str:
    answer = api.client.get(path)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def test_an_empty_sandbox_says_what_to_do_next(api: Any) -> None:
    page = page_of(api)
    assert "No contacts yet" in page
    assert "curl http://localhost/contacts/v4/contacts" in page


def test_a_contact_is_shown_with_display_names_and_history(api: Any) -> None:
    label, field = api.label("Spring Regatta"), api.field("Boat Length", "NUMBER")
    api.ok("PATCH", f"/labels/{label}", {"displayName": "Summer Regatta"})
    contact = api.contact(
        name={"first": "Ines", "last": "Okafor"},
        emails={"items": [{"tag": "WORK", "email": "ines@example.com"}]},
        phones={"items": [{"countryCode": "PT", "phone": "912 000 111"}]},
        company="Barco Lento",
        addresses={"items": [{"address": {"addressLine": "Rua 12", "city": "Lisboa"}}]},
        labelKeys={"items": [label]},
        extendedFields={"items": {field: 8.5}},
    )
    api.update(contact, company="Barco Veloz")
    page = page_of(api)
    for text in (
        "Ines Okafor",
        "ines@example.com",
        "912 000 111",
        "+351912000111",
        "Rua 12, Lisboa",
        "Summer Regatta",
        "Boat Length",
        "8.5",
        "Revision 2",
        "Barco Lento",
        "Barco Veloz",
        "Created",
        "Updated",
        "by API key",
    ):
        assert text in page, text
    assert "custom.boat-length" not in page


def test_names_are_escaped(api: Any) -> None:
    api.contact(name={"first": "<script>alert(1)</script>"})
    page = page_of(api, "/?q=<script>")
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("okafor", True), ("INES@", True), ("barco", True), ("news", True), ("nobody", False)],
)
def test_the_search_looks_everywhere(api: Any, wanted: str, found: bool) -> None:  # noqa: FBT001 - a case of the table
    key = api.label("News")
    api.contact(
        "ines@example.com",
        name={"first": "Ines", "last": "Okafor"},
        company="Barco",
        labelKeys={"items": [key]},
    )
    page = page_of(api, f"/?q={wanted}")
    assert ("<article" in page) is found
    assert ("Nothing matches" in page) is not found
    assert ("1 of 1 contact" if found else "0 of 1 contact") in page


def test_a_site_has_a_page_of_its_own(api: Any) -> None:
    api.contact(name={"first": "Here"})
    api.other_site().contact(name={"first": "There"})
    assert "There" in page_of(api)
    page = page_of(api, "/sites/another-site")
    assert "There" in page
    assert ">Here<" not in page


def test_the_script_gets_the_list_only_if_something_changed(api: Any) -> None:
    api.contact(name={"first": "Ines"})
    first = api.client.get("/people.json").get_json()
    assert first["count"] == "1 contact"
    assert "Ines" in first["html"]
    again = api.client.get(f"/people.json?version={first['version']}").get_json()
    assert again == {"version": first["version"]}
    api.contact(name={"first": "Bo"})
    assert "html" in api.client.get(f"/people.json?version={first['version']}").get_json()


def test_pages_have_a_strict_policy_and_no_inline_script_or_style(api: Any) -> None:
    api.contact()
    for path in ("/", "/faults", "/nothing"):
        answer = api.client.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        page = answer.get_data(as_text=True)
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert page.count("<script") == page.count('<script src="/static/')
        assert "http://" not in page.replace("http://localhost", "")
        assert "https://" not in page


def test_an_unknown_page_is_not_found(api: Any) -> None:
    answer = api.client.get("/nothing")
    assert answer.status_code == 404
    assert "Go to the contacts" in answer.get_data(as_text=True)


def test_more_contacts_than_the_page_shows_are_counted_and_found(api: Any) -> None:
    for number in range(203):
        api.contact(name={"first": f"Number {number:03d}"})
    page = page_of(api)
    assert page.count("<article") == 200
    assert "203 contacts" in page
    assert "3 more contacts are not shown" in page
    assert page_of(api, "/?q=number 000").count("<article") == 1


def test_every_setting_has_a_control(api: Any) -> None:
    page = page_of(api, "/faults")
    assert all(f'name="{name}"' in page for name in SETTING_RULES)


def presets(page: str) -> dict[str, dict[str, str]]:
    """Button to what its form sends, of the common faults."""
    section = page[page.index('id="quick"') : page.index('id="own"')]
    return {
        re.findall(r"<button[^>]*>(.*?)</button>", form)[0]: dict(
            re.findall(r'name="(\w+)" value="(.*?)"', form)
        )
        for form in section.split("<form")[1:]
    }


def test_every_common_fault_can_be_switched_on_by_its_form(api: Any) -> None:
    found = presets(page_of(api, "/faults"))
    assert len(found) == 8
    for words, values in found.items():
        answer = api.client.post("/_sandbox/faults", data=values)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/faults"), words
        fault = api.control("GET", "/faults")["faults"][-1]
        assert fault["kind"] == values["kind"]
        assert fault["probability"] == float(values.get("percent", 100)) / 100


def test_faults_and_settings_work_as_plain_forms(api: Any) -> None:
    form = {
        "kind": "status",
        "operation": "",
        "site": "",
        "status": "500",
        "seconds": "1.5",
        "percent": "50",
        "times": "",
        "applied": "on",
    }
    api.client.post("/_sandbox/faults", data=form)
    fault = api.control("GET", "/faults")["faults"][0]
    assert (fault["operation"], fault["times"], fault["status"]) == (None, None, 500)
    assert (fault["seconds"], fault["probability"], fault["applied"]) == (1.5, 0.5, True)
    off = api.client.post(f"/_sandbox/faults/{fault['id']}/off", data={"x": "1"})
    assert off.status_code == 303
    assert api.control("GET", "/faults") == {"faults": []}
    settings = {"query_delay": "2.5", "rate_limit": "7", "random_key_suffixes": "on"}
    assert api.client.post("/_sandbox/settings", data=settings).status_code == 303
    shown = api.control("GET", "/settings")["settings"]
    assert (shown["query_delay"], shown["rate_limit"]) == (2.5, 7)
    assert shown["random_key_suffixes"] is True
    assert api.client.post("/_sandbox/reset", data={"x": "1"}).headers["Location"] == "/"


def test_a_form_that_makes_no_sense_says_so_on_the_page(api: Any) -> None:
    answer = api.client.post("/_sandbox/faults", data={"kind": "status", "status": "abc"})
    assert answer.status_code == 400
    page = answer.get_data(as_text=True)
    assert "Nothing was changed: status must be a number from 400 to 599." in page


def fill(http: Any) -> Any:
    """Make one contact with everything on the page, and return it."""
    key = http.call("POST", "/contacts/v4/labels", {"displayName": "News"}).json()["label"]["key"]
    info = {
        "name": {"first": "Ines", "last": "Okafor"},
        "emails": {"items": [{"tag": "WORK", "email": "ines.okafor@example.com"}]},
        "phones": {"items": [{"tag": "MOBILE", "countryCode": "PT", "phone": "912 000 111"}]},
        "labelKeys": {"items": [key]},
    }
    return http.call("POST", C, {"info": info}).json()["contact"]


@pytest.mark.slow
@pytest.mark.browser
def test_contacts_appear_and_change_without_a_reload(http: Any, browser: Browser) -> None:
    errors: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(http.url)
        expect(page.get_by_role("heading", name="No contacts yet")).to_be_visible()
        contact = fill(http)
        card = page.get_by_role("article", name="Ines Okafor")
        expect(card).to_be_visible()
        expect(page.get_by_role("status")).to_have_text("1 contact")
        card.get_by_text("History (1)").click()
        body = {"revision": 1, "info": {"company": "Barco Lento"}}
        http.call("PATCH", f"{C}/{contact['id']}", body)
        expect(card.get_by_text("Revision 2", exact=True)).to_be_visible()
        expect(card.get_by_text("History (2)")).to_be_visible()
        expect(card.locator("ins", has_text="Barco Lento")).to_be_visible()
        page.get_by_label("Search contacts").fill("nobody")
        expect(page.get_by_role("heading", name="Nothing matches “nobody”")).to_be_visible()
        page.get_by_label("Search contacts").fill("okaf")
        expect(card).to_be_visible()
    assert errors == []


@pytest.mark.slow
@pytest.mark.browser
def test_the_pages_work_without_javascript(http: Any, browser: Browser) -> None:
    fill(http)
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(http.url)
        page.get_by_label("Search contacts").fill("okafor")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("article", name="Ines Okafor")).to_be_visible()
        page.get_by_role("link", name="Faults").click()
        page.get_by_role("button", name="Lose the answer to the next create").click()
        expect(page.get_by_text("1 more to come")).to_be_visible()
        page.get_by_role("button", name="Switch off").click()
        expect(page.get_by_text("No fault is on")).to_be_visible()
        page.get_by_label("Delay of Query (seconds)").fill("2.5")
        page.get_by_role("button", name="Save settings").click()
        expect(page.get_by_label("Delay of Query (seconds)")).to_have_value("2.5")
        page.get_by_role("button", name="Drop everything").click()
        expect(page.get_by_role("heading", name="No contacts yet")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["/", "/?q=nobody", "/faults", "/nothing", "/sites/empty"])
def test_every_page_is_accessible_and_fits_its_width(
    http: Any, browser: Browser, path: str, width: int, scheme: Any
) -> None:
    fill(http)
    http.fault("latency", seconds=0)
    # The checker is injected as an inline script, which the pages' own policy refuses.
    with browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    ) as context:
        page = context.new_page()
        page.goto(http.url + path)
        for summary in page.locator("summary").all():
            summary.click()
        page.emulate_media(reduced_motion="reduce")
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found = Axe().run(page)
    assert overflow <= 0
    assert found.violations_count == 0, found.generate_report()
