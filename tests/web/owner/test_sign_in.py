"""The owner's pages: nobody else sees them, and no password is guessed."""

from base64 import b64encode
from pathlib import Path

import pytest

from formapp.config.settings import Settings, SettingsError
from formapp.web.owner import share
from formapp.web.owner.sign_in import Owner
from tests.web.support import JSON, Site, SiteMaker, assert_refused
from tests.web.test_every_route import policy

PASSWORD = "grün wie Gras"  # twelve characters and one
PATHS = ("/f/lead/share", "/f/lead/share/preview")


def basic(password: str, user: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def signed(make_site: SiteMaker) -> Site:
    return make_site(OWNER_PASSWORD=PASSWORD)


@pytest.mark.parametrize("path", PATHS)
def test_without_a_password_in_the_settings_there_are_no_such_pages(site: Site, path: str) -> None:
    for headers in ({}, basic(""), basic("None"), JSON, {"Accept-Language": "de"}):
        answer, unknown = site.get(path, **headers), site.get("/f/lead/nothing", **headers)
        assert answer.status_code == unknown.status_code == 404
        assert answer.data == unknown.data
        assert answer.headers.get("Content-Language") == unknown.headers.get("Content-Language")
        assert "WWW-Authenticate" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_the_owner_signs_in_by_any_name(signed: Site, path: str) -> None:
    for user in ("", "owner", "Özgür"):
        answer = signed.get(path, **basic(PASSWORD, user))
        assert answer.status_code == 200
        assert "no-store" in answer.headers["Cache-Control"]


def test_the_owners_pages_are_in_english_and_the_preview_in_a_language_of_the_form(
    signed: Site,
) -> None:
    german = {"Accept-Language": "de"}
    for headers in (german, german | basic(PASSWORD)):
        answer = signed.get(PATHS[0], **headers)
        assert answer.headers["Content-Language"] == "en"
        assert '<html lang="en"' in answer.text
    assert signed.get(PATHS[1], **basic(PASSWORD)).headers["Content-Language"] == "en"


def test_an_umlaut_counts_however_a_keyboard_writes_it(signed: Site) -> None:
    decomposed = PASSWORD.replace("ü", "u\u0308")
    assert signed.get(PATHS[0], **basic(decomposed)).status_code == 200


@pytest.mark.parametrize("path", [*PATHS, "/f/nope/share"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("wrong password"),
        basic(""),
        basic(PASSWORD[:-1]),
        {"Authorization": f"Bearer {PASSWORD}"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic ????"},
        {"Authorization": "Basic /////w=="},
    ],
    ids=str,
)
def test_nobody_else_is_let_in(signed: Site, path: str, headers: dict[str, str]) -> None:
    answer = signed.get(path, **headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="formapp", charset="UTF-8"'
    assert_refused(signed.get(path, **headers, **JSON), 401, "UNAUTHORIZED")


def test_after_a_few_wrong_passwords_even_the_right_one_has_to_wait(signed: Site) -> None:
    for number in range(5):
        assert signed.get(PATHS[0], **basic(f"wrong password {number}")).status_code == 401
    for password in ("wrong password", PASSWORD):
        answer = signed.get(PATHS[0], **basic(password))
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
    assert signed.get(PATHS[0]).status_code == 401
    other = {"REMOTE_ADDR": "203.0.113.1"}
    again = signed.open("GET", PATHS[0], headers=basic(PASSWORD), environ_overrides=other)
    assert again.status_code == 200


def test_asking_without_a_password_and_signing_in_are_never_limited(signed: Site) -> None:
    for _ in range(40):
        assert signed.get(PATHS[0]).status_code == 401
        assert signed.get(PATHS[0], **basic(PASSWORD)).status_code == 200


def test_a_network_of_ipv6_is_one_guesser(signed: Site) -> None:
    def guess(address: str) -> int:
        environ = {"REMOTE_ADDR": address}
        headers = basic("wrong password")
        return signed.open("GET", PATHS[0], headers=headers, environ_overrides=environ).status_code

    assert [guess(f"2001:db8:0:1::{number}") for number in range(6)] == [401] * 5 + [429]
    assert guess("2001:db8:0:2::1") == 401


def test_posts_are_not_held_up_by_guesses(signed: Site) -> None:
    for _ in range(7):
        signed.get(PATHS[0], **basic("wrong password"))
    assert signed.get("/f/lead").status_code == 200
    assert signed.post({}).status_code == 422


def test_an_unknown_form_is_told_to_the_owner(signed: Site) -> None:
    answer = signed.get("/f/nope/share", **basic(PASSWORD), **JSON)
    assert_refused(answer, 404, "FORM_NOT_FOUND")


def test_the_demo_lets_everybody_in(site: Site) -> None:
    share.init_app(site.app, Owner(everybody=True))
    assert [site.get(path).status_code for path in PATHS] == [200, 200]


def test_a_log_line_of_a_wrong_password_says_neither_it_nor_the_right_one(
    signed: Site, caplog: pytest.LogCaptureFixture
) -> None:
    signed.get(PATHS[0], **basic("a wrong guess"))
    assert "wrong password" in caplog.text
    assert "guess" not in caplog.text
    assert PASSWORD not in caplog.text


def test_the_page_shows_frames_of_this_server_alone_and_the_preview_sends_nothing(
    signed: Site,
) -> None:
    page, preview = (policy(signed.get(path, **basic(PASSWORD))) for path in PATHS)
    assert (page["frame-src"], page["frame-ancestors"]) == ("'self'", "'none'")
    assert (preview["form-action"], preview["frame-ancestors"]) == ("'none'", "'self'")
    embedded = signed.get(PATHS[1] + "?_use=embed", **basic(PASSWORD))
    assert policy(embedded)["frame-ancestors"] == "'self'"
    assert "X-Frame-Options" not in embedded.headers


def test_a_password_that_can_be_guessed_is_a_fault() -> None:
    given = {
        "FORMAPP_SECRET_KEY": "a key that is long enough",
        "FORMAPP_OWNER_PASSWORD": "elevenchars",
    }
    with pytest.raises(SettingsError) as caught:
        Settings.read(given, web=True)
    [fault] = caught.value.faults
    assert fault == "FORMAPP_OWNER_PASSWORD: is too short: use at least 12 characters"
    assert "elevenchars" not in str(caught.value)


def test_a_password_may_come_from_a_file_and_shows_nowhere(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("twelve chars\n", "utf-8")
    settings = Settings.read({"FORMAPP_OWNER_PASSWORD_FILE": str(tmp_path / "password")})
    assert settings.owner_password
    assert settings.owner_password.get_secret_value() == "twelve chars"
    assert "twelve chars" not in repr(settings)
