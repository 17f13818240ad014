"""The embedded server over real sockets: ordinary and odd requests."""

import json
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from formapp import request_parser, server
from formapp.cli.wiring import listening_on
from formapp.server import _connections, listen
from tests.web.pages import Page
from tests.web.running import Running, answer, get, good, post
from tests.web.support import GOOD, LISTED, SiteMaker

_MIB = 1024 * 1024


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
    assert running.ask(chunked(b"x" * 1_048_577))[0] == 413


# What is refused before it reaches the app
REFUSED = {
    "far too large": (post("/f/lead", b"", content_length=50_000_000), 413),
    "no length": (b"POST /f/lead HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n", 400),
    "no header": (b"GET /f/lead HTTP/1.1\r\nHost localhost\r\n", 400),
    "no address": (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n", 400),
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
        b"POST /f/lead HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: odd\r\n\r\n",
    ],
)
def test_no_request_makes_a_defect(running: Running, request_line: bytes) -> None:
    assert running.ask(request_line)[0] < 500
    assert running.ask(get("/f/lead"))[0] == 200


HEAD = b"GET /f/lead HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"POST /f/lead HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
# Waitress's regular expressions take seconds on the first five, in the thread of all connections.
REFUSED_HEADS = {
    "blanks and a control character": HEAD + b"X:" + b" " * 16_000 + b"\x01\r\n\r\n",
    "tabs and a control character": HEAD + b"X:" + b"\t" * 16_000 + b"a\x7f\r\n\r\n",
    "an address of digits": b"GET a://" + b"1" * 16_000 + b" x\r\n\r\n",
    "a folded header": HEAD + b"X:" + b"\r\n " * 5000 + b"\r\n a\x01\r\n\r\n",
    "more than 16 KiB": HEAD + b"X: " + b"x" * 17_000 + b"\r\n\r\n",
    "blank lines alone": b"\r\n\r\n",
    "a line end after a chunk's size": CHUNKED + b"\r\n11\n\r\n",
    "a line end alone": CHUNKED + b"\r\n1\na\r\n0\r\n\r\n",
    "a blank line for a chunk's size": CHUNKED + b"\r\n\r\n1\r\na\r\n0\r\n\r\n",
    "a chunk that is too long": CHUNKED + b"\r\n1\r\nab\r\n0\r\n\r\n",
    "a chunk's size without end": CHUNKED + b"\r\n1;" + b"a" * 2000,
    "no coding": CHUNKED.replace(b" chunked", b"") + b"\r\n",
    "a coding twice": CHUNKED.replace(b"chunked", b"chunked, chunked") + b"\r\n0\r\n\r\n",
    "a coding in two headers": CHUNKED + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding of HTTP/1.0": CHUNKED.replace(b"/1.1", b"/1.0") + b"\r\n0\r\n\r\n",
    "a trailer without end": CHUNKED + b"\r\n0\r\n" + b"a: b\r\n" * 6000,
}


@pytest.mark.parametrize("name", REFUSED_HEADS)
def test_odd_heads_and_chunks_are_refused_at_once(running: Running, name: str) -> None:
    began = time.monotonic()
    assert running.ask(REFUSED_HEADS[name])[0] in {400, 431}
    assert running.ask(get("/f/lead"))[0] == 200
    assert time.monotonic() - began < 1


def test_blanks_before_a_header_take_no_time(running: Running) -> None:
    began = time.monotonic()
    assert running.ask(HEAD + b"X:" + b" " * 16_000 + b"a\r\n\r\n")[0] == 200
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("pieces", [1, 3, 1000])
def test_chunks_are_read_however_they_arrive(running: Running, pieces: int) -> None:
    body = good(running.site)
    chunks = [body[at : at + 10] for at in range(0, len(body), 10)]
    sent = b"".join(b"%X;a=b\r\n%b\r\n" % (len(each), each) for each in chunks)
    head = CHUNKED + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    request = head + sent + b"0\r\nX-Trailer: a\r\n\r\n"
    with closing(running.connect()) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(request), pieces):
            client.sendall(request[at : at + pieces])
        assert answer(client)[0] == 303
    assert running.site.row().answers["name"] == "Ada Lovelace"


def test_a_length_beside_chunks_ends_the_connection(running: Running) -> None:
    request = CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n"
    with closing(running.connect()) as client:
        client.sendall(request + HEAD + b"\r\n")
        status, headers, _ = answer(client)
        assert (status, headers["connection"]) == (415, "close")
        assert client.recv(1) == b""


def clean_up_often(running: Running) -> None:
    """Have the server look after its connections ten times in a second, from now on."""
    running.server.adj.cleanup_interval = 0.1
    running.server.next_channel_cleanup = 0


@pytest.mark.parametrize("begin", [HEAD, post("/f/lead", b"a", content_length=1000), b""])
def test_a_request_that_does_not_become_complete_ends(
    running: Running, begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_parser, "REQUEST_SECONDS", 0.5)
    clean_up_often(running)
    with closing(running.connect()) as client:
        client.sendall(begin)
        assert _ends(client, b"x" if begin else b"\r\n")


def test_a_client_that_reads_no_answer_is_dropped(running: Running) -> None:
    running.server.adj.channel_timeout = 0.5
    running.server.adj.outbuf_high_watermark = 100_000  # beyond, it answers no further request
    clean_up_often(running)
    with closing(running.connect()) as client:
        with suppress(OSError):
            client.settimeout(0)
            for _ in range(100):
                client.sendall((HEAD + b"\r\n") * 100)
        until = time.monotonic() + 8
        while not client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            assert time.monotonic() < until
            time.sleep(0.1)
    assert running.ask(get("/f/lead"))[0] == 200


MULTIPART = "Content-Type: multipart/form-data; boundary=b"


def test_a_far_too_large_post_gets_our_page_with_a_way_back(running: Running) -> None:
    from_listed = (MULTIPART, f"Origin: {LISTED}", f"Referer: {LISTED}/contact")
    request = post("/f/lead", b"", *from_listed, content_length=50_000_000)
    status, headers, body = running.ask(request)
    assert (status, headers["connection"]) == (413, "close")
    page = Page(body.decode())
    assert "Your file is too large" in page.text
    assert [a["href"] for _, a in page.tags if a.get("class") == "back"] == [f"{LISTED}/contact"]


def test_a_script_can_read_why_a_far_too_large_post_was_refused(running: Running) -> None:
    headers = (MULTIPART, f"Origin: {LISTED}", "Accept: application/json", "Expect: 100-continue")
    request = post("/f/lead", b"", *headers, content_length=50_000_000)
    status, got, body = running.ask(request)
    assert (status, got["access-control-allow-origin"]) == (413, LISTED)
    assert json.loads(body)["errors"][0]["code"] == "TOO_LARGE"


@pytest.mark.parametrize("address", ["/", "/healthz", "/f/lead/confirm", "/f/lead/thanks"])
def test_a_far_too_large_post_to_any_address_makes_no_defect(
    running: Running, address: str
) -> None:
    assert 400 <= running.ask(post(address, b"", content_length=50_000_000))[0] < 500
    assert running.ask(get("/f/lead"))[0] == 200


@pytest.mark.parametrize("chunked", [True, False])
def test_a_client_that_goes_on_sending_still_gets_the_refusal(
    running: Running, *, chunked: bool
) -> None:
    size = 16 * 1024 * 1024
    head = post("/f/lead", b"", content_length=size)
    if chunked:
        kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
        head = CHUNKED + kind + b"\r\n%x\r\n" % size
    with closing(running.connect()) as client:
        client.settimeout(20)
        client.sendall(head + b"x" * size)
        assert answer(client)[0] == 413
        assert client.recv(1) == b""


def test_what_is_read_past_ends_with_the_time_for_a_request(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_parser, "REQUEST_SECONDS", 0.5)
    clean_up_often(running)
    with closing(running.connect()) as client:
        client.sendall(post("/f/lead", b"", content_length=50_000_000))
        assert answer(client)[0] == 413
        for _ in range(80):
            try:
                client.sendall(b"x" * 1000)
            except OSError:
                break
            time.sleep(0.1)
        else:
            pytest.fail("the connection is still open")


def test_large_bodies_beyond_the_room_for_them_are_refused(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_parser, "MAX_BODIES", 4 * 1024 * 1024)
    running = Running(make_site())
    whole, small = post("/f/lead", b"x" * 3_000_000), post("/f/lead", good(running.site))
    try:
        with closing(running.connect()) as client:
            client.sendall(post("/f/lead", b"x" * 3_000_000, content_length=10_000_000))
            until = time.monotonic() + 20
            while (answered := running.ask(whole))[0] == 413:
                assert time.monotonic() < until, "the other connection's bytes don't count"
            assert (answered[0], answered[1]["retry-after"]) == (503, "60")
            assert running.ask(small)[0] == 303
        for _ in range(3):
            while running.ask(whole)[0] == 503:
                assert time.monotonic() < until, "the room isn't given back"
    finally:
        running.stop()


def _ends(client: socket.socket, drip: bytes) -> bool:
    """Send these bytes ten times a second, and see whether the server ends the connection."""
    client.settimeout(0.1)
    for _ in range(80):
        try:
            client.sendall(drip)
            if not client.recv(1000):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


@pytest.mark.parametrize(
    ("counts", "has_many"),
    [
        ([5], False),
        ([3, 0], True),
        ([2, 0], False),
        ([0, 9], False),
        ([12, 8, 30], True),
        ([10, 8, 30], False),
        ([100, 80], False),
        ([101, 80], True),
    ],
)
def test_a_process_knows_whether_it_has_more_connections_than_another(
    counts: list[int], *, has_many: bool
) -> None:
    assert server.Connections(counts).has_many() is has_many


def test_connections_leave_files_to_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {1024: 768, 400: 200, 100_000: 3000, resource.RLIM_INFINITY: 3000}
    for files, connections in expected.items():
        monkeypatch.setattr(resource, "getrlimit", lambda _what, n=files: (n, n))
        assert _connections() == connections


def test_an_address_that_is_taken_or_unknown_is_reported_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wrong = [("127.0.0.1", port), ("127.0.0.1", 99_999), ("no such host.invalid", 0)]
        for host, number in wrong:
            with pytest.raises(SystemExit, match="1"), listening_on(host, number):
                listen(host, number)
            told = capsys.readouterr().err
            assert re.fullmatch(rf"formapp: {host}:{number} can't be listened on: .+\n", told)


@pytest.fixture
def with_limits(make_site: SiteMaker) -> Iterator[Running]:
    running = Running(make_site(), {"/f/lead": 14 * _MIB})
    yield running
    running.stop()


@pytest.mark.parametrize(
    ("path", "size", "waits"),
    [
        ("/f/lead", 13 * _MIB, True),
        ("//f/lead/", 13 * _MIB, True),
        ("/f/lead", 14 * _MIB, False),
        ("/f/other", 13 * _MIB, False),
    ],
)
def test_a_path_may_take_larger_bodies_than_others(
    with_limits: Running, path: str, size: int, *, waits: bool
) -> None:
    head = post(path, b"", "Expect: 100-continue", content_length=size)
    with closing(with_limits.connect()) as client:
        client.sendall(head)
        first = client.recv(100).split()[1]
    assert (first == b"100") is waits


def test_a_chunked_body_is_refused_while_it_comes(with_limits: Running) -> None:
    head = post("/f/other", b"", "Transfer-Encoding: chunked")
    chunk = b"%x\r\n%b\r\n" % (_MIB, b"x" * _MIB)
    with closing(with_limits.connect()) as client:
        client.sendall(head.replace(b"Content-Length: 0\r\n", b""))
        for _ in range(12):
            client.sendall(chunk)
        assert answer(client)[0] == 413


def test_a_body_that_comes_steadily_may_take_longer() -> None:
    parser = request_parser.Parser(
        SimpleNamespace(bodies=request_parser.Bodies([0]), body_limits={})
    )
    at_first = parser.deadline
    parser.body_bytes_received = 64 * 1024 * 1024
    assert parser.deadline - at_first == pytest.approx(64 * 1024 * 1024 / request_parser.SLOWEST)
    parser.close()
