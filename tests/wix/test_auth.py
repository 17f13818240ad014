"""API keys, what an app needs, and ~/.netrc (contract section 2)."""

from pathlib import Path

import pytest
import requests
from responses import RequestsMock

from formapp.wix import ApiKey, AppToken, UnauthorizedError, WixContacts

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
