"""The state file: loaded at start, and up to date before anything is answered."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import requests

from formapp.sandbox import SandboxOptions, StateFileError, create_sandbox

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path
from formapp.sandbox import SandboxOptions, SandboxServer, Settings, create_sandbox
options = SandboxOptions(Settings(rate_limit=0), state_file=Path(sys.argv[1]))
server = SandboxServer(create_sandbox(options)).start()
print(server.url, flush=True)
server.wait()
"""
KEY = {"Authorization": "IST.key", "wix-site-id": "one"}


def test_a_restart_finds_everything_again(make_api: Any, clock: Any, tmp_path: Path) -> None:
    options = SandboxOptions(state_file=tmp_path / "deep" / "state.json", clock=clock)
    first = make_api(options)
    label, field = first.label("News"), first.field("Boat")
    contact = first.contact(
        "a@example.com", labelKeys={"items": [label]}, extendedFields={"items": {field: "x"}}
    )
    source, gone = first.contact(), first.contact()
    body = {"targetContactRevision": 1, "sourceContactIds": [source["id"]]}
    merged = first.ok("POST", f"/contacts/{contact['id']}/merge", body)["contact"]
    first.ok("DELETE", f"/contacts/{gone['id']}")
    member = {"site": first.site, "contact_id": contact["id"], "role": "member"}
    first.control("POST", "/members", member)
    bulk = {"filter": {}, "labelKeysToAdd": [label]}
    job = first.ok("POST", "/bulk/contacts/add-remove-labels", bulk)["jobId"]
    before = first.control("GET", f"/sites/{first.site}/contacts")

    second = make_api(options)
    assert second.control("GET", f"/sites/{first.site}/contacts") == before
    assert second.get(source["id"])["id"] == merged["id"]
    assert second.label("News") == label
    assert second.ok("GET", f"/bulk/contact/jobs/{job}")["job"]["status"] == "COMPLETED"
    second.settings(query_delay=60)
    assert [one["id"] for one in second.query()] == [contact["id"]]


def test_the_file_is_for_its_owner_alone_and_nothing_else_is_left(
    make_api: Any, tmp_path: Path
) -> None:
    path = tmp_path / "state.json"
    make_api(SandboxOptions(state_file=path)).contact()
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_reset_empties_the_file(make_api: Any, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    api = make_api(SandboxOptions(state_file=path))
    api.contact()
    api.control("POST", "/reset")
    assert json.loads(path.read_text(encoding="utf-8")) == {"format": 1, "sites": {}}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"format": 2, "sites": {}}', '{"format": 1, "sites": {"one": {}}}']
)
def test_a_file_that_is_no_state_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StateFileError, match=r"state\.json"):
        create_sandbox(SandboxOptions(state_file=path))


def test_a_file_of_an_older_version_is_read(make_api: Any, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    contact = make_api(SandboxOptions(state_file=path)).contact()
    saved = json.loads(path.read_bytes())
    for site in saved["sites"].values():
        del site["sequences"]
    path.write_text(json.dumps(saved), encoding="utf-8")
    api = make_api(SandboxOptions(state_file=path))
    assert api.get(contact["id"])["id"] == contact["id"]
    assert api.contact()["id"] != contact["id"]


@pytest.mark.slow
def test_no_answered_write_is_lost_by_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    answered: dict[str, int] = {}
    for number in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            with requests.Session() as session:
                session.headers.update(KEY)
                found = session.get(f"{url}/contacts/v4/contacts", timeout=10).json()["contacts"]
                assert {one["id"]: one["revision"] for one in found} == answered
                for _ in range(5):
                    answered.update(write(session, f"{url}/contacts/v4/contacts", number))
            process.send_signal(signal.SIGKILL)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = requests.get(f"{url}/contacts/v4/contacts", headers=KEY, timeout=10)
        process.kill()
    assert {one["id"]: one["revision"] for one in answer.json()["contacts"]} == answered


def write(session: requests.Session, url: str, number: int) -> dict[str, int]:
    """Create a contact and update it; return its id and last revision."""
    info = {"name": {"first": f"Run {number}"}}
    made = session.post(url, json={"info": info}, timeout=10).json()["contact"]
    body = {"revision": 1, "info": {"company": "Barco"}}
    updated = session.patch(f"{url}/{made['id']}", json=body, timeout=10).json()["contact"]
    return {updated["id"]: updated["revision"]}
