"""The server: connections, bodies and its end."""

from __future__ import annotations

import http.client
import socket
import time
from typing import Any

import pytest
import requests

from formapp.sandbox import SandboxServer, server

C = "/contacts/v4/contacts"


def test_a_connection_is_kept_alive_over_errors_and_unread_bodies(http: Any) -> None:
    connection = http_connection(http)
    headers = {"Content-Type": "application/json"}
    for _ in range(3):
        connection.request("POST", C, b'{"info": {}}', headers)
        answer = connection.getresponse()
        assert answer.status == 401
        answer.read()
        first = connection.sock
        connection.request("GET", "/nothing")
        answer = connection.getresponse()
        assert answer.status == 404
        answer.read()
        assert connection.sock is first
    connection.close()


def http_connection(http: Any) -> http.client.HTTPConnection:
    return http_client(http.server.host, http.server.port)


def http_client(host: str, port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(host, port, timeout=10)


def test_a_chunked_request_is_understood(http: Any) -> None:
    def parts() -> Any:
        yield b'{"info": {"name": '
        yield b'{"first": "Ines"}}}'

    answer = http.session.post(http.url + C, data=parts(), timeout=10)
    assert answer.status_code == 200
    assert http.call("GET", C).json()["pagingMetadata"]["total"] == 1


def test_a_head_request_has_no_body_and_keeps_the_connection(http: Any) -> None:
    answer = http.session.head(http.url + "/", timeout=10)
    assert answer.status_code == 200
    assert answer.content == b""
    assert http.call("GET", C).status_code == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /contacts/v4/contacts HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"POST /contacts/v4/contacts HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
    ],
)
def test_nonsense_on_the_wire_is_refused(http: Any, head: bytes, status: bytes) -> None:
    with socket.create_connection((http.server.host, http.server.port), timeout=10) as wire:
        wire.sendall(head)
        assert status in wire.makefile("rb").readline()


def test_an_announced_body_that_is_too_large_is_refused(http: Any) -> None:
    with socket.create_connection((http.server.host, http.server.port), timeout=10) as wire:
        wire.sendall(b"POST /oauth2/token HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n")
        assert b"413" in wire.makefile("rb").readline()


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET /contacts/v4/contacts HTTP/1.1\r\nX: ",
        b"POST /oauth2/token HTTP/1.1\r\nContent-Length: 1000\r\n\r\n",
        b"POST /oauth2/token HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
    ],
)
def test_a_request_that_does_not_become_complete_ends(
    http: Any, begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.5)
    with socket.create_connection((http.server.host, http.server.port), timeout=0.1) as wire:
        wire.sendall(begin)
        for _ in range(80):
            try:
                wire.sendall(b"x")
                if not wire.recv(1000):
                    return
            except TimeoutError:
                continue
            except OSError:
                return
    pytest.fail("the connection is still open")


def test_each_request_of_a_connection_has_time_of_its_own(
    http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.5)
    connection = http_connection(http)
    for _ in range(2):
        connection.request("GET", "/nothing")
        assert connection.getresponse().read()
        time.sleep(0.6)
    connection.close()


def test_the_server_serves_any_wsgi_application_and_logs_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"no ", b"length"]

    with SandboxServer(application) as server:
        answer = requests.get(f"{server.url}/?secret=1", timeout=10)
    assert answer.text == "no length"
    assert answer.headers["Connection"] == "close"
    assert capfd.readouterr() == ("", "")


def test_a_stopped_server_ends_its_connections(http: Any) -> None:
    assert http.call("GET", C).status_code == 200
    assert not http.server.wait(0)
    http.server.stop()
    http.server.stop()
    assert http.server.wait(0)
    with pytest.raises(requests.ConnectionError):
        http.call("GET", C)


def test_a_port_in_use_is_an_os_error(http: Any) -> None:
    with pytest.raises(OSError, match="in use"):
        SandboxServer(http.app, port=http.server.port)
