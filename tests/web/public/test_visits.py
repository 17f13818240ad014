"""A form's page counts that it was shown, and its script that somebody begins: without a cookie."""

import pytest
from sqlalchemy import select

from formapp.db.inbox_tables import form_visits
from tests.web.support import Site, SiteMaker, schemaless


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site()


def counted(site: Site) -> tuple[int, int]:
    """How often the form was shown and begun, so far."""
    site.app.extensions["formapp"].visits.store()
    with site.database.read() as connection:
        row = connection.execute(select(form_visits.c.shown, form_visits.c.started)).first()
    return (row.shown, row.started) if row else (0, 0)


@pytest.mark.parametrize("path", ["/f/lead", "/f/lead/embed", "/f/lead?lang=en"])
def test_a_page_that_is_shown_counts(site: Site, path: str) -> None:
    answer = site.get(path)
    assert 'data-started="/f/lead/started"' in answer.get_data(as_text=True)
    assert counted(site) == (1, 0)
    site.open("HEAD", path)
    assert counted(site) == (1, 0)


def test_an_error_page_and_a_page_that_is_not_there_do_not_count(site: Site) -> None:
    answer = site.post({"name": ""})
    assert answer.status_code == 422
    assert "data-started" not in answer.get_data(as_text=True)
    assert site.get("/f/nothing").status_code == 404
    assert counted(site) == (0, 0)


def test_beginning_counts_from_our_own_pages_alone(site: Site) -> None:
    for headers in ({}, {"Sec-Fetch-Site": "same-origin"}):
        answer = site.get("/f/lead/started", **headers)
        assert (answer.status_code, answer.data) == (204, b"")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
    assert site.get("/f/lead/started", **{"Sec-Fetch-Site": "cross-site"}).status_code == 204
    assert site.get("/f/nothing/started").status_code == 404
    assert counted(site) == (0, 2)


def test_visits_wait_while_the_database_is_away(site: Site) -> None:
    site.get("/f/lead")
    with schemaless(site):
        assert site.get("/f/lead").status_code == 200
        site.app.extensions["formapp"].visits.store()
    assert counted(site) == (2, 0)
