"""The client against a real server that answers late, half or not at all."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from formapp.wix import (
    ApiKey,
    ConnectError,
    ConnectionLostError,
    OutcomeUnknownError,
    RequestTimeoutError,
    ServerError,
    UnexpectedResponseError,
    WixContacts,
    WixError,
)

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
