"""Every outgoing call ends at its deadline, however steadily the other side drips."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from formapp import http
from formapp.cli.doctor.installation import fetch
from formapp.delivery import sites
from formapp.delivery.sites import Site
from formapp.mail.message import Message
from formapp.mail.smtp import MailError, MailUncertainError, SmtpMailer
from formapp.monitoring.alerts import Alert, post_alert
from formapp.wix import ApiKey, WixError
from formapp.wix.errors import OutcomeUnknownError

SECONDS = 0.5
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ALERT = Alert("failed", "main", "open", "a lead", datetime.now(UTC))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield listening


def drip(listener: socket.socket, first: bytes, then: bytes) -> str:
    """Answer each connection, then send a byte ten times a second; return host and port."""

    def serve() -> None:
        try:
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()
        except OSError:
            return

    def answer(connection: socket.socket) -> None:
        with closing(connection):
            try:
                connection.sendall(first)
                for _ in range(150):
                    connection.sendall(then)
                    time.sleep(0.1)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    return f"127.0.0.1:{listener.getsockname()[1]}"


def call_wix(place: str) -> None:
    site = Site("main", ApiKey("key", "site"), 200, base_url=f"http://{place}")
    with site.connect(lambda _: None, lambda _: None) as wix:
        wix.contacts.get("00000000-0000-4000-8000-000000000001")


def send_mail(place: str) -> None:
    message = Message("a@example.com", ("b@example.com",), "subject", "text")
    SmtpMailer(f"smtp://{place}", total_seconds=SECONDS).send(message)


def send_mail_by_tls(place: str) -> None:
    message = Message("a@example.com", ("b@example.com",), "subject", "text")
    SmtpMailer(f"smtps://{place}", total_seconds=SECONDS).send(message)


CALLS: dict[str, Callable[[str], object]] = {
    "Wix": call_wix,
    "webhook": lambda place: post_alert(f"http://{place}/", ALERT),
    "webhook by TLS": lambda place: post_alert(f"https://{place}/", ALERT),
    "challenge": lambda place: http.post(f"http://{place}/", data={"response": "x"}),
    "doctor": lambda place: fetch(f"http://{place}/"),
    "mail": send_mail,
    "mail by TLS": send_mail_by_tls,
}
# A TLS record of 16 KiB that never ends, for the calls by TLS.
DRIPS = {
    "a head": (HEAD + b"X: ", b"x"),
    "a body": (HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
    "a body up to the end": (HEAD + b"Connection: close\r\n\r\n{", b" "),
    "a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n", b" "),
    "a greeting": (b"220", b"-"),
    "a handshake": (b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x00"),
}


@pytest.mark.parametrize("drips", DRIPS)
@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_drips_holds_nobody(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, call: str, drips: str
) -> None:
    monkeypatch.setattr(http, "DEADLINE", SECONDS)
    place = drip(listener, *DRIPS[drips])
    began = time.monotonic()
    if call == "doctor":
        assert CALLS[call](place) is None or drips == "a greeting"
    else:
        with pytest.raises((http.NoResponseError, WixError, MailError, ssl.SSLError)):
            CALLS[call](place)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("call", CALLS)
def test_a_name_server_that_is_slow_holds_nobody(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(http, "DEADLINE", SECONDS)
    answered = threading.Event()
    look_up = socket.getaddrinfo

    def slowly(*args: Any, **options: Any) -> Any:
        answered.wait(20)
        return look_up(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    place = f"127.0.0.1:{listener.getsockname()[1]}"
    began = time.monotonic()
    try:
        if call == "doctor":
            assert CALLS[call](place) is None
        else:
            with pytest.raises((http.NoResponseError, WixError, MailError)) as raised:
                CALLS[call](place)
            # Nothing was sent, so it may be sent again.
            assert not isinstance(raised.value, MailUncertainError | OutcomeUnknownError)
        assert time.monotonic() - began < 5
    finally:
        answered.set()
    # A connection that comes too late is closed again.
    listener.settimeout(5)
    late, _ = listener.accept()
    with closing(late):
        late.settimeout(5)
        assert late.recv(1) == b""


@pytest.mark.parametrize("length", ["Content-Length: 99999999", "Connection: close"])
def test_no_more_is_read_of_wix_than_its_limit(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, length: str
) -> None:
    monkeypatch.setattr(sites, "MAX_RESPONSE", 1000)
    place = drip(listener, HEAD + length.encode() + b"\r\n\r\n{" + b" " * 100_000, b" ")
    began = time.monotonic()
    with pytest.raises(WixError, match="unexpected response"):
        call_wix(place)
    assert time.monotonic() - began < 5


def test_a_connection_is_used_again_under_the_next_deadline(listener: socket.socket) -> None:
    body = b'{"contact": {"id": "1", "revision": 1}}'
    answer = HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    accepted: list[socket.socket] = []

    def serve() -> None:
        connection, _ = listener.accept()
        accepted.append(connection)
        with closing(connection):
            while b"\r\n\r\n" in connection.recv(10_000):
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    place = f"127.0.0.1:{listener.getsockname()[1]}"
    site = Site("main", ApiKey("key", "site"), 200, base_url=f"http://{place}")
    with site.connect(lambda _: None, lambda _: None) as wix:
        for _ in range(3):
            assert wix.contacts.get("1").id == "1"
    assert len(accepted) == 1
