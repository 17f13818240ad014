"""Time-outs, hooks, redirects, cookies, failed connections, and a server that misbehaves."""

import http.cookies
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import urllib3
from responses import RequestsMock
from urllib3.exceptions import (
    IncompleteRead,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from formapp.wix import (
    ApiKey,
    Call,
    ConnectError,
    ConnectionLostError,
    ContactNotFoundError,
    OutcomeUnknownError,
    Person,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    Timeouts,
    UnexpectedResponseError,
    WixContacts,
    WixError,
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


def test_another_base_url(api: RequestsMock) -> None:
    api.post("http://127.0.0.1:8001/contacts/v4/contacts", json=CREATED)
    with WixContacts(AUTH, base_url="http://127.0.0.1:8001/") as wix:
        wix.contacts.create({})
    assert len(api.calls) == 1


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
    assert call.operation == "getContact"
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
        wix.find_duplicate(Person(email="a@example.com"))
        wix.contacts.create({})
    assert asked == ["queryContacts", "createContact"]


def test_a_rate_limit_is_told_once_and_not_waited_for(api: RequestsMock, wix: WixContacts) -> None:
    body: dict[str, Any] = {"message": "Resource exhausted", "details": {}}
    api.post(URL, status=429, json=body, headers={"Retry-After": "3600"})
    with pytest.raises(RateLimitedError) as caught:
        wix.contacts.create({})
    assert caught.value.retry_after == 3600
    assert len(api.calls) == 1


POOL = urllib3.HTTPSConnectionPool("www.wixapis.com")
LINE = urllib3.connection.HTTPConnection("www.wixapis.com")


def max_retry(reason: Exception) -> MaxRetryError:
    return MaxRetryError(POOL, "/contacts/v4/contacts", reason)


NOT_SENT: dict[str, Exception] = {
    "connect time-out": requests.ConnectTimeout(max_retry(TimeoutError())),
    "refused": requests.ConnectionError(max_retry(NewConnectionError(LINE, "refused"))),
    "proxy": requests.exceptions.ProxyError(max_retry(OSError("tunnel"))),
    "certificate": requests.exceptions.SSLError(
        max_retry(urllib3.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed")))
    ),
    "address": requests.exceptions.InvalidURL("no host"),
}
SENT: dict[str, tuple[Exception, type[WixError]]] = {
    "read time-out": (requests.ReadTimeout(), RequestTimeoutError),
    "time-out inside the body": (
        requests.ConnectionError(ReadTimeoutError(POOL, "/", "slow")),
        RequestTimeoutError,
    ),
    "reset": (
        requests.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "reset"))),
        ConnectionLostError,
    ),
    "cut body": (
        requests.exceptions.ChunkedEncodingError(ProtocolError(IncompleteRead(3, 4))),
        ConnectionLostError,
    ),
    "bad gzip": (requests.exceptions.ContentDecodingError(), ConnectionLostError),
    "TLS broken off": (
        requests.exceptions.SSLError(max_retry(urllib3.exceptions.SSLError("EOF"))),
        ConnectionLostError,
    ),
    "unknown": (requests.RequestException("?"), ConnectionLostError),
    "unknown to requests": (urllib3.exceptions.HTTPError("?"), ConnectionLostError),
    "unreadable CA file": (OSError("no CA bundle"), ConnectionLostError),
}


@pytest.mark.parametrize("failure", NOT_SENT)
def test_a_call_that_never_left_cannot_have_been_applied(
    api: RequestsMock, wix: WixContacts, failure: str
) -> None:
    api.post(URL, body=NOT_SENT[failure])
    with pytest.raises(ConnectError) as caught:
        wix.contacts.create({})
    assert caught.value.retryable
    assert not caught.value.maybe_applied
    assert caught.value.__cause__ is NOT_SENT[failure]


@pytest.mark.parametrize("failure", SENT)
def test_a_write_without_a_whole_answer_may_have_been_applied(
    api: RequestsMock, wix: WixContacts, failure: str
) -> None:
    raised, kind = SENT[failure]
    api.post(URL, body=raised)
    with pytest.raises(OutcomeUnknownError) as caught:
        wix.contacts.create({})
    assert type(caught.value) is kind
    assert caught.value.retryable
    assert caught.value.maybe_applied
    assert len(api.calls) == 1


@pytest.mark.parametrize("failure", SENT)
def test_a_read_without_a_whole_answer_has_changed_nothing(
    api: RequestsMock, wix: WixContacts, failure: str
) -> None:
    api.post(f"{URL}/query", body=SENT[failure][0])
    with pytest.raises(OutcomeUnknownError) as caught:
        wix.contacts.query()
    assert not caught.value.maybe_applied


def test_a_failure_met_while_handling_an_earlier_one_is_judged_by_itself(
    api: RequestsMock, wix: WixContacts
) -> None:
    api.get(f"{URL}/a", body=NOT_SENT["refused"])
    api.post(URL, body=requests.ConnectionError(ProtocolError("aborted")))
    try:
        wix.contacts.get("a")
    except ConnectError:
        with pytest.raises(ConnectionLostError) as caught:
            wix.contacts.create({})
    assert caught.value.maybe_applied


Behave = Callable[[socket.socket, int], bool]
Serve = Callable[[Behave], tuple[str, list[bytes]]]
Write = Callable[[WixContacts], object]

BODY = b'{"contact": {"id": "a", "revision": 1}}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 39\r\n\r\n"
WRITES: dict[str, Write] = {
    "POST": lambda wix: wix.contacts.create({"company": "Barco"}),
    "PATCH": lambda wix: wix.contacts.update("a", 1, {"company": "Barco"}),
    "DELETE": lambda wix: wix.contacts.delete("a"),
}


def client(url: str, read: float = 10.0) -> WixContacts:
    return WixContacts(ApiKey("k", "s"), base_url=url, timeouts=(5, read))


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What a server that keeps us waiting waits for."""
    event = threading.Event()
    yield event
    event.set()


def close(connection: socket.socket, number: int) -> bool:
    return False


def reset(connection: socket.socket, number: int) -> bool:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def half_the_head(connection: socket.socket, number: int) -> bool:
    connection.sendall(OK[:25])
    return False


def half_the_body(connection: socket.socket, number: int) -> bool:
    connection.sendall(OK + BODY[:20])
    return False


def half_a_chunk(connection: socket.socket, number: int) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n27\r\n" + BODY[:9])
    return False


def half_the_body_of_an_error(connection: socket.socket, number: int) -> bool:
    connection.sendall(b"HTTP/1.1 409 Conflict\r\nContent-Length: 500\r\n\r\n" + b'{"details"')
    return False


CUTS = [close, reset, half_the_body, half_a_chunk, half_the_body_of_an_error]


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("cut", CUTS)
def test_a_write_that_is_cut_off_is_sent_once_and_its_outcome_is_unknown(
    serve: Serve, cut: Behave, method: str
) -> None:
    url, received = serve(cut)
    with client(url) as wix, pytest.raises(ConnectionLostError) as caught:
        WRITES[method](wix)
    assert caught.value.maybe_applied
    assert [request.split()[0] for request in received] == [method.encode()]


@pytest.mark.parametrize("method", WRITES)
def test_a_write_whose_answer_ends_inside_its_head_may_have_been_applied(
    serve: Serve, method: str
) -> None:
    """The standard library takes such a head for a whole one; the body then is missing."""
    url, received = serve(half_the_head)
    with client(url) as wix, pytest.raises(UnexpectedResponseError) as caught:
        WRITES[method](wix)
    assert caught.value.maybe_applied
    assert len(received) == 1


@pytest.mark.parametrize("method", WRITES)
def test_a_write_on_a_kept_connection_that_the_server_drops_is_sent_once(
    serve: Serve, method: str
) -> None:
    def answer_once(connection: socket.socket, number: int) -> bool:
        if number == 1:
            connection.sendall(OK + BODY)
        return number == 1

    url, received = serve(answer_once)
    with client(url) as wix:
        wix.contacts.get("a")
        with pytest.raises(ConnectionLostError):
            WRITES[method](wix)
    assert [request.split()[0] for request in received] == [b"GET", method.encode()]


@pytest.mark.parametrize("piece", [b"", OK[:25], OK, OK + BODY[:20]])
def test_an_answer_that_does_not_come_in_time_is_a_time_out(
    serve: Serve, released: threading.Event, piece: bytes
) -> None:
    def stall(connection: socket.socket, number: int) -> bool:
        connection.sendall(piece)
        released.wait(30)
        return False

    url, received = serve(stall)
    with client(url, read=0.2) as wix, pytest.raises(RequestTimeoutError) as caught:
        wix.contacts.create({})
    assert caught.value.maybe_applied
    assert len(received) == 1


def test_a_port_where_nobody_listens_is_a_failed_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with client(f"http://127.0.0.1:{port}") as wix, pytest.raises(ConnectError) as caught:
        wix.contacts.create({})
    assert not caught.value.maybe_applied


def test_a_name_that_does_not_resolve_is_a_failed_connection() -> None:
    with client("http://nowhere.invalid") as wix, pytest.raises(ConnectError):
        wix.contacts.create({})


def test_json_that_ends_early_although_the_length_fits_is_unexpected(serve: Serve) -> None:
    def truncated(connection: socket.socket, number: int) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + BODY[:20])
        return False

    url, received = serve(truncated)
    with client(url) as wix, pytest.raises(UnexpectedResponseError) as caught:
        wix.contacts.create({})
    assert caught.value.maybe_applied
    assert len(received) == 1


def test_a_gateways_page_is_a_server_error(serve: Serve) -> None:
    def gateway(connection: socket.socket, number: int) -> bool:
        page = b"<html><h1>502 Bad Gateway</h1></html>"
        head = f"HTTP/1.1 502 Bad Gateway\r\nContent-Length: {len(page)}\r\n\r\n"
        connection.sendall(head.encode() + page)
        return True

    url, received = serve(gateway)
    with client(url) as wix, pytest.raises(ServerError) as caught:
        wix.contacts.create({})
    assert caught.value.maybe_applied
    assert len(received) == 1


def test_a_redirect_of_a_real_server_is_not_followed(serve: Serve) -> None:
    def redirect(connection: socket.socket, number: int) -> bool:
        connection.sendall(
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        )
        return True

    url, received = serve(redirect)
    with client(url) as wix, pytest.raises(UnexpectedResponseError):
        wix.contacts.create({})
    assert len(received) == 1


WRONG: dict[str, bytes] = {
    "no HTTP": b"hello\r\n\r\n",
    "no status": b"HTTP/1.1 abc\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n{}x",
    "a length that is no number": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
    "a chunk that is no number": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n"
    ),
    "no gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    "a header too long": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000 + b"\r\n\r\n",
    "a location that cannot be parsed": (
        b"HTTP/1.1 307 Moved\r\nLocation: http://[x\r\nContent-Length: 0\r\n\r\n"
    ),
    "a location of another scheme": (
        b"HTTP/1.1 302 Moved\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"
    ),
    "a cookie that cannot be parsed": (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: \x00=;;=\r\nContent-Length: 0\r\n\r\n"
    ),
    "no text": b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00\xd8",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_answer_that_is_wrong_in_any_way_leaves_a_typed_error(serve: Serve, wrong: str) -> None:
    def answer(connection: socket.socket, number: int) -> bool:
        connection.sendall(WRONG[wrong])
        return False

    url, received = serve(answer)
    with client(url) as wix, pytest.raises(WixError) as caught:
        wix.contacts.create({})
    assert caught.value.maybe_applied
    assert caught.value.retryable
    assert len(received) == 1


def test_the_client_goes_on_after_a_cut(serve: Serve) -> None:
    def second_time_lucky(connection: socket.socket, number: int) -> bool:
        if number == 2:
            connection.sendall(OK + BODY)
        return number == 2

    url, _ = serve(second_time_lucky)
    with client(url) as wix:
        with pytest.raises(OutcomeUnknownError):
            wix.contacts.create({})
        assert wix.contacts.create({}).id == "a"
