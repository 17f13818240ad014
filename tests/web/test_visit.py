"""Where a submission came from: kept for each of the three uses, and through a correction."""

from typing import Any

import pytest

from tests.web.pages import Page
from tests.web.support import GOOD, LISTED, Site

CAMPAIGN = "utm_source=letter&utm_medium=mail&other=1"
UTM = {"utm_source": "letter", "utm_medium": "mail"}
SEARCH = "https://search.example/?q=forms"


def submit(site: Site, page: Page, *, correct: bool) -> dict[str, Any]:
    """Send the form, perhaps only after a fault, and return what was kept of the visit."""
    if correct:
        answer = page.submit(site, **GOOD | {"email": "wrong"})
        assert answer.status_code == 422
        page = Page(answer)
    assert page.submit(site, **GOOD).status_code == 303
    meta: dict[str, Any] = site.row().meta
    return meta


ROUND_TRIP = pytest.mark.parametrize("correct", [False, True])


@ROUND_TRIP
def test_a_hosted_page(site: Site, *, correct: bool) -> None:
    page = Page(site.get(f"/f/lead?{CAMPAIGN}", Referer=SEARCH))
    meta = submit(site, page, correct=correct)
    assert meta["use"] == "page"
    assert meta["page"] == f"http://localhost/f/lead?{CAMPAIGN}"
    assert meta["referrer"] == SEARCH
    assert meta["utm"] == UTM


@ROUND_TRIP
def test_an_embedded_page(site: Site, *, correct: bool) -> None:
    query = f"{CAMPAIGN}&parent=https%3A%2F%2Fwww.example.com&scheme=dark"
    page = Page(site.get(f"/f/lead/embed?{query}", Referer=f"{LISTED}/prices"))
    meta = submit(site, page, correct=correct)
    assert meta["use"] == "embed"
    assert meta["page"] == f"{LISTED}/prices"
    assert meta["referrer"] is None
    assert meta["utm"] == UTM


@ROUND_TRIP
def test_an_embedded_page_of_a_browser_that_tells_no_referrer(site: Site, *, correct: bool) -> None:
    page = Page(site.get("/f/lead/embed?parent=https%3A%2F%2Fwww.example.com"))
    assert submit(site, page, correct=correct)["page"] == LISTED


@ROUND_TRIP
def test_an_embedded_page_whose_script_tells_more_than_the_browser(
    site: Site, *, correct: bool
) -> None:
    query = "utm_source=letter&_page=https%3A%2F%2Fwww.example.com%2Fprices&theme.accent=red"
    query += "&_referrer=https%3A%2F%2Fsearch.example%2F&parent=https%3A%2F%2Fwww.example.com"
    page = Page(site.get(f"/f/lead/embed?{query}", Referer=f"{LISTED}/"))
    meta = submit(site, page, correct=correct)
    assert meta["page"] == f"{LISTED}/prices"
    assert meta["referrer"] == "https://search.example/"
    assert meta["utm"] == {"utm_source": "letter"}
    answers = site.row().answers
    assert (answers["page"], answers["referrer"]) == (meta["page"], meta["referrer"])


@pytest.mark.parametrize("referrer", [f"{LISTED}/prices?{CAMPAIGN}", None])
def test_another_sites_form(site: Site, referrer: str | None) -> None:
    site.foreign(GOOD, **({"Referer": referrer} if referrer else {}))
    meta = site.row().meta
    assert meta["use"] == "foreign"
    assert meta["page"] == (referrer or LISTED)
    assert meta["referrer"] is None
    assert meta["utm"] == (UTM if referrer else {})


def test_another_sites_form_that_is_corrected_on_our_page(site: Site) -> None:
    referrer = f"{LISTED}/prices?{CAMPAIGN}"
    answer = site.foreign(GOOD | {"email": "wrong"}, Referer=referrer)
    assert answer.status_code == 422
    meta = submit(site, Page(answer), correct=True)
    assert meta["page"] == referrer
    assert meta["referrer"] is None
    assert meta["utm"] == UTM


def test_hidden_fields_say_the_same_as_the_record(site: Site) -> None:
    page = Page(site.get(f"/f/lead?{CAMPAIGN}", Referer=SEARCH))
    assert (page.sent["source"], page.sent["referrer"]) == ("letter", SEARCH)
    submit(site, page, correct=True)
    answers = site.row().answers
    assert answers["source"] == "letter"
    assert answers["page"] == site.row().meta["page"]
    assert answers["referrer"] == SEARCH


def test_hidden_fields_of_an_embedded_page_mean_the_page_around_it(site: Site) -> None:
    page = Page(site.get("/f/lead/embed", Referer=f"{LISTED}/prices"))
    submit(site, page, correct=True)
    assert site.row().answers["page"] == f"{LISTED}/prices"


def test_hidden_fields_of_another_sites_form_mean_its_page(site: Site) -> None:
    site.foreign(GOOD, Referer=f"{LISTED}/prices")
    assert site.row().answers["page"] == f"{LISTED}/prices"


def test_pages_of_ours_are_nobodys_referrer(site: Site) -> None:
    page = Page(site.get("/f/lead", Referer="http://localhost/f/other"))
    assert submit(site, page, correct=False)["referrer"] is None


@pytest.mark.parametrize("referrer", ["http://[", "https://[::1", "x" * 9000, "about:blank"])
@pytest.mark.parametrize("own", [True, False])
def test_a_strange_referrer_does_no_harm(site: Site, referrer: str, *, own: bool) -> None:
    if own:
        submit(site, Page(site.get("/f/lead", Referer=referrer)), correct=False)
    else:
        assert site.foreign(GOOD, Referer=referrer).status_code == 303
    assert len(site.row().meta["page" if not own else "referrer"]) <= 2000


def test_a_query_can_make_no_record_of_any_size(site: Site) -> None:
    query = "&".join(f"utm_{number}={'x' * (9 if number else 3000)}" for number in range(60))
    meta = submit(site, Page(site.get(f"/f/lead?{query}")), correct=True)
    assert len(meta["utm"]) == 20
    assert max(map(len, meta["utm"].values())) == 2000
    assert len(meta["page"]) == 2000


@pytest.mark.parametrize(
    "query",
    ["utm_source=%00", "utm_source=%ff%fe", "utm_source=%ED%A0%80", "&=&%", "_page=&_referrer="],
)
def test_a_strange_query_does_no_harm(site: Site, query: str) -> None:
    page = Page(site.get(f"/f/lead?{query}"))
    # A browser reads a NUL in a page as the replacement character.
    sent = {name: str(value).replace("\0", "\ufffd") for name, value in page.sent.items()}
    page.sent = sent
    assert submit(site, page, correct=True)
