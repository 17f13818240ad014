"""The forms of the inbox: preview, faults, what Wix has, and where leads came from."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from formapp.db.inbox_tables import form_visits, wix_definitions
from formapp.db.tables import jobs
from formapp.leads.wix_definitions import KIND
from tests.web.owner.inbox import HOSTILE, PASSWORD, Person, send, signed_in, users_of
from tests.web.support import Site, SiteMaker


@pytest.fixture
def site(make_site: SiteMaker, tmp_path: Path) -> Site:
    """Its form files on disk aren't those that it was made with."""
    folder = tmp_path / "forms"
    folder.mkdir()
    (folder / "lead.toml").write_text('title = "Lead"\nfeilds = 1\n')
    (folder / "other.toml").write_text("title = 1\n")
    return make_site(OWNER_PASSWORD=PASSWORD, FORMS=str(folder))


@pytest.fixture
def person(site: Site) -> Person:
    return signed_in(site)


def test_the_preview_can_be_framed_by_us_alone_and_neither_sends_nor_counts(
    site: Site, person: Person
) -> None:
    page = person.get("/inbox/forms/lead")
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    assert 'src="/inbox/forms/lead/preview"' in page.get_data(as_text=True)
    preview = person.get("/inbox/forms/lead/preview")
    policy = preview.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "form-action 'none'" in policy
    assert preview.headers["Cache-Control"] == "private, no-store"
    text = preview.get_data(as_text=True)
    assert 'name="email"' in text
    assert "data-started" not in text
    site.app.extensions["formapp"].visits.store()
    with site.database.read() as connection:
        assert connection.execute(select(form_visits)).all() == []


def test_faults_of_the_files_are_shown_as_forms_check_says_them(person: Person) -> None:
    everything, one = person.text("/inbox/forms"), person.text("/inbox/forms/lead")
    assert "other.toml:1: title" in everything
    for text in (everything, one):
        assert "lead.toml:2: feilds" in text
        assert "fields" in text
    assert "other.toml" not in one


def test_a_page_asks_a_worker_once_what_wix_has_and_shows_it(site: Site, person: Person) -> None:
    for _ in range(2):
        text = person.text("/inbox/forms/lead")
        assert "A worker is to read them" in text
        assert 'data-refresh="5"' in text
    with site.database.read() as connection:
        waiting = connection.execute(select(jobs.c.kind, jobs.c.key)).all()
    assert [tuple(each) for each in waiting] == [(KIND, "main")]
    row = {
        "site": "main",
        "read_at": datetime.now(UTC),
        "labels": [HOSTILE, "Newsletter"],
        "fields": {"Budget": "NUMBER"},
    }
    with site.database.write() as connection:
        connection.execute(jobs.delete())
        connection.execute(insert(wix_definitions), row)
    text = person.text("/inbox/forms/lead")
    assert "data-refresh" not in text
    assert "All 2 labels" in text
    assert "<script>alert" not in text


def test_why_wix_was_not_read_is_said(site: Site, person: Person) -> None:
    row = {"site": "main", "read_at": datetime.now(UTC), "fault": "calls to this site pause"}
    with site.database.write() as connection:
        connection.execute(insert(wix_definitions), row)
    text = person.text("/inbox/forms/lead")
    assert "They could not be read" in text
    assert "calls to this site pause" in text


def test_the_pages_that_leads_came_from_are_counted_without_their_queries(
    site: Site, person: Person
) -> None:
    page = "https://shop.example.com/contact"
    for query in ("?email=ana@example.com", "#top", ""):
        send(site, meta={"use": "embed", "page": page + query})
    send(site, meta={"use": "page", "page": None})
    send(site, meta={"use": "foreign", "page": f"https://x.example/{HOSTILE}"})
    send(site, meta={"use": "foreign", "page": "http://[bad"})
    text = person.text("/inbox/forms/lead")
    rows = re.findall(r"in a frame on <bdi>([^<]*)</bdi></th><td>(\d+)", text)
    assert rows == [(page, "3")]
    assert "?email" not in text
    assert "<script>alert" not in text


def test_steps_for_each_builder_are_there(person: Person) -> None:
    text = person.text("/inbox/forms/lead")
    for name in ("WordPress", "Webflow", "Squarespace", "Wix pages"):
        assert f"<h3>{name}</h3>" in text


def test_a_reader_of_another_site_sees_no_form_no_preview_and_no_fault(site: Site) -> None:
    users_of(site).add("ana", PASSWORD, role="reader", sites=("north",))
    person = signed_in(site, "ana")
    for path in ("/inbox/forms/lead", "/inbox/forms/lead/preview", "/inbox/forms/nothing"):
        assert person.get(path).status_code == 404
    text = person.text("/inbox/forms")
    assert "lead.toml" not in text
    assert "other.toml" not in text
    with site.database.read() as connection:
        assert connection.execute(select(jobs)).all() == []
