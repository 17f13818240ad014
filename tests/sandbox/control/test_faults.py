"""Faults on request, over real connections."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

C = "/contacts/v4/contacts"
BODY = {"info": {"name": {"first": "Ines"}}}
CUT = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def create(http: Any, **more: Any) -> requests.Response:
    answer: requests.Response = http.call("POST", C, BODY, **more)
    return answer


def test_cut_before_ends_the_connection_and_applies_nothing(http: Any) -> None:
    http.fault("cut_before", times=1)
    with pytest.raises(requests.ConnectionError):
        create(http)
    assert http.contacts() == []
    assert create(http).status_code == 200


def test_cut_after_applies_the_call_and_ends_the_connection(http: Any) -> None:
    http.fault("cut_after", times=1)
    with pytest.raises(requests.ConnectionError):
        create(http)
    assert [one["info"]["name"]["first"] for one in http.contacts()] == ["Ines"]


def test_truncate_sends_half_an_answer(http: Any) -> None:
    http.fault("truncate", times=1)
    with http.call("POST", C, BODY, stream=True) as answer:
        assert answer.status_code == 200
        announced = int(answer.headers["Content-Length"])
        received = answer.raw.read(announced // 2)
        assert received.startswith(b'{"contact"')
        with pytest.raises(CUT):
            _ = answer.content
    assert len(http.contacts()) == 1


def test_stall_stops_half_way_until_the_client_gives_up(http: Any) -> None:
    http.fault("stall", times=1, seconds=30)
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError, match="timed out"):
        create(http, timeout=0.3)
    assert time.monotonic() - started < 10
    assert len(http.contacts()) == 1
    http.app.extensions["sandbox"].close()


def test_stall_ends_the_connection_after_its_seconds(http: Any) -> None:
    http.fault("stall", times=1, seconds=0.1)
    with pytest.raises(CUT):
        create(http)


def test_latency_delays_and_then_answers(http: Any) -> None:
    http.fault("latency", seconds=0.2, times=1)
    started = time.monotonic()
    assert create(http).status_code == 200
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("applied", [False, True])
def test_a_status_may_come_with_or_without_the_call_applied(http: Any, applied: bool) -> None:  # noqa: FBT001 - a case of the table
    http.fault("status", status=503, applied=applied, times=1)
    answer = create(http)
    assert (answer.status_code, answer.json()) == (503, {"message": "", "details": {}})
    assert len(http.contacts()) == int(applied)


def test_a_status_may_have_an_empty_body_a_code_or_a_pause(http: Any) -> None:
    http.fault("status", status=500, empty_body=True, times=1)
    assert create(http).content == b""
    http.fault("status", status=500, code="FAILED_DELETE_CONTACT_AFTER_MEMBER_DELETION", times=1)
    error = create(http).json()["details"]["applicationError"]
    assert error["code"] == "FAILED_DELETE_CONTACT_AFTER_MEMBER_DELETION"
    http.fault("status", status=429, retry_after=7, times=1)
    answer = create(http)
    assert answer.headers["Retry-After"] == "7"
    assert answer.json()["message"] == "Resource exhausted"


def test_a_bad_gateway_answers_with_html(http: Any) -> None:
    http.fault("bad_gateway_html", times=1)
    answer = create(http)
    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in answer.text


def test_a_fault_strikes_its_operation_and_site_alone(http: Any) -> None:
    http.fault("status", operation="createContact", site=http.site)
    assert create(http).status_code == 503
    assert http.call("GET", C).status_code == 200
    assert create(http, headers={"wix-site-id": "other"}).status_code == 200


def test_a_fault_strikes_the_token_endpoint_too(http: Any) -> None:
    http.fault("status", operation="createAccessToken", site="one", status=500)
    body = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
    assert http.call("POST", "/oauth2/token", {**body, "instance_id": "one"}).status_code == 500
    assert http.call("POST", "/oauth2/token", {**body, "instance_id": "two"}).status_code == 200


def test_a_fault_ends_after_its_times_and_can_be_switched_off(http: Any) -> None:
    http.fault("status", times=2)
    assert [create(http).status_code for _ in range(3)] == [503, 503, 200]
    http.fault("status")
    assert create(http).status_code == 503
    fault = http.call("GET", "/_sandbox/faults").json()["faults"][0]
    assert fault["struck"] == 1
    assert http.call("DELETE", f"/_sandbox/faults/{fault['id']}").status_code == 200
    assert http.call("DELETE", f"/_sandbox/faults/{fault['id']}").status_code == 404
    assert create(http).status_code == 200


def test_a_probability_strikes_some_calls(http: Any) -> None:
    http.fault("status", probability=0.5)
    statuses = {http.call("GET", C).status_code for _ in range(64)}
    assert statuses == {200, 503}
    http.call("DELETE", "/_sandbox/faults")
    http.fault("status", probability=0)
    assert {http.call("GET", C).status_code for _ in range(16)} == {200}


def test_a_latency_and_another_fault_strike_together(http: Any) -> None:
    http.fault("latency", seconds=0.1, times=1)
    http.fault("status", times=1)
    started = time.monotonic()
    assert create(http).status_code == 503
    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "flood"},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": "503"},
        {"kind": "status", "operation": "eatContact"},
        {"kind": "status", "site": 5},
        {"kind": "latency", "seconds": -1},
        {"kind": "latency", "seconds": True},
        {"kind": "status", "times": 0},
        {"kind": "status", "probability": 2},
        {"kind": "status", "applied": "yes"},
        {"kind": "status", "color": "red"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(http: Any, fault: Any) -> None:
    answer = http.call("POST", "/_sandbox/faults", fault)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert http.call("GET", "/_sandbox/faults").json() == {"faults": []}


def test_the_log_tells_what_a_fault_did(http: Any) -> None:
    http.fault("cut_after", times=1)
    with pytest.raises(requests.ConnectionError):
        create(http)
    entry = http.call("GET", "/_sandbox/calls").json()["calls"][0]
    assert (entry["operation"], entry["fault"], entry["status"]) == (
        "createContact",
        "cut_after",
        None,
    )
    assert entry["applied"] is True


def test_without_a_socket_a_cut_fails_the_call(api: Any) -> None:
    api.control("POST", "/faults", {"kind": "cut_before"})
    with pytest.raises(ConnectionAbortedError):
        api.call("GET", C).get_data()
