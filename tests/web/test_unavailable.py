"""A database that refuses: 503, and the visitor keeps what they typed."""

import logging

import pytest
from sqlalchemy import text

from tests.web.pages import Page
from tests.web.support import FULL, GOOD, JSON, LISTED, Site, SiteMaker, locked, schemaless


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    """A site that waits for a lock only shortly."""
    return make_site(busy_seconds=0.05)


TROUBLES = pytest.mark.parametrize("trouble", [locked, schemaless])


@TROUBLES
def test_the_form_comes_back_with_the_input_and_can_be_sent_later(
    site: Site, trouble: object
) -> None:
    page = Page(site.get("/f/lead"))
    with trouble(site):  # type: ignore[operator] # one of the two above
        answer = page.submit(site, **FULL)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "30"
        again = Page(answer)
        assert "could not save" in again.text
        assert {name: again.sent.get(name) for name in FULL} == FULL
    assert again.submit(site).status_code == 303
    assert (len(site.rows()), site.pending()) == (1, 1)


@TROUBLES
def test_programs_hear_it_as_json(site: Site, trouble: object) -> None:
    with trouble(site):  # type: ignore[operator] # one of the two above
        answer = site.foreign(GOOD, json=True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert answer.json
    assert answer.json["errors"][0]["code"] == "UNAVAILABLE"
    assert "ok" not in answer.json
    assert answer.headers["Access-Control-Allow-Origin"] == LISTED
    assert site.kept == []


def test_a_foreign_visitor_keeps_the_input_too(site: Site) -> None:
    with locked(site):
        again = Page(site.foreign(FULL))
    assert {name: again.sent.get(name) for name in FULL} == FULL
    assert again.submit(site).status_code == 303


def test_what_a_robot_sent_is_told_the_same(site: Site) -> None:
    with locked(site):
        assert site.post(GOOD | {"_gotcha": "x"}).status_code == 503


def test_pages_are_shown_without_the_database(site: Site) -> None:
    with schemaless(site):
        for path in ("/f/lead", "/f/lead/embed", "/f/lead/thanks", "/embed.js", "/healthz"):
            assert site.get(path).status_code == 200, path


def test_readiness_tells_of_a_missing_schema_and_recovers(site: Site) -> None:
    assert site.get("/readyz").status_code == 200
    with schemaless(site):
        answer = site.get("/readyz")
        assert answer.status_code == 503
        assert answer.json
        assert "db upgrade" in answer.json["error"]
    assert site.get("/readyz").status_code == 200


def test_readiness_tells_of_another_schema(site: Site) -> None:
    with site.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    assert site.get("/readyz").status_code == 503


@pytest.mark.parametrize("site_kind", ["sqlite"])
def test_readiness_tells_of_a_database_that_is_none(site: Site) -> None:
    site.database.close()
    path = site.database.url.database or ""
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with open(name, "wb") as file:  # noqa: PTH123 - the very bytes are the point
            file.write(b"this is no database " * 100 if name == path else b"")
    assert site.get("/readyz").status_code == 503
    assert site.get("/metrics", **JSON).status_code == 503
    assert site.post(GOOD).status_code == 503
    assert site.get("/healthz").status_code == 200


def test_the_owner_reads_in_the_log_that_a_post_was_not_kept(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), locked(site):
        site.post(GOOD)
    assert "a post to lead was not stored: the database refused (" in caplog.text


def test_the_metrics_count_it(site: Site) -> None:
    with locked(site):
        site.post(GOOD)
    metrics = site.get("/metrics").get_data(as_text=True)
    assert 'formapp_submissions_total{form="lead",result="unavailable"} 1.0' in metrics
