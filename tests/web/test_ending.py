"""The embedded server with stalled clients, and how it ends."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
from waitress import wasyncore

from formapp.cli.serve import run_together
from formapp.jobs.worker import Worker, WorkerGroup
from formapp.server import Server, listen
from tests.support.processes import Commands, end, free_port, wait_for
from tests.web.pages import Page
from tests.web.running import Running, answer, get, good, post
from tests.web.support import KEY, SiteMaker

STALLED = 300


@pytest.mark.slow
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
    while not any(c.request for c in list(running.server.active_channels.values())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_request_that_came_just_before_the_end_is_read_and_answered(
    make_site: SiteMaker,
) -> None:
    site = make_site()
    listener = listen("127.0.0.1", 0)
    server = Server(site.app, listener)
    with closing(socket.create_connection(listener.getsockname(), timeout=5)) as client:
        wasyncore.loop(timeout=1, map=server._map, use_poll=True, count=1)  # takes the connection
        client.sendall(post("/f/lead", good(site)))
        server.stop()
        server.run()
        assert answer(client)[0] == 303
    assert len(site.rows()) == 1


def test_the_worker_ends_while_the_last_requests_are_answered() -> None:
    """One after the other would take longer than a process has."""
    begun, stopped = threading.Event(), threading.Event()

    def app(_environ: object, start: Callable[..., object]) -> list[bytes]:
        begun.set()
        start("200 OK" if stopped.wait(5) else "500 Too late", [("Content-Length", "0")])
        return [b""]

    listener = listen("127.0.0.1", 0)
    server = Server(app, listener)
    crew = WorkerGroup([Worker(lambda: False, interrupt=stopped.set)])
    thread = threading.Thread(target=run_together, args=(server, crew))
    thread.start()
    with closing(socket.create_connection(listener.getsockname(), timeout=20)) as client:
        client.sendall(get("/"))
        assert begun.wait(20)
        server.stop()
        assert answer(client)[0] == 200
    thread.join(20)
    assert not thread.is_alive()


def test_being_told_to_end_again_does_nothing(running: Running) -> None:
    running.stop()
    running.server.stop()
    assert not running.thread.is_alive()


@pytest.mark.slow
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


# As a process


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    commands = Commands(tmp_path)
    yield commands
    commands.close()


@pytest.mark.slow
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
        answers = {"email": "canary7f3a@example.com", "consent": "yes", "_token": token}
        request = post("/f/newsletter", urlencode(answers).encode())
        client.sendall(request[:-5])
        began = time.monotonic()
        process.terminate()
        client.sendall(request[-5:])
        status, headers, _ = answer(client)
    assert (status, headers["location"]) == (303, "/f/newsletter/thanks")
    # Asked twice, it ends as well as asked once.
    assert end(process) == 0
    assert time.monotonic() - began < 30
    log = (tmp_path / "serve.log").read_text()
    assert "canary7f3a" not in log
    assert "Traceback" not in log
    assert re.search(r"serving contact, newsletter, quote at http://localhost:\d+/f/", log)
