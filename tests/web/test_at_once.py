"""What the server's own thread answers, as greenlets, and what it leaves to the pool."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from flask import request

from formapp import server
from formapp.server import MAX_AT_ONCE
from formapp.waiting import before_poll
from tests.support.processes import eventually
from tests.web.running import Running, answer, get, good, post
from tests.web.support import LISTED, SiteMaker, locked


@pytest.fixture
def threads(make_site: SiteMaker) -> Iterator[tuple[Running, dict[str, int]]]:
    """A server with a form that takes files, and by which thread each path was answered last."""
    site = make_site()
    seen: dict[str, int] = {}

    def note() -> None:
        seen[request.path] = threading.get_ident()

    site.app.before_request(note)
    running = Running(site)
    yield running, seen
    running.stop()


def _head(path: str) -> bytes:
    return get(path).replace(b"GET", b"HEAD")


def _preflight(path: str) -> bytes:
    origin = f"Origin: {LISTED}\r\nAccess-Control-Request-Method: POST".encode()
    return get(path).replace(b"GET", b"OPTIONS").replace(b"Connection", origin + b"\r\nConnection")


def _of(size: int) -> bytes:
    return post("/f/lead", b"message=" + b"x" * (size - len("message=")))


AT_ONCE = {
    "page": get("/f/lead"),
    "page with a query": get("/f/lead?utm_source=a&lang=de"),
    "head": _head("/f/lead"),
    "frame": get("/f/lead/embed"),
    "thanks": get("/f/lead/thanks"),
    "another spelling": get("/f/lead/"),
    "page of a form with files": get("/f/roof"),
    "post": post("/f/lead", b"email=ada%40example.com"),
    "preflight": _preflight("/f/lead"),
    "body at the limit": _of(MAX_AT_ONCE),
}
BY_THE_POOL = {
    "health": get("/healthz"),
    "style sheet": get("/static/form.css"),
    "no such form": get("/f/nobody"),
    "nothing of a form": get("/f/lead/theme.css"),
    "post with files": post("/f/roof", b"email=ada%40example.com"),
    "body over the limit": _of(MAX_AT_ONCE + 1),
    "chunks over the limit": post("/f/lead", b"", "Transfer-Encoding: chunked").replace(
        b"Content-Length: 0\r\n", b""
    )
    + b"%x\r\n%b\r\n0\r\n\r\n" % (MAX_AT_ONCE + 1, b"x" * (MAX_AT_ONCE + 1)),
}


@pytest.mark.parametrize("name", [*AT_ONCE, *BY_THE_POOL])
def test_each_request_is_answered_by_its_thread(
    threads: tuple[Running, dict[str, int]], name: str
) -> None:
    running, seen = threads
    with closing(running.connect()) as client:
        client.sendall({**AT_ONCE, **BY_THE_POOL}[name])
        assert client.recv(12).startswith(b"HTTP/1.1 ")
    [by] = seen.values()
    assert (by == running.thread.ident) is (name in AT_ONCE)


@pytest.mark.parametrize("gathers", [False, True])
def test_a_lone_post_is_answered_at_once(make_site: SiteMaker, *, gathers: bool) -> None:
    site = make_site()
    running = Running(site, gathers=gathers)
    took = []
    for _ in range(3):
        began = time.monotonic()
        assert running.ask(post("/f/lead", good(site)))[0] == 303
        took.append(time.monotonic() - began)
    running.stop()
    assert min(took) < 0.5  # the server looks once a second even if nothing wakes it


def test_posts_that_wait_keep_no_page_waiting(running: Running) -> None:
    site = running.site
    with ExitStack() as stack:
        with locked(site):
            clients = [stack.enter_context(closing(running.connect())) for _ in range(40)]
            for client in clients:
                client.sendall(post("/f/lead", good(site)))
            began = time.monotonic()
            for path in ("/f/lead", "/f/lead/embed", "/healthz"):
                assert running.ask(get(path))[0] == 200
            assert time.monotonic() - began < 1
            assert _silent(clients[0])
        assert [answer(client)[0] for client in clients] == [303] * 40
    assert len(site.rows()) == 40


def test_more_posts_than_threads_wait_with_one_that_is_repeated(running: Running) -> None:
    site = running.site
    sent = good(site)
    assert running.ask(post("/f/lead", sent))[0] == 303
    large = [good(site) + b"&other=" + b"x" * MAX_AT_ONCE for _ in range(server.THREADS + 4)]
    with ExitStack() as stack:
        with locked(site):
            clients = [stack.enter_context(closing(running.connect())) for _ in range(21)]
            # A commit of its own tells what is new in a batch from what is repeated.
            clients[0].sendall(post("/f/lead", sent))
            for client, body in zip(clients[1:], large, strict=True):
                client.sendall(post("/f/lead", body))
            eventually(lambda: sum(bool(each.requests) for each in _channels(running)) == 21)
            time.sleep(0.2)
        for client in clients:
            client.settimeout(10)
        assert [answer(client)[0] for client in clients] == [303] * 21
    assert len(site.rows()) == 21


def _silent(client: socket.socket) -> bool:
    client.settimeout(0)
    try:
        client.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        client.settimeout(5)


def test_a_visitor_who_leaves_while_the_post_waits_costs_neither_lead_nor_others(
    running: Running,
) -> None:
    site = running.site
    with closing(running.connect()) as stays:
        with locked(site), closing(running.connect()) as leaves:
            leaves.sendall(post("/f/lead", good(site)))
            stays.sendall(post("/f/lead", good(site)))
            eventually(lambda: len(running.server.active_channels) == 2)
            assert running.ask(get("/healthz"))[0] == 200
        assert answer(stays)[0] == 303
    eventually(lambda: len(site.rows()) == 2)
    assert running.ask(get("/f/lead"))[0] == 200


def test_requests_of_one_connection_are_answered_in_order(running: Running) -> None:
    refused = _of(100)  # which is counted by another thread
    wanted = [get("/healthz"), get("/f/lead"), refused, get("/f/lead/embed"), get("/readyz")] * 4
    line = b"".join(each.replace(b"Connection: close\r\n", b"") for each in wanted)
    with closing(running.connect()) as client, client.makefile("rb") as stream:
        client.sendall(line)
        client.settimeout(20)
        statuses = []
        for _ in wanted:
            statuses.append(int(stream.readline().split()[1]))
            length = 0
            while text := stream.readline().strip():
                if text.lower().startswith(b"content-length:"):
                    length = int(text.split(b":")[1])
            stream.read(length)
    assert statuses == [200, 200, 403, 200, 200] * 4


def test_a_client_that_asks_much_and_reads_nothing_keeps_nobody_waiting(running: Running) -> None:
    running.server.adj.outbuf_high_watermark = 64 * 1024
    channels = running.server.active_channels
    with closing(running.connect()) as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        eventually(lambda: len(channels) == 1)
        [channel] = channels.values()
        channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1024)
        greedy.sendall(get("/f/lead").replace(b"Connection: close\r\n", b"") * 100)
        eventually(lambda: channel.total_outbufs_len > 64 * 1024)
        for _ in range(3):
            assert running.ask(get("/f/lead"))[0] == 200


def test_a_view_that_fails_costs_its_own_request(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: str) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(running.site.app.view_functions, "forms.embed", fail)
    assert running.ask(get("/f/lead/embed"))[0] == 500
    assert running.ask(get("/f/lead"))[0] == 200


def test_a_commit_that_outlasts_the_server_writes_into_no_other_file(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server, "DRAIN_SECONDS", 0.3)
    running = Running(make_site())
    site = running.site
    content = b"SQLite format 3\0"
    with closing(running.connect()) as client, ExitStack() as files:
        with locked(site):
            client.sendall(post("/f/lead", good(site)))
            eventually(lambda: any(each.requests for each in _channels(running)))
            running.stop()
            # These have the numbers that the server's have had.
            for number in range(20):
                path = tmp_path / f"other{number}"
                path.write_bytes(content)
                files.enter_context(path.open("r+b", buffering=0))
        eventually(lambda: len(site.rows()) == 1)
        time.sleep(0.1)
    assert {path.read_bytes() for path in tmp_path.glob("other*")} == {content}


def _channels(running: Running) -> list[Any]:
    return list(running.server.active_channels.values())


def test_many_posts_at_once_take_turns_with_other_requests(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_BEGUN", 2)
    site = running.site
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(running.connect())) for _ in range(9)]
        for client in clients:
            client.sendall(post("/f/lead", good(site)))
        assert [answer(client)[0] for client in clients] == [303] * 9
    assert len(site.rows()) == 9


@pytest.mark.parametrize(("gathers", "begun"), [(True, [2, 4]), (False, [1, 2, 3, 4])])
def test_what_is_done_together_waits_for_one_more_look_and_no_longer(
    make_site: SiteMaker, begun: list[int], *, gathers: bool
) -> None:
    site = make_site()
    running = Running(site, gathers=gathers)
    requests, seen = count(1), [0]
    calls: list[int] = []

    def call() -> None:
        calls.append(seen[-1])

    with ExitStack() as stack:
        clients = [stack.enter_context(closing(running.connect())) for _ in range(4)]
        stack.callback(running.stop)
        following = iter(clients)

        def begin() -> None:
            seen.append(next(requests))
            before_poll(call)
            # It arrives before the following look.
            for client in islice(following, 1):
                client.sendall(get("/f/lead"))

        site.app.before_request(begin)
        eventually(lambda: len(_channels(running)) == len(clients))
        next(following).sendall(get("/f/lead"))
        assert [answer(client)[0] for client in clients] == [200] * len(clients)
    assert calls == begun
