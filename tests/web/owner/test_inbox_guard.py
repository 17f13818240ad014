"""The inbox lets in who has signed in: every route, each change, each site, each session."""

from typing import Any

import pytest
from sqlalchemy import select

from formapp.config.settings import Settings, SettingsError
from formapp.db.inbox_tables import audit
from formapp.db.tables import deliveries, submissions
from formapp.leads.accept import Status
from tests.web.owner.inbox import PASSWORD, Person, send, signed_in, users_of
from tests.web.support import GOOD, Site, SiteMaker

VALUES = {"submission_id": "", "action": "retry", "form": "lead", "name": "lead"}


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(OWNER_PASSWORD=PASSWORD)


def routes(site: Site, submission_id: str) -> list[tuple[str, str]]:
    """Every method and address under /inbox but that for signing in."""
    values = VALUES | {"submission_id": submission_id}
    found = []
    adapter = site.app.url_map.bind("localhost")
    for rule in site.app.url_map.iter_rules():
        if rule.rule.startswith("/inbox") and rule.endpoint != "inbox.sign_in":
            path = adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})
            found += [(method, path) for method in (rule.methods or set()) & {"GET", "POST"}]
    assert len(found) > 10
    return found


def state(site: Site) -> list[Any]:
    """All that an action could change."""
    with site.database.read() as connection:
        return [
            connection.execute(select(table)).all() for table in (submissions, deliveries, audit)
        ]


def test_without_anybody_who_may_sign_in_there_is_no_inbox(make_site: SiteMaker) -> None:
    site = make_site()
    for method, path in [*routes(site, send(site)), ("GET", "/inbox/sign-in")]:
        assert site.open(method, path).status_code == 404, path
    users_of(site).add("ana", PASSWORD)
    assert site.get("/inbox/sign-in").status_code == 200


def test_no_route_answers_without_sign_in(site: Site) -> None:
    sent = send(site, "Zachary")
    before = state(site)
    for method, path in routes(site, sent):
        answer = site.open(method, path)
        if method == "POST":
            assert answer.status_code == 401, path
        else:
            assert answer.status_code == 303, path
            assert answer.headers["Location"].startswith("/inbox/sign-in")
        assert "Zachary" not in answer.get_data(as_text=True)
    assert state(site) == before


def test_no_route_changes_anything_without_a_token(site: Site) -> None:
    sent = send(site)
    person = signed_in(site)
    before = state(site)
    for method, path in routes(site, sent):
        if method == "POST":
            for data in ({}, {"csrf_token": "x"}):
                answer = person.forge(path, data)
                assert answer.status_code == 400, path
                assert "Set-Cookie" not in answer.headers
    assert state(site) == before
    assert person.get("/inbox/leads").status_code == 200
    forged = Person(site).forge("/inbox/sign-in", {"name": "owner", "password": PASSWORD})
    assert forged.status_code == 400


@pytest.mark.parametrize("role", ["owner", "reader"])
def test_no_route_shows_another_sites_leads(site: Site, role: Any) -> None:
    users_of(site).add("ana", PASSWORD, role=role, sites=("north",))
    hidden = send(site, "Zachary", wix="main", email="shared@example.com")
    shown = send(site, "Yolanda", wix="north", email="shared@example.com")
    person = signed_in(site, "ana")
    queries = ("", "?search=zachary", "?site=main", f"?search={hidden[-8:]}", "?search=shared@")
    before = state(site)[:2]
    for method, path in routes(site, hidden):
        for query in queries:
            if method == "POST" and path != "/inbox/sign-out":
                answer = person.post(path, page="/inbox/leads")
                assert answer.status_code in {403, 404}, path
            elif method == "GET":
                text = person.get(path + query).get_data(as_text=True)
                assert "Zachary" not in text, path + query
                assert hidden not in text.replace(query, ""), path + query
    assert state(site)[:2] == before
    # The person's other leads are of a site that this user doesn't see: nor are they erased.
    assert person.get(f"/inbox/leads/{shown}/erase").status_code == 409
    assert "Yolanda" in person.text("/inbox/leads?search=shared@")
    assert "Yolanda" in person.text(f"/inbox/leads/{shown}")
    assert "Yolanda" in person.text("/inbox/export/leads.jsonl")


def test_a_reader_looks_and_exports_but_changes_nothing(site: Site) -> None:
    users_of(site).add("ana", PASSWORD, role="reader")
    sent = send(site)
    person = signed_in(site, "ana")
    page = person.text(f"/inbox/leads/{sent}")
    assert "/retry" not in page
    before = state(site)
    for method, path in routes(site, sent):
        if method == "POST" and path != "/inbox/sign-out":
            assert person.post(path, page="/inbox/leads").status_code == 403, path
    assert state(site) == before
    assert "Ana" in person.text("/inbox/export/lead.csv")


@pytest.mark.parametrize(
    ("name", "password"),
    [("owner", "wrong wrong wrong"), ("ana", PASSWORD), ("", ""), ("owner", "x" * 2000)],
)
def test_a_wrong_sign_in_says_so_and_gives_no_session(site: Site, name: str, password: str) -> None:
    person = Person(site)
    answer = person.sign_in(name, password)
    assert answer.status_code == 422
    assert "belong together" in answer.get_data(as_text=True)
    assert person.get("/inbox/leads").status_code == 303


def test_too_many_wrong_passwords_wait(site: Site) -> None:
    person = Person(site)
    for _ in range(5):
        assert person.sign_in("owner", "wrong wrong wrong").status_code == 422
    answer = person.sign_in()
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("base", "cookie"),
    [
        ("http://localhost", "formapp="),
        ("https://localhost", "__Host-formapp="),
    ],
)
def test_the_cookie_is_as_closed_as_it_can_be(make_site: SiteMaker, base: str, cookie: str) -> None:
    site = make_site(OWNER_PASSWORD=PASSWORD, BASE_URL=base)
    answer = site.get("/inbox/sign-in")
    [given] = answer.headers.getlist("Set-Cookie")
    assert given.startswith(cookie)
    parts = {part.strip() for part in given.split(";")[1:]}
    assert {"HttpOnly", "SameSite=Lax"} <= parts
    assert ("Secure" in parts) == base.startswith("https")
    assert "Path=/" in parts or not base.startswith("https")
    assert not any(part.startswith("Domain") for part in parts)


def test_only_the_inbox_has_a_cookie_or_an_owner_of_it(site: Site) -> None:
    person = signed_in(site)
    for path in ("/f/lead", "/f/lead/embed", "/static/formapp.css", "/healthz", "/f/lead/share"):
        answer = person.get(path)
        assert "Set-Cookie" not in answer.headers
        assert "cookie" not in answer.headers.get("Vary", "").lower()
    assert site.post(GOOD).status_code == 303


def test_signing_out_ends_this_session_and_everywhere_all(site: Site) -> None:
    users_of(site).add("ana", PASSWORD)
    for name in ("owner", "ana"):
        here, there, other = (signed_in(site, name) for _ in range(3))
        assert here.post("/inbox/sign-out", page="/inbox/leads").status_code == 303
        assert here.get("/inbox/leads").status_code == 303
        assert there.get("/inbox/leads").status_code == 200
        there.post("/inbox/sign-out", {"everywhere": "yes"}, page="/inbox/leads")
        assert other.get("/inbox/leads").status_code == 303
        assert signed_in(site, name).get("/inbox/leads").status_code == 200


def test_a_session_ends_with_its_user_or_their_password(site: Site) -> None:
    users = users_of(site)
    users.add("ana", PASSWORD)
    person = signed_in(site, "ana")
    users.change_password("ana", "another good password")
    assert person.get("/inbox/leads").status_code == 303
    person = signed_in(site, "ana", "another good password")
    users.remove("ana")
    assert person.get("/inbox/leads").status_code == 303


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/inbox/overview", "/inbox/overview"),
        ("/inbox/leads?form=lead", "/inbox/leads?form=lead"),
        ("https://evil.example/inbox/", "/inbox/leads"),
        ("//evil.example", "/inbox/leads"),
        ("/inbox/../f/lead", "/inbox/leads"),
        ("/inbox/\\evil.example", "/inbox/leads"),
        ("/inboxes", "/inbox/leads"),
        ("/inbox/%0d%0aSet-Cookie:x=y", "/inbox/leads"),
    ],
)
def test_a_sign_in_goes_on_inside_the_inbox(site: Site, wanted: str, leads_to: str) -> None:
    person = Person(site)
    answer = person.post(
        f"/inbox/sign-in?next={wanted.replace('?', '%3F')}",
        {"name": "owner", "password": PASSWORD},
    )
    assert answer.headers["Location"] == leads_to


def test_a_proxy_may_sign_people_in_by_its_header(make_site: SiteMaker) -> None:
    site = make_site(OWNER_PASSWORD=PASSWORD, PROXY_HOPS="1", INBOX_USER_HEADER="X-Forwarded-User")
    users_of(site).add("ana", None, role="reader")
    person = Person(site)
    assert person.get("/inbox/leads", **{"X-Forwarded-User": "ana"}).status_code == 200
    for name in ("ida", "", "ANA"):
        assert person.get("/inbox/leads", **{"X-Forwarded-User": name}).status_code == 403
    assert person.get("/inbox/leads").status_code == 403
    assert person.get("/inbox/leads", **{"X-Other-User": "ana"}).status_code == 403


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"INBOX_USER_HEADER": "X-Forwarded-User"}, "needs PROXY_HOPS"),
        ({"INBOX_USER_HEADER": "X User", "PROXY_HOPS": "1"}, "no name of a header"),
        ({"INBOX_USER_HEADER": "Cookie", "PROXY_HOPS": "1"}, "browsers send"),
    ],
)
def test_a_header_that_anybody_could_send_is_refused(given: dict[str, str], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        Settings.read({f"FORMAPP_{name}": value for name, value in given.items()})


def test_a_page_of_the_inbox_is_in_no_frame_and_no_cache(site: Site) -> None:
    sent = send(site, status=Status.QUARANTINED)
    person = signed_in(site)
    for method, path in routes(site, sent):
        if method == "GET" and "export/" not in path:
            answer = person.get(path)
            if answer.status_code == 200:
                policy = answer.headers["Content-Security-Policy"]
                if path.endswith("/preview"):
                    assert "frame-ancestors 'self'" in policy
                else:
                    assert answer.headers["X-Frame-Options"] == "DENY", path
                assert answer.headers["Cache-Control"] == "private, no-store", path
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
