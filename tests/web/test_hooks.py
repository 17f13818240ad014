"""Nothing is behind the framework's back: every request passes Flask's hooks."""

import pytest
from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.web.support import GOOD, Site, SiteMaker
from tests.web.test_every_route import addresses


@pytest.fixture
def hooked(site: Site) -> tuple[Site, list[tuple[str, str]]]:
    """A site of a maintainer who has added a hook before and one behind."""
    seen: list[tuple[str, str]] = []

    @site.app.before_request
    def before() -> None:
        seen.append(("before", request.path))

    @site.app.after_request
    def behind(response: Response) -> Response:
        seen.append(("behind", request.path))
        response.headers["X-Hook"] = str(len(seen))
        return response

    return site, seen


def test_every_request_of_every_route_passes_them(
    hooked: tuple[Site, list[tuple[str, str]]],
) -> None:
    site, seen = hooked
    for path in sorted(set(addresses(site.app))):
        for method in ("GET", "GET", "GET", "HEAD", "OPTIONS", "POST", "PUT"):
            seen.clear()
            answer = site.open(method, path, data=GOOD if method == "POST" else None)
            assert seen == [("before", path), ("behind", path)], (method, path)
            assert answer.headers["X-Hook"] == "2", (method, path)


@pytest.mark.parametrize("path", ["/f/lead", "/f/other", "/f/other/embed", "/f/other?lang=de"])
def test_so_does_every_visit_to_a_form(
    hooked: tuple[Site, list[tuple[str, str]]], path: str
) -> None:
    site, seen = hooked
    for number in range(1, 6):
        assert site.get(path).headers["X-Hook"] == str(2 * number)
    assert len(seen) == 10


def test_what_is_refused_or_not_there_passes_them(
    hooked: tuple[Site, list[tuple[str, str]]],
) -> None:
    site, seen = hooked
    for number, (path, host) in enumerate(
        [("/nothing", "localhost"), ("/f/nope", "localhost"), ("/healthz", "10.0.0.7")], 1
    ):
        assert "X-Hook" in site.get(path, Host=host).headers
        assert len(seen) == 2 * number
    assert "X-Hook" in site.get("/f/lead", Host="evil.example").headers


def test_a_hook_may_answer_in_place_of_a_view(site: Site) -> None:
    answers = iter([None, None, ("closed", 503), ("closed", 503)])
    site.app.before_request(lambda: next(answers))
    assert [site.get("/f/other").status_code for _ in range(4)] == [200, 200, 503, 503]


def test_nothing_is_in_front_of_flask_but_what_the_settings_name(make_site: SiteMaker) -> None:
    plain, proxied = make_site().app, make_site(PROXY_HOPS="1").app
    assert plain.wsgi_app == Flask.wsgi_app.__get__(plain)
    assert isinstance(proxied.wsgi_app, ProxyFix)
    assert proxied.wsgi_app.app == Flask.wsgi_app.__get__(proxied)
