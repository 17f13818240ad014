"""Outgoing HTTP: it ends in time, reads no more than its limit and shows no URL."""

import time
from collections.abc import Iterator

import pytest

from formapp import http
from tests.support.processes import free_port
from tests.support.verifier import Verifier, verifier


@pytest.fixture
def server() -> Iterator[Verifier]:
    with verifier() as running:
        yield running


def test_a_form_is_posted_and_the_response_returned(server: Verifier) -> None:
    status, content = http.post(server.url, data={"response": "x"})
    assert status == 200
    assert b"invalid-input-secret" in content
    assert server.asked == [{"response": "x"}]


def test_a_redirect_is_not_followed(server: Verifier) -> None:
    server.fault = "redirect"
    assert http.post(server.url, data={"response": "x"}).status == 307
    assert len(server.asked) == 1


def test_a_long_response_is_read_up_to_the_limit(server: Verifier) -> None:
    server.fault = "large"
    assert len(http.post(server.url, json={"text": "x"}).content) == http.MAX_BYTES


@pytest.mark.parametrize("fault", ["dripping head", "dripping body"])
def test_a_response_that_drips_ends_at_the_deadline(
    server: Verifier, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(http, "DEADLINE", 0.3)
    server.fault = fault
    began = time.monotonic()
    with pytest.raises(http.NoResponseError):
        http.post(server.url, json={"text": "x"})
    assert time.monotonic() - began < 10


def test_an_error_names_its_kind_and_no_url() -> None:
    with pytest.raises(http.NoResponseError) as caught:
        http.post(f"http://127.0.0.1:{free_port()}/secret", data={})
    assert str(caught.value) == "ConnectionError"
