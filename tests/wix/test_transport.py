"""Time-outs, hooks, redirects and cookies, with mocked answers."""

import http.cookies
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from responses import RequestsMock

from formapp.wix import (
    ApiKey,
    Call,
    ContactNotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    Timeouts,
    UnexpectedResponseError,
    WixContacts,
)

URL = "https://www.wixapis.com/contacts/v4/contacts"
CREATED = {"contact": {"id": "a", "revision": 1}}
AUTH = ApiKey("IST.example-key", "site")


@pytest.fixture
def calls() -> list[Call]:
    return []


@pytest.fixture
def watched(calls: list[Call]) -> Iterator[WixContacts]:
    with WixContacts(AUTH, on_call=calls.append) as client:
        yield client


def settings(api: RequestsMock) -> dict[str, Any]:
    """What the last call was sent with."""
    return api.calls[-1].request.req_kwargs  # type: ignore[attr-defined, no-any-return] # responses adds it


def test_every_call_has_both_time_outs_and_checks_certificates(
    api: RequestsMock, wix: WixContacts
) -> None:
    api.post(URL, json=CREATED)
    wix.contacts.create({})
    assert settings(api)["timeout"] == (5.0, 30.0)
    assert settings(api)["verify"]


@pytest.mark.parametrize("timeouts", [(1.5, 2.5), Timeouts(1.5, 2.5)])
def test_time_outs_are_passed_in(api: RequestsMock, timeouts: tuple[float, float]) -> None:
    api.post(URL, json=CREATED)
    with WixContacts(AUTH, timeouts=timeouts) as wix:
        wix.contacts.create({})
    assert settings(api)["timeout"] == (1.5, 2.5)


def test_no_adapter_sends_anything_again_by_itself() -> None:
    with WixContacts(AUTH) as wix:
        adapters = wix._transport._session.adapters.values()
        retries = [adapter.max_retries for adapter in adapters]  # type: ignore[attr-defined] # an HTTPAdapter
    assert len(retries) == 2
    assert [(retry.total, retry.read) for retry in retries] == [(0, False), (0, False)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused_and_its_target_never_asked(
    api: RequestsMock, wix: WixContacts, status: int
) -> None:
    api.post(URL, status=status, headers={"Location": "https://evil.example.com/"})
    with pytest.raises(UnexpectedResponseError) as caught:
        wix.contacts.create({})
    assert caught.value.status == status
    assert len(api.calls) == 1


def test_another_base_url_and_user_agent(api: RequestsMock) -> None:
    api.post("http://127.0.0.1:8001/contacts/v4/contacts", json=CREATED)
    with WixContacts(AUTH, base_url="http://127.0.0.1:8001/", user_agent="formapp/0.1") as wix:
        wix.contacts.create({})
    assert api.calls[0].request.headers["User-Agent"] == "formapp/0.1"


@pytest.mark.parametrize(
    "base_url",
    ["", "www.wixapis.com", "ftp://x", "https://", "https://u:p@x", "https://x?a=1", "http://x#a"],
)
def test_a_base_url_that_cannot_work_is_refused_at_once(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url must"):
        WixContacts(AUTH, base_url=base_url)


def test_cookies_are_not_kept(api: RequestsMock, wix: WixContacts) -> None:
    cookie = http.cookies.SimpleCookie({"XSRF-TOKEN": "1"}).output(header="").strip()
    api.get(f"{URL}/a", json=CREATED, headers={"Set-Cookie": f"{cookie}; Path=/"})
    wix.contacts.get("a")
    wix.contacts.get("a")
    assert "Cookie" not in api.calls[1].request.headers


def test_a_body_that_is_no_json_is_the_callers_mistake_and_is_not_sent(
    api: RequestsMock, wix: WixContacts
) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        wix.contacts.create({"extendedFields": {"items": {"custom.a": float("nan")}}})
    assert len(api.calls) == 0


def test_the_observer_sees_a_success(
    api: RequestsMock, watched: WixContacts, calls: list[Call]
) -> None:
    api.get(f"{URL}/secret-id", json=CREATED, headers={"X-Wix-Request-Id": "req-1"})
    watched.contacts.get("secret-id")
    (call,) = calls
    assert (call.operation, call.method) == ("getContact", "GET")
    assert call.path_template == "/contacts/v4/contacts/{contactId}"
    assert (call.status, call.request_id, call.code) == (200, "req-1", None)
    assert 0 <= call.seconds < 5
    assert "secret-id" not in repr(call)


def test_the_observer_sees_an_error_with_its_code(
    api: RequestsMock, watched: WixContacts, calls: list[Call]
) -> None:
    body = {"details": {"applicationError": {"code": "CONTACT_NOT_FOUND"}}}
    api.get(f"{URL}/a", status=404, json=body, headers={"X-Wix-Request-Id": "req-2"})
    with pytest.raises(ContactNotFoundError):
        watched.contacts.get("a")
    (call,) = calls
    assert (call.status, call.request_id, call.code) == (404, "req-2", "CONTACT_NOT_FOUND")


def test_the_observer_sees_a_call_that_got_no_answer(
    api: RequestsMock, watched: WixContacts, calls: list[Call]
) -> None:
    api.get(f"{URL}/a", body=requests.ReadTimeout())
    with pytest.raises(RequestTimeoutError):
        watched.contacts.get("a")
    assert [(call.status, call.code) for call in calls] == [(None, None)]


def test_an_observer_that_fails_does_not_hide_that_a_write_succeeded(
    api: RequestsMock, caplog: pytest.LogCaptureFixture
) -> None:
    def observer(call: Call) -> None:
        raise RuntimeError(f"cannot count {call.operation}")

    api.post(URL, json=CREATED)
    with WixContacts(AUTH, on_call=observer) as wix:
        assert wix.contacts.create({}).id == "a"
    assert "on_call failed for createContact" in caplog.text


class OverBudgetError(Exception):
    """A rate budget's own error."""


def test_what_the_budget_raises_passes_through_and_nothing_is_sent(
    api: RequestsMock, calls: list[Call]
) -> None:
    def budget(operation: str) -> None:
        raise OverBudgetError(operation)

    with (
        WixContacts(AUTH, before_call=budget, on_call=calls.append) as wix,
        pytest.raises(OverBudgetError, match="createContact"),
    ):
        wix.contacts.create({})
    assert len(api.calls) == 0
    assert calls == []


def test_the_budget_is_asked_before_each_call(api: RequestsMock) -> None:
    asked: list[str] = []
    api.post(f"{URL}/query", json={"contacts": []})
    api.post(URL, json=CREATED)
    with WixContacts(AUTH, before_call=asked.append) as wix:
        wix.find_duplicate(email="a@example.com")
        wix.contacts.create({})
    assert asked == ["queryContacts", "createContact"]


def test_a_rate_limit_is_told_once_and_not_waited_for(api: RequestsMock, wix: WixContacts) -> None:
    body: dict[str, Any] = {"message": "Resource exhausted", "details": {}}
    api.post(URL, status=429, json=body, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimitedError) as caught:
        wix.contacts.create({})
    assert caught.value.retry_after == 3600
    assert len(api.calls) == 1
