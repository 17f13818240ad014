"""Several processes on one address: what each of them keeps is right for all of them.

`ask` chooses which of the two answers. `STATE` names everything that a web process keeps in its
memory between two requests, and why that is right beside others.
"""

import os
import re
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from formapp.db.database import Database
from tests.support.forms import EMAIL_FIELD
from tests.support.ledger import rows
from tests.support.processes import SITE, Commands, eventually, free_port, wait_for
from tests.support.several import SeveralServers, is_running
from tests.web.guarded import solution

PASSWORD = "a password for the owner"
LISTED = {"Origin": "https://www.example.com"}
FORM = f'title = "A form"\norigins = ["https://www.example.com"]\n{{}}{EMAIL_FIELD}'
SHARED = Path("/dev/shm")  # noqa: S108 - where processes share a folder on Linux
FORMS = {
    "lead": "",
    "busy": "",
    "odd": "",
    "puzzle": '[spam]\nchallenge = "altcha"\ndifficulty = 1\n',
    "few": '[spam]\nquota = "3/day"\n',
}


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('several') / 'formapp.db'}"


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory, database_url: str
) -> Iterator[SeveralServers]:
    folder = tmp_path_factory.mktemp("servers")
    (folder / "forms").mkdir()
    for name, spam in FORMS.items():
        (folder / "forms" / f"{name}.toml").write_text(FORM.format(spam))
    servers = SeveralServers(
        *(folder, "--processes", "2", "--no-worker"),
        DATABASE_URL=database_url,
        FORMS=str(folder / "forms"),
        PROXY_HOPS="1",
        LIMIT_PER_ADDRESS="4/day",
        LIMIT_PER_FORM="12/day",
        OWNER_PASSWORD=PASSWORD,
    )
    yield servers
    assert servers.close() == 0
    assert "Traceback" not in servers.log


def post(servers: SeveralServers, number: int, form: str, address: str, **answers: str) -> int:
    """Post a lead of this address to one of the two."""
    given = {"email": "ada@example.com", **answers}
    headers = {**LISTED, "X-Forwarded-For": address}
    return servers.ask("POST", f"/f/{form}", number, data=given, headers=headers).status_code


def token_of(page: requests.Response, name: str = "_token") -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page.text)
    assert found
    return found[1]


def statuses(database_url: str, form: str) -> list[str]:
    with closing(Database(database_url)) as database:
        return [row["status"] for row in rows(database, "submissions") if row["form"] == form]


@pytest.mark.slow
def test_posts_of_one_address_are_counted_together(servers: SeveralServers) -> None:
    answers = [post(servers, 1 + n % 2, "lead", "203.0.113.1") for n in range(6)]
    assert answers == [303] * 4 + [429] * 2
    assert post(servers, 1, "lead", "203.0.113.2") == 303


@pytest.mark.slow
def test_posts_to_one_form_are_counted_together(servers: SeveralServers) -> None:
    answers = [post(servers, 1 + n % 2, "busy", f"198.51.100.{n}") for n in range(14)]
    assert answers == [303] * 12 + [429] * 2


@pytest.mark.slow
def test_a_quota_is_counted_together(servers: SeveralServers, database_url: str) -> None:
    assert {post(servers, 1 + n % 2, "few", f"192.0.2.{n}") for n in range(5)} == {303}
    assert statuses(database_url, "few") == ["accepted"] * 3 + ["quarantined"] * 2


@pytest.mark.slow
def test_a_solution_of_a_challenge_is_valid_once(
    servers: SeveralServers, database_url: str
) -> None:
    solved = solution(servers.ask("GET", "/f/puzzle/challenge", 1).json())
    for number in (1, 2):
        assert post(servers, number, "puzzle", f"192.0.2.{100 + number}", altcha=solved) == 303
    assert statuses(database_url, "puzzle") == ["accepted", "quarantined"]


@pytest.mark.slow
def test_a_page_of_one_is_posted_to_the_other_and_stored_once(
    servers: SeveralServers, database_url: str
) -> None:
    token = token_of(servers.ask("GET", "/f/odd", 1))
    data = {"_token": token, "email": "ada@example.com"}
    found = [
        servers.ask("POST", "/f/odd", number, data=data, headers={"Origin": servers.base})
        for number in (2, 1, 2)
    ]
    assert [answer.status_code for answer in found] == [303] * 3
    assert len(statuses(database_url, "odd")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("page", ["share", "inbox"])
def test_wrong_passwords_are_counted_together(servers: SeveralServers, page: str) -> None:
    def guess(number: int, address: str) -> int:
        headers = {"X-Forwarded-For": address, "Origin": servers.base}
        if page == "share":
            more: dict[str, Any] = {"auth": ("owner", "a wrong password")}
            return servers.ask("GET", "/f/lead/share", number, headers=headers, **more).status_code
        shown = servers.ask("GET", "/inbox/sign-in", number, headers=headers)
        data = {"name": "owner", "password": "wrong", "csrf_token": token_of(shown, "csrf_token")}
        more = {"data": data, "headers": headers, "cookies": shown.cookies}
        return servers.ask("POST", "/inbox/sign-in", number, **more).status_code

    minute = 0.0
    for attempt in range(3):
        minute = time.monotonic() // 60
        found = [guess(1 + n % 2, f"203.0.113.{50 + attempt}") for n in range(7)]
        if time.monotonic() // 60 == minute:
            break
    assert found[5:] == [429, 429]
    assert 429 not in found[:5]


@pytest.mark.slow
def test_a_session_holds_at_both_and_ends_at_both(servers: SeveralServers) -> None:
    page = servers.ask("GET", "/inbox/sign-in", 1)
    data = {"name": "owner", "password": PASSWORD, "csrf_token": token_of(page, "csrf_token")}
    origin = {"Origin": servers.base}
    session = servers.ask(
        "POST", "/inbox/sign-in", 1, data=data, headers=origin, cookies=page.cookies
    ).cookies
    leads = servers.ask("GET", "/inbox/leads", 2, cookies=session)
    assert leads.status_code == 200
    session.update(leads.cookies)
    data = {"csrf_token": token_of(leads, "csrf_token"), "everywhere": "yes"}
    servers.ask("POST", "/inbox/sign-out", 2, data=data, headers=origin, cookies=session)
    assert servers.ask("GET", "/inbox/leads", 1, cookies=session).status_code == 303


@pytest.mark.slow
def test_bodies_share_one_room(servers: SeveralServers) -> None:
    host, port = servers.base.removeprefix("http://").split(":")
    head = "POST /f/lead HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n"
    body, whole = b"x" * 3_000_000, head.format(f"{host}:{port}", 3_000_000).encode()

    def ask(number: int) -> int:
        with servers.only(number), socket.create_connection((host, int(port)), 20) as client:
            client.sendall(whole + body)
            return int(client.recv(100).split()[1])

    def is_refused_beside_another() -> bool:
        with servers.only(1):
            # Connected now, so that this process has it.
            first = socket.create_connection((host, int(port)), 20)
            first.sendall(head.format(f"{host}:{port}", 9_000_000).encode() + body)
            # Its answer follows what the same process has read before.
            requests.get(f"{servers.base}/healthz", timeout=20)
        with first:
            return ask(2) == 503

    assert ask(2) == 415, "a body of no type that a form has is read"
    # Again, since the room that an answered body had is free only a moment after its answer.
    eventually(is_refused_beside_another)
    # The first has gone: its bytes count at neither any more.
    for number in (1, 2):
        eventually(lambda: ask(number) == 415)  # noqa: B023 - called at once


def counted(servers: SeveralServers, number: int) -> Counter[str]:
    """What this one of two reports, each line without a time."""
    lines = servers.ask("GET", "/metrics", number).text.splitlines()
    found: Counter[str] = Counter()
    for line in lines:
        name, _, value = line.rpartition(" ")
        if not line.startswith("#") and not re.search("_sum|_bucket|seconds", name):
            found[name] = int(float(value))
    return found


@pytest.mark.slow
def test_connections_that_come_at_once_are_spread(servers: SeveralServers) -> None:
    address = "127.0.0.1", int(servers.base.rpartition(":")[2])
    with ExitStack() as stack:
        clients = [
            stack.enter_context(closing(socket.create_connection(address))) for _ in range(40)
        ]
        ports = {client.getsockname()[1] for client in clients}
        eventually(lambda: sum(_taken(servers, ports)) == 40)
        assert min(_taken(servers, ports)) >= 10


def _taken(servers: SeveralServers, ports: set[int]) -> list[int]:
    """How many of the connections from these ports each web server has."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    sockets = {f"socket:[{line[9]}]" for line in lines if int(line[2][-4:], 16) in ports}
    return [len(sockets & _files(servers.pid(f"web server {number}"))) for number in (1, 2)]


def _files(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(file.readlink()))
    return found


@pytest.mark.slow
def test_metrics_are_those_of_all_processes(servers: SeveralServers) -> None:
    before = counted(servers, 1)
    for number in (1, 2, 2):
        assert post(servers, number, "lead", f"203.0.113.{100 + number}") == 303
    first, second = counted(servers, 1), counted(servers, 2)
    kept = 'formapp_submissions_total{form="lead",result="kept"}'
    assert first[kept] - before[kept] == 3
    waiting = 'formapp_deliveries{site="main",state="pending"}'
    assert first[waiting] - before[waiting] == 3
    assert first == second
    assert "pid=" not in str(first)


@pytest.mark.slow
def test_a_refused_origin_is_logged_once(servers: SeveralServers) -> None:
    for number in (1, 2, 1):
        headers = {"Origin": "https://stranger.example", "X-Forwarded-For": "203.0.113.200"}
        data = {"email": "ada@example.com"}
        answer = servers.ask("POST", "/f/odd", number, data=data, headers=headers)
        assert answer.status_code == 403
    assert servers.log.count("refused https://stranger.example") == 1


@pytest.mark.slow
def test_one_that_dies_is_replaced_and_what_it_counted_stays(servers: SeveralServers) -> None:
    for _ in range(4):
        assert post(servers, 2, "lead", "203.0.113.210") == 303
    before, dead = counted(servers, 1), servers.pid("web server 2")
    os.kill(dead, signal.SIGKILL)
    eventually(lambda: servers.pid("web server 2") != dead)
    assert "web server 2" in servers.log
    assert post(servers, 2, "lead", "203.0.113.210") == 429
    assert post(servers, 1, "lead", "203.0.113.210") == 429
    kept = 'formapp_submissions_total{form="lead",result="kept"}'
    assert counted(servers, 2)[kept] == before[kept]


# Beginning and ending


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[Commands]:
    commands = Commands(tmp_path)
    yield commands
    commands.close()


@pytest.fixture
def sandbox_port() -> int:
    return free_port()


@pytest.fixture
def own(tmp_path: Path, sandbox_port: int) -> Iterator[SeveralServers]:
    """Two web servers and a worker on a new database, without a limit."""
    url = f"sqlite:///{tmp_path / 'own.db'}"
    wix = f"http://127.0.0.1:{sandbox_port}"
    more = {"WIX_API_KEY": "IST.x", "WIX_SITE_ID": SITE, "WIX_API_URL": wix}
    more |= {"LIMIT_PER_ADDRESS": "off"}
    servers = SeveralServers(tmp_path, "--processes", "2", DATABASE_URL=url, **more)
    yield servers
    servers.close()


def processes_of(servers: SeveralServers) -> list[int]:
    return [servers.pid(name) for name in ("web server 1", "web server 2", "worker")]


@pytest.mark.slow
def test_requests_in_progress_are_answered_by_each_process_at_the_end(
    own: SeveralServers, tmp_path: Path
) -> None:
    host, port = own.base.removeprefix("http://").split(":")
    token = token_of(requests.get(f"{own.base}/f/newsletter", timeout=20))
    clients = []
    for number in (1, 2):
        body = f"_token={token}&email=ada{number}@example.com&consent=yes&_id={number}".encode()
        head = f"POST /f/newsletter HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {own.base}\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n"
        head += f"Content-Length: {len(body)}\r\n\r\n"
        client = socket.create_connection((host, int(port)), 20)
        with own.only(number):
            client.sendall(head.encode() + body[:-1])
            requests.get(f"{own.base}/healthz", timeout=20)
        clients.append((client, body[-1:]))
    own.supervisor.send_signal(signal.SIGTERM)
    for client, rest in clients:
        with closing(client):
            client.sendall(rest)
            assert client.recv(100).split()[1] in {b"303", b"409"}
    assert own.supervisor.wait(30) == 0
    assert not any(map(is_running, processes_of(own)))
    assert "Traceback" not in own.log
    with closing(Database(f"sqlite:///{tmp_path / 'own.db'}")) as database:
        assert rows(database, "submissions")


@pytest.mark.slow
def test_each_process_wakes_the_worker(
    own: SeveralServers, commands: Commands, sandbox_port: int
) -> None:
    commands.start("sandbox", "--port", str(sandbox_port))
    wait_for(f"http://127.0.0.1:{sandbox_port}/")
    for number in (1, 2):
        token = token_of(own.ask("GET", "/f/newsletter", number))
        data = {"email": f"ada{number}@example.com", "consent": "yes", "_token": token}
        answer = own.ask("POST", "/f/newsletter", number, data=data, headers={"Origin": own.base})
        assert answer.status_code == 303
        eventually(lambda: done_deliveries(own) == number)  # noqa: B023 - called at once


def done_deliveries(servers: SeveralServers) -> int:
    lines = counted(servers, 1).items()
    return sum(number for name, number in lines if name.startswith("formapp_deliveries_done"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_other_signals_end_it_as_well(own: SeveralServers, number: signal.Signals) -> None:
    own.supervisor.send_signal(number)
    assert own.supervisor.wait(30) == 0
    assert not any(map(is_running, processes_of(own)))


@pytest.mark.slow
def test_processes_end_with_their_supervisor(own: SeveralServers) -> None:
    before = set(SHARED.glob("formapp-*"))
    own.supervisor.kill()
    eventually(lambda: not any(map(is_running, processes_of(own))), 30)
    # Nor does its folder stay.
    assert before - set(SHARED.glob("formapp-*"))


def test_reload_is_for_one_process(commands: Commands) -> None:
    done = commands.run("serve", "--processes", "2", "--reload")
    assert done.returncode == 2
    assert "--reload is for one process: leave --processes out" in done.stderr


@pytest.mark.slow
def test_wrong_settings_end_the_command_before_there_is_a_process(commands: Commands) -> None:
    done = commands.run(
        *("serve", "--processes", "2", "--no-worker", "--port", str(free_port())),
        SECRET_KEY="a key that is long enough",
        DATABASE_URL=f"sqlite:///{commands.folder / 'nowhere' / 'a.db'}",
    )
    assert done.returncode == 1
    [_, fault] = done.stderr.splitlines()
    assert fault.startswith("FORMAPP_DATABASE_URL: is in a folder that doesn't exist")
