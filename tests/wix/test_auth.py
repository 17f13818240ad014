"""API keys, access tokens and ~/.netrc (CONTRACT.md section 2)."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from responses import RequestsMock

from formapp.wix import (
    ApiKey,
    AppToken,
    ConnectError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    UnauthorizedError,
    UnexpectedResponseError,
    WixContacts,
    WixError,
)

TOKEN_URL = "https://www.wixapis.com/oauth2/token"
URL = "https://www.wixapis.com/contacts/v4/contacts"
CREATED = {"contact": {"id": "a", "revision": 1}}


def test_an_account_id_is_sent_only_when_given(api: RequestsMock) -> None:
    api.post(URL, json=CREATED)
    with WixContacts(ApiKey("k", "s", account_id="acc")) as wix:
        wix.contacts.create({})
    assert api.calls[0].request.headers["wix-account-id"] == "acc"


def test_a_401_to_an_api_key_is_not_repeated(api: RequestsMock, wix: WixContacts) -> None:
    api.post(URL, status=401, json={"message": "Unauthorized", "details": {}})
    with pytest.raises(UnauthorizedError):
        wix.contacts.create({})
    assert len(api.calls) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "a\nb", "a\r\nX: y", "clé", "a\x00"])
def test_a_key_that_fits_no_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="the API key must be") as caught:
        ApiKey(key, "site")
    assert key.strip() == "" or key not in str(caught.value)
    with pytest.raises(ValueError, match="the site id must be"):
        ApiKey("key", key)
    with pytest.raises(ValueError, match="the account id must be"):
        ApiKey("key", "site", key)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_an_app_needs_all_three_parts(missing: int) -> None:
    parts = ["app", "secret", "instance"]
    parts[missing] = ""
    with pytest.raises(ValueError, match="must not be empty"):
        AppToken(*parts)


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "netrc"
    path.write_text("machine www.wixapis.com login somebody password else\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    assert requests.utils.get_netrc_auth("https://www.wixapis.com") == ("somebody", "else")


def test_netrc_does_not_replace_the_api_key(
    api: RequestsMock, wix: WixContacts, netrc: None
) -> None:
    api.post(URL, json=CREATED)
    wix.contacts.create({})
    assert api.calls[0].request.headers["Authorization"] == "IST.example-key"


def test_netrc_adds_nothing_to_a_token_request(api: RequestsMock, netrc: None) -> None:
    api.post(TOKEN_URL, json={"access_token": "one", "expires_in": 14400})
    api.post(URL, json=CREATED)
    with WixContacts(AppToken("app", "secret", "instance")) as wix:
        wix.contacts.create({})
    assert "Authorization" not in api.calls[0].request.headers
    assert api.calls[1].request.headers["Authorization"] == "one"


SECRET = "0a9f2b7e-1111-4c4c-9d9d-aaaaaaaaaaaa"


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def token(clock: Clock) -> AppToken:
    return AppToken("app-1", SECRET, "instance-1", clock=clock)


@pytest.fixture
def app(token: AppToken) -> Iterator[WixContacts]:
    with WixContacts(token) as client:
        yield client


def grants(api: RequestsMock, token: str, seconds: object = 14400) -> None:
    api.post(TOKEN_URL, json={"access_token": token, "token_type": "Bearer", "expires_in": seconds})


def authorizations(api: RequestsMock) -> list[str | None]:
    """The Authorization header of each call, None for those that carried none."""
    return [call.request.headers.get("Authorization") for call in api.calls]


def test_an_app_asks_for_a_token_and_sends_it_bare_without_a_site_id(
    api: RequestsMock, app: WixContacts
) -> None:
    grants(api, "OauthNG.JWS.one")
    api.post(URL, json=CREATED)
    app.contacts.create({})
    asked = json.loads(api.calls[0].request.body or "")
    assert asked == {
        "grant_type": "client_credentials",
        "client_id": "app-1",
        "client_secret": SECRET,
        "instance_id": "instance-1",
    }
    assert api.calls[0].request.headers["Content-Type"] == "application/json"
    assert authorizations(api) == [None, "OauthNG.JWS.one"]
    assert "wix-site-id" not in api.calls[1].request.headers


def test_a_token_is_kept_until_a_minute_before_its_end(
    api: RequestsMock, app: WixContacts, clock: Clock
) -> None:
    grants(api, "one")
    grants(api, "two")
    api.post(URL, json=CREATED)
    app.contacts.create({})
    clock.seconds += 14400 - 60 - 0.1
    app.contacts.create({})
    assert authorizations(api) == [None, "one", "one"]
    clock.seconds += 0.1
    app.contacts.create({})
    assert authorizations(api)[3:] == [None, "two"]


def test_a_short_token_is_used_for_half_its_life(
    api: RequestsMock, app: WixContacts, clock: Clock
) -> None:
    grants(api, "one", 20)
    grants(api, "two", 20)
    api.post(URL, json=CREATED)
    app.contacts.create({})
    clock.seconds += 9.9
    app.contacts.create({})
    clock.seconds += 0.2
    app.contacts.create({})
    assert authorizations(api) == [None, "one", "one", None, "two"]


@pytest.mark.parametrize("seconds", [None, "14400", True, 0, []])
def test_a_lifetime_that_is_no_number_is_taken_as_the_documented_four_hours(
    api: RequestsMock, app: WixContacts, clock: Clock, seconds: object
) -> None:
    grants(api, "one", seconds)
    api.post(URL, json=CREATED)
    app.contacts.create({})
    clock.seconds += 14000
    app.contacts.create({})
    assert authorizations(api) == [None, "one", "one"]


def test_after_a_401_the_token_is_renewed_and_the_call_made_once_more(
    api: RequestsMock, app: WixContacts
) -> None:
    grants(api, "one")
    grants(api, "two")
    api.post(URL, status=401)
    api.post(URL, json=CREATED)
    assert app.contacts.create({}).id == "a"
    assert authorizations(api) == [None, "one", None, "two"]


def test_a_second_401_is_raised_and_nothing_is_tried_a_third_time(
    api: RequestsMock, app: WixContacts
) -> None:
    grants(api, "one")
    grants(api, "two")
    api.post(URL, status=401)
    with pytest.raises(UnauthorizedError) as caught:
        app.contacts.create({})
    assert caught.value.operation == "createContact"
    assert authorizations(api) == [None, "one", None, "two"]


def test_a_token_that_another_thread_has_renewed_is_not_dropped(
    api: RequestsMock, app: WixContacts, token: AppToken
) -> None:
    grants(api, "one")
    api.post(URL, json=CREATED)
    app.contacts.create({})
    assert token.invalidate({"Authorization": "an older one"}) is True
    app.contacts.create({})
    assert authorizations(api) == [None, "one", "one"]


def test_threads_that_start_together_ask_for_one_token(api: RequestsMock, app: WixContacts) -> None:
    grants(api, "one")
    api.post(URL, json=CREATED)
    ready = threading.Barrier(8)

    def work() -> None:
        ready.wait(10)
        app.contacts.create({})

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    urls = [call.request.url for call in api.calls]
    assert urls.count(TOKEN_URL) == 1
    assert urls.count(URL) == 8


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": "invalid_client"}, "invalid_client"),
        (
            400,
            {"details": {"validationError": {"fieldViolations": [{"field": "getBy.app"}]}}},
            None,
        ),
        (401, {"message": "Unauthorized", "details": {}}, None),
        (403, {}, None),
        (404, {}, None),
        (422, {"error": "a sentence with blanks"}, None),
    ],
)
def test_a_refused_token_request_is_unauthorized_in_every_form(
    api: RequestsMock, app: WixContacts, status: int, body: dict[str, Any], code: str | None
) -> None:
    api.post(TOKEN_URL, status=status, json=body)
    with pytest.raises(UnauthorizedError) as caught:
        app.contacts.create({})
    error = caught.value
    assert (error.operation, error.status, error.code) == ("createAccessToken", status, code)
    assert not error.maybe_applied
    assert len(api.calls) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 503}, ServerError),
        ({"status": 501}, ServerError),
        ({"status": 429}, RateLimitedError),
        ({"status": 302}, UnexpectedResponseError),
        ({"json": {"token_type": "Bearer"}}, UnexpectedResponseError),
        ({"json": {"access_token": "two words"}}, UnexpectedResponseError),
        ({"json": {"access_token": "a\r\nX: y"}}, UnexpectedResponseError),
        ({"json": {"access_token": 7}}, UnexpectedResponseError),
        ({"body": "<html>"}, UnexpectedResponseError),
        ({"body": requests.ReadTimeout()}, RequestTimeoutError),
        ({"body": requests.ConnectTimeout()}, ConnectError),
    ],
)
def test_without_a_token_the_write_is_never_sent_and_cannot_be_applied(
    api: RequestsMock, app: WixContacts, answer: dict[str, Any], kind: type[WixError]
) -> None:
    api.post(TOKEN_URL, **answer)
    with pytest.raises(kind) as caught:
        app.contacts.create({})
    assert caught.value.operation == "createAccessToken"
    assert not caught.value.maybe_applied
    assert len(api.calls) == 1


def test_a_failed_renewal_leaves_no_token_behind(
    api: RequestsMock, app: WixContacts, clock: Clock
) -> None:
    grants(api, "one")
    api.post(TOKEN_URL, status=503)
    grants(api, "three")
    api.post(URL, json=CREATED)
    app.contacts.create({})
    clock.seconds += 20000
    with pytest.raises(ServerError):
        app.contacts.create({})
    app.contacts.create({})
    assert authorizations(api) == [None, "one", None, None, "three"]
