"""Rules that hold for every route: its methods, no cookie, a strict policy, nothing inline."""

from collections.abc import Iterator
from unittest.mock import PropertyMock, patch

import pytest
from flask import Flask, Request
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.web.pages import Page
from tests.web.support import FROM_LISTED, GOOD, JSON, LISTED, Site

METHODS = {
    "/static/<path:filename>": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>": {"GET", "HEAD", "OPTIONS", "POST"},
    "/f/<name>/embed": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>/thanks": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>/confirm": {"GET", "HEAD", "OPTIONS", "POST"},
    "/f/<name>/origin": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>/started": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>/schema.json": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>/share": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>/share/preview": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>/challenge": {"GET", "HEAD", "OPTIONS"},
    "/f/<name>/theme.css": {"GET", "HEAD", "OPTIONS"},
    "/files/<token>": {"GET", "HEAD", "OPTIONS"},
    "/files/<token>/<file_id>": {"GET", "HEAD", "OPTIONS"},
    "/embed.js": {"GET", "HEAD", "OPTIONS"},
    "/healthz": {"GET", "HEAD", "OPTIONS"},
    "/readyz": {"GET", "HEAD", "OPTIONS"},
    "/metrics": {"GET", "HEAD", "OPTIONS"},
    "/wix/webhooks/<site>": {"OPTIONS", "POST"},
    "/crm/<book>/webhook": {"OPTIONS", "POST"},
}
ALL = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
EMBEDDING = (
    "frame-ancestors https://www.example.com https://*.partner.example http://localhost:9000"
)


def public_rules(app: Flask) -> list[Rule]:
    """All but those of the inbox, whose rules are in `owner/test_inbox_guard.py`."""
    return [each for each in app.url_map.iter_rules() if not each.rule.startswith("/inbox")]


def addresses(app: Flask) -> Iterator[str]:
    values = {"name": "lead", "filename": "formapp.css", "site": "main", "book": "shop"}
    values |= {"token": "x", "file_id": "x"}
    with app.test_request_context():
        adapter = app.create_url_adapter(None) or app.url_map.bind("localhost")
        for rule in public_rules(app):
            yield adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})


def policy(answer: TestResponse) -> dict[str, str]:
    text = answer.headers["Content-Security-Policy"]
    return dict(part.strip().split(" ", 1) for part in text.split(";"))


def test_the_methods_of_every_route_are_known(site: Site) -> None:
    found: dict[str, set[str]] = {}
    for rule in public_rules(site.app):
        found.setdefault(rule.rule, set()).update(rule.methods or ())
    assert found == METHODS


def test_no_other_method_is_taken(site: Site) -> None:
    for path in set(addresses(site.app)):
        for method in ALL:
            answer = site.open(method, path)
            assert (answer.status_code == 405) == (method not in allowed(site, path)), (
                method,
                path,
            )


def allowed(site: Site, path: str) -> set[str]:
    rules = site.app.url_map.bind("localhost")
    return set(rules.allowed_methods(path))


def test_no_route_sets_a_cookie_or_reads_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    read = PropertyMock(side_effect=AssertionError("a cookie was read"))
    monkeypatch.setattr(Request, "cookies", read)
    for path in set(addresses(site.app)):
        for method in ALL:
            answer = site.open(
                method, path, data=GOOD, headers={"Cookie": "session=x", **FROM_LISTED}
            )
            assert "Set-Cookie" not in answer.headers, (method, path)
            assert "cookie" not in answer.headers.get("Vary", "").lower(), (method, path)
            assert answer.status_code != 500, (method, path)
    assert site.post(GOOD).status_code == 303
    read.assert_not_called()


def html_answers(site: Site) -> Iterator[tuple[str, TestResponse]]:
    yield "page", site.get("/f/lead")
    yield "embed", site.get("/f/lead/embed")
    yield "thanks", site.get("/f/lead/thanks")
    yield "unknown form", site.get("/f/nope")
    yield "nothing", site.get("/nothing")
    yield "method", site.open("PUT", "/f/lead")
    yield "host", site.get("/f/lead", Host="evil.example")
    yield "invalid", site.post({})
    yield "blocked", site.foreign(GOOD, Origin="https://www.example.org")
    yield "malformed", site.post({"email": ["a", "b"]})
    yield "too large", site.post({"message": "x" * 400_000})
    yield "type", site.open("POST", "/f/lead", data=b"x", content_type="text/plain")
    with patch("formapp.web.public.accept._submission", side_effect=RuntimeError("any defect")):
        yield "defect", site.post(GOOD)


def test_every_page_has_a_strict_policy_and_nothing_inline(site: Site) -> None:
    seen = set()
    for name, answer in html_answers(site):
        seen.add(answer.status_code)
        rules = policy(answer)
        assert rules["default-src"] == "'none'", name
        assert rules["script-src"] == rules["style-src"] == "'self'", name
        assert rules["base-uri"] == "'none'", name
        assert "unsafe" not in str(rules), name
        for tag, attrs in Page(answer).tags:
            assert tag != "style", name
            assert tag != "script" or attrs.get("src"), name
            assert not [key for key in attrs if key == "style" or key.startswith("on")], name
            assert not (attrs.get("href") or "").startswith("javascript:"), name
    assert seen == {200, 400, 403, 404, 405, 413, 415, 422, 500}


def test_what_is_no_page_runs_nothing_and_stands_in_no_frame(site: Site) -> None:
    answers = {path: site.get(path, **JSON) for path in sorted(set(addresses(site.app)))}
    answers["invalid"] = site.post({}, json=True)
    answers["kept"] = site.post(GOOD, json=True)
    answers["preflight"] = site.open("OPTIONS", "/f/lead", headers={"Origin": LISTED})
    others = {name: each for name, each in answers.items() if each.mimetype != "text/html"}
    assert {"/embed.js", "/f/lead/schema.json", "/static/formapp.css", "invalid"} <= set(others)
    for name, answer in others.items():
        expected = {"default-src": "'none'", "frame-ancestors": "'none'"}
        assert policy(answer) == expected, name


def test_a_page_that_is_no_embed_may_stand_in_no_frame(site: Site) -> None:
    for name, answer in html_answers(site):
        if name == "embed":
            continue
        assert policy(answer)["frame-ancestors"] == "'none'", name
        assert answer.headers["X-Frame-Options"] == "DENY", name


def test_an_embedded_page_may_stand_on_the_pages_of_the_list_through_its_whole_life(
    site: Site,
) -> None:
    shown = site.get("/f/lead/embed?parent=https://www.example.com")
    again = Page(shown).submit(site)
    assert again.status_code == 422
    done = Page(again).submit(site, **GOOD)
    assert done.status_code == 303
    thanks = site.get(done.headers["Location"])
    assert thanks.status_code == 200
    for answer in (shown, again, thanks):
        assert EMBEDDING in answer.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in answer.headers
    assert "parent=https%3A%2F%2Fwww.example.com" in done.headers["Location"]


def test_a_refusal_of_an_embedded_form_can_be_read_in_its_frame(site: Site) -> None:
    answer = site.post({"message": "x" * 400_000}, query="?_use=embed")
    assert answer.status_code == 413
    assert EMBEDDING in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers


def test_a_hosted_page_is_no_embed_by_its_query(site: Site) -> None:
    answer = site.get("/f/lead?_use=embed")
    assert policy(answer)["frame-ancestors"] == "'none'"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_form_without_origins_is_embedded_nowhere(site: Site) -> None:
    assert policy(site.get("/f/other/embed"))["frame-ancestors"] == "'none'"


def test_everybody_may_embed_where_the_owner_wrote_a_star(site: Site) -> None:
    ancestors = policy(site.get("/f/anyone/embed"))["frame-ancestors"]
    assert ancestors == "* https://www.example.com"


@pytest.mark.parametrize("path", ["/embed.js", "/static/formapp.css", "/static/formapp.js"])
def test_pages_of_other_sites_may_load_the_script_and_what_frames_need(
    site: Site, path: str
) -> None:
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_every_error_is_json_where_json_is_asked_for(site: Site) -> None:
    wrong = [
        site.get("/nothing", **JSON),
        site.open("PUT", "/f/lead", headers=JSON),
        site.get("/f/lead", Host="evil.example", **JSON),
        site.post({}, **JSON),
        site.foreign(GOOD, Origin="https://www.example.org", **JSON),
        site.post({"email": ["a", "b"]}, **JSON),
        site.post({"message": "x" * 400_000}, **JSON),
        site.open("POST", "/f/lead", data=b"x", content_type="text/plain", headers=JSON),
    ]
    with patch("formapp.web.public.accept._submission", side_effect=RuntimeError("any defect")):
        wrong.append(site.post(GOOD, **JSON))
    assert [answer.status_code for answer in wrong] == [404, 405, 400, 422, 403, 400, 413, 415, 500]
    for answer in wrong:
        assert answer.json
        assert isinstance(answer.json["error"], str)
        assert answer.json["error"]
        assert all(fault["message"] and fault["code"] for fault in answer.json["errors"])


def test_a_form_page_has_one_form_with_a_hidden_token_and_tied_help(site: Site) -> None:
    page = Page(site.get("/f/lead"))
    forms = [attrs for tag, attrs in page.tags if tag == "form"]
    assert [form["method"] for form in forms] == ["post"]
    tokens = [attrs for _, attrs in page.tags if attrs.get("name") == "_token"]
    assert [token["type"] for token in tokens] == ["hidden"]
    assert site.signer.read(page.sent["_token"], "lead").use == "page"
    embedded = Page(site.get("/f/lead/embed"))
    assert site.signer.read(embedded.sent["_token"], "lead").use == "embed"


def test_a_page_is_kept_by_the_browser_for_going_back_and_by_nobody_else(site: Site) -> None:
    control = site.get("/f/lead").headers["Cache-Control"]
    assert "private" in control
    assert "no-cache" in control
    assert "no-store" not in control
