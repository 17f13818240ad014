"""Each fault of the line does what its name says, to the client and to the sandbox."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests

from formapp.sandbox import SandboxServer, create_sandbox
from tests.proofs.faults import proxy
from tests.proofs.faults.editor import SITE, Editor
from tests.proofs.faults.proxy import KINDS, Line

HEADERS = {"Authorization": "IST.example", "wix-site-id": SITE}
APPLIED = {"cut_answer", "cut_after", "stall", "truncated_json", "gateway_applied"}
ANSWERED = {"gateway": 502, "gateway_applied": 502, "too_many": 429}


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(create_sandbox()) as server:
        yield server


@pytest.fixture
def line(sandbox: SandboxServer) -> Iterator[Line]:
    line = Line(sandbox.port, "seed", 0.0, 0.6, Editor(sandbox.port, "seed", 0.0))
    thread = threading.Thread(target=line.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield line
    line.shutdown()
    thread.join()
    line.server_close()


def create(line: Line) -> requests.Response:
    url = f"http://127.0.0.1:{line.server_address[1]}/contacts/v4/contacts"
    body = {"info": {"emails": {"items": [{"email": "ines@example.com"}]}}}
    return requests.post(url, json=body, headers=HEADERS, timeout=(0.3, 0.3))


def contacts(sandbox: SandboxServer) -> int:
    answer = requests.get(f"{sandbox.url}/_sandbox/sites/{SITE}/contacts", timeout=5)
    return len(answer.json()["contacts"]) if answer.status_code == 200 else 0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "late"])
def test_a_fault_spoils_the_answer_and_the_call_is_applied_or_not(
    kind: str, line: Line, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "draw", lambda: kind)
    if kind in ANSWERED:
        assert create(line).status_code == ANSWERED[kind]
    elif kind == "truncated_json":
        answer = create(line)
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
    else:
        with pytest.raises(requests.RequestException):
            create(line)
    assert contacts(sandbox) == (kind in APPLIED)


def test_a_late_call_is_applied_once_the_client_has_given_up(
    line: Line, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed_on = threading.Event()
    monkeypatch.setattr(line, "draw", lambda: "late")
    original = proxy._Call._ask

    def ask(call: proxy._Call, request: tuple[bytes, dict[str, str], bytes]) -> bytes:
        try:
            return original(call, request)
        finally:
            passed_on.set()

    monkeypatch.setattr(proxy._Call, "_ask", ask)
    with suppress(requests.Timeout):
        create(line)
    assert contacts(sandbox) == 0
    assert passed_on.wait(5)
    assert contacts(sandbox) == 1


def test_without_a_fault_calls_pass_and_are_counted(line: Line, sandbox: SandboxServer) -> None:
    assert create(line).status_code == 200
    assert line.counts == {"calls": 1}
    assert contacts(sandbox) == 1


def test_somebody_else_edits_between_reading_and_writing(sandbox: SandboxServer) -> None:
    editor = Editor(sandbox.port, "seed", 1.0)
    made = requests.post(
        f"{sandbox.url}/contacts/v4/contacts",
        json={"info": {"emails": {"items": [{"email": "ines@example.com"}]}}},
        headers=HEADERS,
        timeout=5,
    ).json()["contact"]
    editor.meet(made)
    url = f"{sandbox.url}/contacts/v4/contacts/{made['id']}"
    assert requests.get(url, headers=HEADERS, timeout=5).json()["contact"]["revision"] == 2
    # What was read before is stale: an edit by its revision is refused, as ours is.
    editor.meet(made)
    assert editor.made == 1
