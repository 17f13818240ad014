"""The embedded server over real sockets: odd requests, stalled clients, and its end."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from formapp import server as module
from formapp.server import PortInUse, Server, listen
from tests.support.processes import Commands, end, free_port, wait_for
from tests.web.support import GOOD, KEY, LISTED, Page, Site, SiteMaker

Address = tuple[str, int]
STALLED = 300


class Running:
    """A site behind its server, in a thread."""

    def __init__(self, site: Site) -> None:
        listener = listen("127.0.0.1", 0)
        self.site = site
        self.address: Address = listener.getsockname()
        self.server = Server(site.app, listener)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def connect(self) -> socket.socket:
        """A connection of a client that is patient for two seconds."""
        return socket.create_connection(self.address, timeout=2)

    def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send bytes, and read the one answer to them."""
        with closing(self.connect()) as client:
            client.sendall(request)
            return answer(client)

    def stop(self) -> None:
        """End it as a signal does."""
        self.server.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()


def answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    with client.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers: dict[str, str] = {}
        while line := stream.readline().strip():
            name, _, value = line.decode("latin-1").partition(": ")
            headers[name.lower()] = value
        return status, headers, stream.read(int(headers.get("content-length", 0)))


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


def post(path: str, body: bytes, *headers: str, content_length: int | None = None) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(body) if content_length is None else content_length}",
        *headers,
    ]
    if not any(line.startswith("Content-Type") for line in headers):
        lines.append("Content-Type: application/x-www-form-urlencoded")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def good(site: Site) -> bytes:
    return urlencode(GOOD | {"_token": site.token()}).encode()


@pytest.fixture
def running(make_site: SiteMaker) -> Iterator[Running]:
    running = Running(make_site())
    yield running
    running.stop()


def test_a_page_is_got_and_sent_over_a_real_socket(running: Running) -> None:
    status, _, body = running.ask(get("/f/lead"))
    assert status == 200
    data = urlencode(GOOD | {"_token": Page(body.decode()).sent["_token"]}).encode()
    status, headers, _ = running.ask(post("/f/lead", data))
    assert (status, headers["location"]) == (303, "/f/lead/thanks")
    assert running.site.row().answers["name"] == "Ada Lovelace"


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_a_slash_too_many_is_answered_without_a_redirect(running: Running, slashes: str) -> None:
    request = (
        f"OPTIONS {slashes}f/lead HTTP/1.1\r\nHost: localhost\r\nOrigin: {LISTED}\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n"
    ).encode()
    status, headers, _ = running.ask(request)
    assert (status, headers["access-control-allow-origin"]) == (204, LISTED)
    status, headers, body = running.ask(
        post(
            f"{slashes}f/lead",
            json.dumps(GOOD).encode(),
            f"Origin: {LISTED}",
            "Accept: application/json",
            "Content-Type: application/json",
        )
    )
    assert (status, headers["access-control-allow-origin"]) == (200, LISTED)
    assert json.loads(body)["ok"] is True


def test_a_chunked_body_is_read_and_limited(running: Running) -> None:
    def chunked(body: bytes) -> bytes:
        head = post("/f/lead", b"", "Transfer-Encoding: chunked").replace(
            b"Content-Length: 0\r\n", b""
        )
        return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)

    assert running.ask(chunked(good(running.site)))[0] == 303
    assert running.ask(chunked(b"x" * 65_537))[0] == 413


# What is refused before it reaches the app
REFUSED = {
    "far too large": (post("/f/lead", b"", content_length=5_000_000), 413),
    "no length": (b"POST /f/lead HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n", 400),
    "no header": (b"GET /f/lead HTTP/1.1\r\nHost localhost\r\n", 400),
    "long header": (b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000 + b"\r\n", 431),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("wants_json", [True, False])
def test_what_the_server_refuses_itself_is_in_the_callers_format(
    running: Running, name: str, *, wants_json: bool
) -> None:
    request, status = REFUSED[name]
    head, _, body = request.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    accept = b"Accept: application/json\r\n" if wants_json else b""
    if name == "long header":
        accept = b""  # nothing of such a head is read
        wants_json = False
    found, headers, content = running.ask(
        first + b"\r\n" + accept + rest.rstrip(b"\r\n") + b"\r\n\r\n" + body
    )
    assert found == status
    if wants_json and name != "no header":
        assert json.loads(content)["error"]
        assert json.loads(content)["errors"][0]["message"]
    elif headers["content-type"] == "text/html; charset=utf-8":
        assert b"<h1>" in content
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET / HTTP/1.0\r\n\r\n",
        b"\r\n\r\nGET /f/lead HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/f/lead HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /f/lead?%00%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /f/lead HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET /f/lead HTTP/1.1\r\nHost: a..b\r\n\r\n",
        b"GET /f/lead HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        b"FOO /f/lead HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
def test_no_request_makes_a_defect(running: Running, request_line: bytes) -> None:
    assert running.ask(request_line)[0] < 500
    assert running.ask(get("/f/lead"))[0] == 200


def test_hundreds_of_stalled_clients_keep_nobody_waiting(running: Running) -> None:
    body = good(running.site)
    with ExitStack() as stalled:
        for number in range(2 * STALLED):
            client = stalled.enter_context(closing(running.connect()))
            if number % 2:
                client.sendall(b"POST /f/lead HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            else:
                client.sendall(post("/f/lead", b"name=", content_length=1000))
        for request, expected in ((get("/f/lead"), 200), (post("/f/lead", body), 303)):
            began = time.monotonic()
            assert running.ask(request)[0] == expected
            assert time.monotonic() - began < 2
        # Nor do they keep the server from ending, once nothing more comes of them.
        began = time.monotonic()
        running.stop()
        assert time.monotonic() - began < 8


def test_a_request_that_is_still_arriving_is_answered_at_the_end(running: Running) -> None:
    request = post("/f/lead", good(running.site))
    with closing(running.connect()) as client:
        client.sendall(request[:-20])
        eventually_seen(running)
        running.server.stop()
        client.sendall(request[-20:])
        assert answer(client)[0] == 303
    running.stop()
    assert len(running.site.rows()) == 1


def eventually_seen(running: Running) -> None:
    """Wait until the server has read the beginning of a request."""
    deadline = time.monotonic() + 5
    while not any(c.request for c in list(running.server._server.active_channels.values())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_request_that_the_app_works_on_is_answered_at_the_end(make_site: SiteMaker) -> None:
    site = make_site()
    entered, go_on = threading.Event(), threading.Event()

    @site.app.before_request
    def wait() -> None:
        entered.set()
        go_on.wait(10)

    running = Running(site)
    try:
        with closing(running.connect()) as client:
            client.sendall(post("/f/lead", good(site)))
            assert entered.wait(5)
            running.server.stop()
            with pytest.raises(OSError, match=r"refused|timed out|reset"):
                running.ask(get("/healthz"))
            go_on.set()
            assert answer(client)[0] == 303
    finally:
        go_on.set()
        running.stop()
    assert len(site.rows()) == 1


def test_connections_leave_files_to_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {1024: 768, 400: 200, 100_000: 3000, module.resource.RLIM_INFINITY: 3000}
    for files, connections in expected.items():
        monkeypatch.setattr(module.resource, "getrlimit", lambda _what, n=files: (n, n))
        assert module._connections() == connections


def test_a_port_in_use_is_told_in_one_line() -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"^127\.0\.0\.1:{port} can't be listened on: "):
            listen("127.0.0.1", port)
    with pytest.raises(PortInUse):
        listen("127.0.0.1", 99_999)
    with pytest.raises(PortInUse):
        listen("no such host.invalid", 0)


# As a process


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    commands = Commands(tmp_path)
    yield commands
    commands.close()


def test_a_process_answers_what_is_under_way_and_ends_with_0(
    commands: Commands, tmp_path: Path
) -> None:
    port = free_port()
    base = f"http://localhost:{port}"
    process = commands.start(
        "serve", "--no-worker", "--port", str(port),
        SECRET_KEY=KEY, BASE_URL=base, DATABASE_URL=f"sqlite:///{tmp_path / 'leads.db'}",
    )  # fmt: skip
    wait_for(f"http://127.0.0.1:{port}/readyz")
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as client:
        client.sendall(get("/f/newsletter?utm_source=canary7f3a").replace(b"close", b"keep-alive"))
        token = Page(answer(client)[2].decode()).sent["_token"]
        answers = {"email": "canary7f3a@example.com", "privacy": "yes", "_token": token}
        request = post("/f/newsletter", urlencode(answers).encode())
        client.sendall(request[:-5])
        began = time.monotonic()
        process.terminate()
        client.sendall(request[-5:])
        status, headers, _ = answer(client)
    assert (status, headers.get("location")) in {(303, "/f/newsletter/thanks"), (422, None)}
    assert end(process) == 0
    assert time.monotonic() - began < 30
    log = (tmp_path / "serve.log").read_text()
    assert "canary7f3a" not in log
    assert "Traceback" not in log
    assert re.search(r"serving contact, newsletter, quote at http://localhost:\d+/f/", log)
