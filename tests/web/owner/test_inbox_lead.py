"""One lead of the inbox: what it shows, and each action: asked once, done, said, recorded."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from formapp.db.inbox_tables import audit
from formapp.db.tables import attempts, deliveries, jobs, submissions
from formapp.delivery.results import Attempt, Result, finish, give_up
from formapp.leads.accept import Status
from formapp.leads.lead_filter import LeadFilter
from formapp.leads.search import count_leads
from tests.support.claiming import claim_next
from tests.support.clock import NOON
from tests.support.searching import narrow
from tests.web.owner.inbox import HOSTILE, PASSWORD, Person, send, signed_in
from tests.web.pages import Page
from tests.web.support import Site, SiteMaker

CALLS = [{"operation": "createContact", "status": 400, "code": "X", "request_id": "r", "ms": 3}]


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(OWNER_PASSWORD=PASSWORD, WIX_SITE_ID="site-1", WIX_API_KEY="k")


@pytest.fixture
def person(site: Site) -> Person:
    return signed_in(site)


def settle(site: Site, *, failed: bool) -> None:
    """Have the oldest delivery fail, or arrive."""
    claim = claim_next(site.database, ["main"], datetime.now(UTC))
    assert claim
    attempt = Attempt(NOON, "failed", 12, CALLS, "createContact", 400, "INVALID_ARGUMENT")
    if failed:
        give_up(site.database, claim, attempt, "Wix's own words")
        return
    change: Any = {"field": "company", "result": "kept", "before": "Northwind", "given": "Acme"}
    result = Result("updated", "contact-1", ("other contacts have this phone",), [change])
    finish(site.database, claim, Attempt(NOON, "delivered", 12, CALLS), result)


def state_of(site: Site, submission_id: str) -> tuple[str, str | None]:
    joined = select(submissions.c.status, deliveries.c.state).outerjoin(deliveries)
    with site.database.read() as connection:
        row = connection.execute(joined.where(submissions.c.id == submission_id)).one()
    return row.status, row.state


def audited(site: Site) -> list[tuple[str, str, str | None]]:
    with site.database.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id))
        return [(row.user, row.action, row.submission_id) for row in rows]


def test_a_delivered_lead_shows_what_became_of_it(site: Site, person: Person) -> None:
    consent = {"field": "privacy", "text": "I agree to <this>.", "at": NOON.isoformat()}
    sent = send(
        site,
        meta={"page": "https://www.example.com/contact"},
        consents=[consent],
        notes=[{"code": "FILE_DROPPED", "field": "cv", "value": "cv.pdf"}],
        unknown={"budget": "5,000"},
    )
    other = send(site, "Bo", email="ana@example.com", form="other")
    settle(site, failed=False)
    page = Page(person.get(f"/inbox/leads/{sent}"))
    for text in (
        *("Ana", "ana@example.com", "020 7946 0018", "I agree to <this>.", "cv.pdf"),
        *("budget", "5,000", "https://www.example.com/contact", "Delivered", sent[-8:]),
        *("The contact at Wix was updated", "other contacts have this phone", "createContact"),
        *("Northwind", "Acme", "kept: the contact had a value"),
    ):
        assert text in page.text, text
    links = [attrs.get("href") for tag, attrs in page.tags if tag == "a"]
    assert "https://manage.wix.com/dashboard/site-1/contacts/view/contact-1" in links
    assert f"/inbox/leads/{other}" in links
    short = person.get(f"/inbox/leads/{sent[-8:]}")
    assert short.headers["Location"] == f"/inbox/leads/{sent}"
    assert person.get("/inbox/leads/00000000").status_code == 404


def test_a_lead_of_a_form_that_is_gone_is_shown_by_names(site: Site, person: Person) -> None:
    sent = send(site, form="gone")
    text = Page(person.get(f"/inbox/leads/{sent}")).text
    assert "gone" in text
    assert "ana@example.com" in text
    assert "gone" in person.text("/inbox/leads")


HELD = {"status": Status.QUARANTINED}
ASKED = {
    "status": Status.UNCONFIRMED,
    "meta": {"confirmation": {"title": "x", "subject": "s", "text": "t", "button": "b"}},
}


@pytest.mark.parametrize(
    ("action", "stored", "failed", "expected"),
    [
        ("retry", {}, True, ("accepted", "pending")),
        ("retry", {}, False, ("accepted", "pending")),
        ("release", HELD, False, ("accepted", "pending")),
        ("spam", {}, False, ("quarantined", None)),
        ("spam", {}, True, ("quarantined", None)),
        ("spam", ASKED, False, ("quarantined", None)),
        ("resend", ASKED, False, ("unconfirmed", None)),
        ("erase", {}, False, ("accepted", "failed")),
        ("erase", HELD, False, ("quarantined", None)),
    ],
)
def test_an_action_asks_once_does_it_says_so_and_is_recorded(
    site: Site,
    person: Person,
    action: str,
    stored: dict[str, Any],
    *,
    failed: bool,
    expected: tuple[str, str | None],
) -> None:
    sent = send(site, **stored)
    if failed:
        settle(site, failed=True)
    before = state_of(site, sent)
    address = f"/inbox/leads/{sent}/{action}"
    assert f'href="{address}"' in person.text(f"/inbox/leads/{sent}")
    asked = Page(person.get(address))
    assert asked.text.count("?") >= 1
    assert state_of(site, sent) == before
    assert audited(site) == []
    answer = person.post(address)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert state_of(site, sent) == expected
    assert audited(site) == [("owner", action, sent)]
    shown = person.text(answer.headers["Location"])
    assert 'role="status"' in shown
    assert "owner " in Page(shown).text
    # A second click finds nothing to do, or the same again.
    again = person.forge(address, {"csrf_token": "x"})
    assert again.status_code == 400


@pytest.mark.parametrize("action", ["retry", "release", "resend", "correct", "spam", "nonsense"])
def test_what_does_not_apply_is_not_offered_and_refused(
    site: Site, person: Person, action: str
) -> None:
    sent = send(site)
    settle(site, failed=False)
    assert f"/{action}" not in person.text(f"/inbox/leads/{sent}")
    answer = person.post(f"/inbox/leads/{sent}/{action}", page="/inbox/leads")
    assert answer.status_code == (404 if action == "nonsense" else 409)
    assert audited(site) == []
    assert state_of(site, sent) == ("accepted", "delivered")


def test_a_failed_lead_is_corrected_by_the_forms_own_validation(site: Site, person: Person) -> None:
    sent = send(site, consents=[{"field": "privacy", "text": "I agree.", "at": NOON.isoformat()}])
    settle(site, failed=True)
    address = f"/inbox/leads/{sent}/correct"
    page = Page(person.get(address))
    assert page.sent["email"] == "ana@example.com"
    assert "privacy" not in page.sent
    values = {name: page.sent[name] for name in ("name", "email", "message")}
    wrong = person.post(address, {**values, "email": "nonsense"})
    assert wrong.status_code == 422
    assert "nonsense" in wrong.get_data(as_text=True)
    assert state_of(site, sent) == ("accepted", "failed")
    done = person.post(address, {**values, "email": "right@example.com", "phone": "", "x": "y"})
    assert done.status_code == 303
    assert state_of(site, sent) == ("accepted", "pending")
    row = site.row()
    assert row.answers["email"] == row.lead["email"]["address"] == "right@example.com"
    assert row.answers["privacy"] is True
    assert "phone" not in row.answers
    assert row.consents[0]["text"] == "I agree."
    assert audited(site) == [("owner", "correct", sent)]
    assert count_leads(site.database, LeadFilter(search="right@")).number == 1
    assert count_leads(site.database, LeadFilter(search="ana@")).number == 0


def test_erasing_takes_all_leads_of_the_person_and_nobody_elses(site: Site, person: Person) -> None:
    mine = [send(site), send(site, form="other", email="ana@example.com")]
    other = send(site, "Bo", email="bo@example.com")
    asked = Page(person.get(f"/inbox/leads/{mine[0]}/erase")).text
    assert asked.count("Nobody else's") == 1
    # Bo has the same number, but an address of his own.
    assert asked.count("Every kind of field") == 1
    person.post(f"/inbox/leads/{mine[0]}/erase")
    with site.database.read() as connection:
        erased = select(submissions.c.id).where(submissions.c.erased_at.is_not(None))
        assert set(connection.scalars(erased)) == set(mine)
    assert "Bo" in person.text(f"/inbox/leads/{other}")
    text = person.text(f"/inbox/leads/{mine[0]}")
    assert "ana@example.com" not in text
    assert "erased" in text


def test_a_page_links_to_all_leads_of_a_person_who_has_many(site: Site, person: Person) -> None:
    """By address and by number: this person used another address, too."""
    first, *_ = [send(site) for _ in range(20)]
    send(site, email="ana@work.example")
    page = f"/inbox/leads/{first}"
    assert "These are the newest" not in person.text(page)
    send(site)
    links = re.findall(r'<a href="([^"]+)"><bdi>([^<]+)</bdi></a>', person.text(page))
    found = {name: re.findall(r"\d+ leads", person.text(link)) for link, name in links}
    assert found == {"ana@example.com": ["21 leads"], "+442079460018": ["22 leads"]}


def test_marking_as_spam_cancels_what_waits(site: Site, person: Person) -> None:
    sent = send(site)
    settle(site, failed=True)
    person.post(f"/inbox/leads/{sent}/spam")
    with site.database.read() as connection:
        for table in (deliveries, attempts, jobs):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
    assert "a person marked it as spam" in person.text(f"/inbox/leads/{sent}")
    person.post(f"/inbox/leads/{sent}/release")
    assert state_of(site, sent) == ("accepted", "pending")


def test_a_hostile_lead_is_harmless_wherever_it_is_shown(site: Site, person: Person) -> None:
    sent = send(
        site,
        HOSTILE,
        email="x@example.com",
        answers={"message": HOSTILE, "web": "javascript:alert(1)"},
        unknown={HOSTILE: HOSTILE},
        meta={"page": "javascript:alert(1)", "suspect": [HOSTILE]},
        notes=[{"code": "FILE_DROPPED", "field": HOSTILE, "value": HOSTILE}],
        consents=[{"field": "privacy", "text": HOSTILE, "at": NOON.isoformat()}],
    )
    settle(site, failed=True)
    pages = [
        *("/inbox/leads", "/inbox/leads?search=%3Cscript%3E%22%27&form=%3Cscript%3E&since=%00"),
        *(f"/inbox/leads/{sent}", f"/inbox/leads/{sent}/correct", "/inbox/overview"),
        *(f"/inbox/leads/{sent}/erase", "/inbox/export?search=%22%3E%3Cscript%3E"),
    ]
    for path in pages:
        page = Page(person.get(path))
        for tag, attrs in page.tags:
            assert tag != "script" or (attrs["src"] or "").startswith("/static/"), path
            assert not [name for name in attrs if name.startswith("on")], path
            assert not (attrs.get("href") or "").startswith("javascript:"), path
    answer = person.get("/inbox/export/lead.csv")
    [header, row] = csv.reader(io.StringIO(answer.get_data(as_text=True)))
    for cell in row:
        assert cell[:1] not in {"=", "-", "@", "\t", "\r"}
        assert "\x1b" not in cell
    assert dict(zip(header, row, strict=True))["Phone"] == "+44 20 7946 0018"
    line = json.loads(person.text("/inbox/export/leads.jsonl"))
    assert line["answers"]["message"] == HOSTILE


def test_an_export_is_of_the_filtered_list_and_streamed(site: Site, person: Person) -> None:
    for number in range(3):
        send(site, f"Ana{number}", at=NOON - timedelta(days=number))
    send(site, "Bo", form="other", email="bo@example.com")
    answer = person.get("/inbox/export/lead.csv?search=ana&since=2026-03-01&bom=yes")
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeffReceived (UTC),Name,E-mail,Phone,")
    rows = [*csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))]
    assert [row["Name"] for row in rows] == ["Ana0", "Ana1"]
    assert rows[0]["Received (UTC)"] == "2026-03-02 12:00:00"
    assert rows[0]["Message"] == "Ana0\nwrites"
    assert answer.headers["Content-Disposition"] == "attachment; filename=lead.csv"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert len(person.text("/inbox/export/leads.jsonl").splitlines()) == 4
    assert {action for _, action, _ in audited(site)} == {"export"}
    assert "Every kind of field" in person.text("/inbox/export?form=lead")


def test_the_list_filters_searches_and_pages(site: Site, person: Person) -> None:
    for number in range(60):
        send(site, f"Ana{number}", at=NOON - timedelta(minutes=number))
    first = person.text("/inbox/leads")
    assert "60 leads" in first
    assert "Ana49<" in first
    assert "Ana50<" not in first
    following = next(attrs["href"] for tag, attrs in Page(first).tags if attrs.get("rel") == "next")
    second = person.text(following or "")
    assert "Ana50<" in second
    assert "Ana49<" not in second
    assert "No lead fits" in person.text("/inbox/leads?state=failed")
    for odd in ("?since=x&until=9999-12-31", "?state=x&outcome=y", "?after=x", "?search=%00"):
        assert person.get(f"/inbox/leads{odd}").status_code == 200, odd


def test_a_search_that_ends_early_says_that_older_leads_may_fit(
    site: Site, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, longer=1000, first=2, further=4)
    send(site, "Ana Old", at=NOON - timedelta(days=1))
    for number in range(5):
        send(site, f"Ana New{number}", at=NOON - timedelta(minutes=number))
        send(site, f"Old Bob{number}", at=NOON - timedelta(minutes=number))
    page = person.text("/inbox/leads?search=ana+old")
    assert "No lead fits" not in page
    assert "None among these" in page
    assert "Searched so far" in page
    exports = person.text("/inbox/export?search=ana+old")
    assert "Nothing to export" not in exports
    assert "/inbox/export/leads.jsonl?search=ana+old" in exports
    older = next(attrs["href"] for tag, attrs in Page(page).tags if attrs.get("rel") == "next")
    assert "Ana Old<" in person.text(older or "")
    assert "Searched so far" not in person.text("/inbox/leads?search=ana+bob3"), "bob3 is rare"
    assert "No lead fits" in person.text("/inbox/leads?search=nobody")


def test_an_erased_lead_is_not_counted_as_one_to_review(site: Site, person: Person) -> None:
    ids = [send(site, name, status=Status.QUARANTINED, at=NOON) for name in ("Ana", "Bob")]
    person.post(f"/inbox/leads/{ids[0]}/erase")
    quarantine = re.compile(r"In quarantine <span class=.number.>(\d+)")
    assert quarantine.findall(person.text("/inbox/leads")) == ["1"]
    assert '<span class="figure">1</span> in quarantine' in person.text("/inbox/overview")
    assert len(re.findall(r'<th scope="row">', person.text("/inbox/leads?state=quarantined"))) == 2


def test_overview_and_forms_show_empty_and_full(site: Site, person: Person) -> None:
    assert "No lead came" in person.text("/inbox/overview")
    assert "No leads yet" in person.text("/inbox/leads")
    for hours in range(3):
        send(site, f"Ana{hours}", at=datetime.now(UTC) - timedelta(hours=hours))
    settle(site, failed=True)
    text = person.text("/inbox/overview")
    assert "<svg" in text
    assert "Every kind of field" in text
    assert "connect-src 'self'" in person.get("/inbox/overview").headers["Content-Security-Policy"]
    assert "Nobody else" in person.text("/inbox/forms")
    assert "/f/lead/embed" in person.text("/inbox/forms/lead")
    assert person.get("/inbox/forms/nothing").status_code == 404
