"""Credentials, tokens and the rate limit (CONTRACT.md sections 2 and 4)."""

from __future__ import annotations

from typing import Any

import pytest

from formapp.sandbox import SandboxOptions, Settings

CONTACTS = "/contacts/v4/contacts"
APP = {
    "grant_type": "client_credentials",
    "client_id": "b4d0c1de-7a3f-4f0b-8a66-2c1d9a2f7e50",
    "client_secret": "app-secret",
    "instance_id": "e7a4bb0c-51d2-4c7f-a0f6-93f2f0c4d7a8",
}


def status(api: Any, **headers: str) -> int:
    return int(api.call("GET", CONTACTS, None, **headers).status_code)


def token(api: Any, **changes: Any) -> str:
    return str(api.call("POST", "/oauth2/token", {**APP, **changes}).get_json()["access_token"])


def test_without_credentials_the_answer_is_401(anonymous: Any) -> None:
    answer = anonymous.call("GET", CONTACTS)
    assert answer.status_code == 401
    assert answer.get_json() == {"message": "Unauthorized", "details": {}}
    assert status(anonymous, Authorization="Bearer ") == 401


def test_a_key_needs_a_site(anonymous: Any) -> None:
    answer = anonymous.call("GET", CONTACTS, None, Authorization="IST.key")
    assert answer.status_code == 403
    assert answer.get_json() == {"message": "Forbidden", "details": {}}
    account = {"Authorization": "IST.key", "wix-account-id": "x"}
    assert status(anonymous, **account) == 403
    assert status(anonymous, **account, **{"wix-site-id": "x"}) == 200


@pytest.mark.parametrize("key", ["IST.key", "anything", "Bearer IST.key", "bearer IST.key"])
def test_any_key_is_good_bare_or_as_a_bearer(anonymous: Any, key: str) -> None:
    assert status(anonymous, **{"Authorization": key, "wix-site-id": "one"}) == 200


def test_a_token_fixes_the_site(anonymous: Any) -> None:
    answer = anonymous.call("POST", "/oauth2/token", APP).get_json()
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 14400
    made = {"info": {"name": {"first": "App"}}}
    header = {"Authorization": answer["access_token"], "wix-site-id": "elsewhere"}
    assert anonymous.call("POST", CONTACTS, made, **header).status_code == 200
    key = {"Authorization": "IST.key", "wix-site-id": APP["instance_id"]}
    assert len(anonymous.call("GET", CONTACTS, None, **key).get_json()["contacts"]) == 1


def test_a_token_expires(anonymous: Any, clock: Any) -> None:
    header = {"Authorization": f"Bearer {token(anonymous)}"}
    clock.advance(14_399)
    assert status(anonymous, **header) == 200
    clock.advance(1)
    assert status(anonymous, **header) == 401


def test_the_lifetime_of_a_token_can_be_shortened(anonymous: Any, clock: Any) -> None:
    anonymous.settings(token_lifetime=5)
    answer = anonymous.call("POST", "/oauth2/token", APP).get_json()
    assert answer["expires_in"] == 5
    clock.advance(5)
    assert status(anonymous, Authorization=answer["access_token"]) == 401


def test_all_tokens_can_be_revoked(anonymous: Any) -> None:
    header = {"Authorization": token(anonymous)}
    anonymous.control("DELETE", "/tokens")
    assert status(anonymous, **header) == 401


def test_an_unknown_token_is_401(anonymous: Any) -> None:
    assert status(anonymous, Authorization="OauthNG.JWS.invented") == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"client_secret": None}, "invalid_request"),
        ({"instance_id": 5}, "invalid_request"),
    ],
)
def test_a_bad_token_request_has_an_oauth_error(anonymous: Any, changes: Any, error: str) -> None:
    answer = anonymous.call("POST", "/oauth2/token", {**APP, **changes})
    assert (answer.status_code, answer.get_json()) == (400, {"error": error})


@pytest.mark.parametrize(("setting", "expected"), [("unauthenticated", 401), ("forbidden", 403)])
def test_a_switch_refuses_all_credentials(api: Any, setting: str, expected: int) -> None:
    header = {"Authorization": token(api)}
    api.settings(credentials=setting)
    assert status(api) == expected
    assert status(api, **header) == expected
    assert api.call("POST", "/oauth2/token", APP).status_code == 400
    api.settings(credentials="accepted")
    assert status(api) == 200


def test_call_201_within_a_minute_is_429(make_api: Any, clock: Any) -> None:
    api = make_api(SandboxOptions(clock=clock))
    assert [status(api) for _ in range(200)] == [200] * 200
    answer = api.call("GET", CONTACTS)
    assert answer.status_code == 429
    assert answer.get_json() == {"message": "Resource exhausted", "details": {}}
    assert "Retry-After" not in answer.headers


def test_the_window_slides(make_api: Any, clock: Any) -> None:
    api = make_api(SandboxOptions(Settings(rate_limit=2), clock=clock))
    assert status(api) == 200
    clock.advance(30)
    assert status(api) == 200
    clock.advance(29.9)
    assert status(api) == 429
    clock.advance(0.1)
    assert status(api) == 200
    assert status(api) == 429
    clock.advance(30)
    assert status(api) == 200


def test_keys_sites_and_instances_are_counted_apart(make_api: Any) -> None:
    api = make_api(SandboxOptions(Settings(rate_limit=1)))
    headers = [
        {},
        {"Authorization": "IST.other"},
        {"wix-site-id": "other"},
        {"Authorization": token(api)},
        {"Authorization": token(api, instance_id="other")},
    ]
    assert [status(api, **one) for one in headers] == [200] * 5
    assert [status(api, **one) for one in headers] == [429] * 5
    fresh = {"Authorization": token(api)}
    assert status(api, **fresh) == 429


def test_the_limit_can_be_changed_and_switched_off(make_api: Any) -> None:
    api = make_api(SandboxOptions(Settings(rate_limit=1)))
    assert [status(api), status(api)] == [200, 429]
    api.settings(rate_limit="off")
    assert [status(api) for _ in range(5)] == [200] * 5
    api.settings(rate_limit=3)
    assert status(api) == 429
