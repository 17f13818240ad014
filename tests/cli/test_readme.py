"""Every command of README and manual runs: those at the README's top in CI, the others here."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import requests

from formapp.forms.definition.parse import load_definitions
from formapp.manual import read, topics
from tests.support.forked import write_program
from tests.support.processes import Commands, Installation, environ, free_port, send, wait_for

ROOT = Path(__file__).parents[2]
README = ROOT.joinpath("README.md").read_text("utf-8")
TEXTS = {"README": README, **{topic: read(topic) for topic in topics()}}
SERVERS = ("formapp serve", "formapp worker", "formapp sandbox", "bin/gunicorn")
# These are run by tests of their own.
ELSEWHERE = ("curl", "db copy", "tests.proofs", "sqlite3", "&& .venv/bin/", "pip install")


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.+?)\n```$", text, re.MULTILINE | re.DOTALL)


TOP = _blocks(README)[:2]
BLOCKS = [block for text in TEXTS.values() for block in _blocks(text) if block not in TOP]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the README's own form file in it."""
    example = re.search(r"^```toml\n(.+?)\n```$", README, re.MULTILINE | re.DOTALL)
    assert example
    # The commands are typed in the folder that has the environment.
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "callback.toml").write_text(example[1], "utf-8")
    return tmp_path


def _bash(script: str, folder: Path, settings: dict[str, str]) -> "subprocess.Popen[str]":
    path = f"{folder / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        ["bash", "-ec", script],
        cwd=folder,
        env=environ(settings) | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_two_commands_at_the_top_are_single_lines_for_the_demo_and_the_tests() -> None:
    run, test = TOP
    assert run.endswith("&& .venv/bin/formapp demo")
    assert test.endswith("&& .venv/bin/python -m pytest")
    assert "\n" not in run + test


@pytest.mark.parametrize("command", TOP)
def test_the_commands_at_the_top_say_first_what_takes_so_long(command: str, tmp_path: Path) -> None:
    stand_in = tmp_path / "python3"
    stand_in.write_text("#!/bin/sh\necho python3 $*\nexit 3\n")
    stand_in.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    first, second = done.stdout.splitlines()
    assert "Installing, about" in first
    assert second == "python3 -m venv .venv"


def test_ci_installs_into_an_empty_environment_with_an_empty_cache() -> None:
    steps = Path(__file__).parents[2].joinpath(".ci", "run").read_text("utf-8")
    before, _, _ = steps.partition("readme_command.py")
    assert "python3 -m venv --clear .venv" in before
    assert 'PIP_CACHE_DIR="$(mktemp -d)"' in before


def test_the_form_file_of_the_readme_has_no_fault(folder: Path) -> None:
    assert load_definitions(folder / "forms")


def test_the_extras_that_are_to_be_installed_are_in_the_project_and_in_ci() -> None:
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text("utf-8"))["project"]
    named = {
        extra
        for text in TEXTS.values()
        for found in re.findall(r"pip install .*?\[([a-z,]+)\]", text)
        for extra in found.split(",")
    }
    assert {"gunicorn", "redis"} <= named <= set(project["optional-dependencies"])
    # CI installs them from the project's folder.
    assert '"$project[gunicorn,redis]"' in ROOT.joinpath(".ci", "wheel").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("block", [b for b in BLOCKS if any(s in b for s in SERVERS)])
def test_a_server_of_the_readme_starts_and_ends(block: str, folder: Path) -> None:
    port = free_port()
    script = block.replace("8000", str(port)).replace("8001", str(port)).splitlines()
    if "gunicorn" in block:
        pytest.importorskip("gunicorn")
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'formapp.db'}",
        "SECRET_KEY": "a key that is long enough",
        "WIX_API_KEY": "IST.example",
        "WIX_SITE_ID": "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11",
    }
    subprocess.run(
        [sys.executable, "-m", "formapp", "db", "upgrade"],
        env=environ(settings),
        check=True,
        capture_output=True,
    )
    process = _bash("\n".join([*script[:-1], "exec " + script[-1]]), folder, settings)
    assert process.stdout
    try:
        if "formapp worker" in block:
            assert "waiting for leads" in process.stdout.readline()
        else:
            wait_for(f"http://127.0.0.1:{port}/{'' if 'sandbox' in block else 'healthz'}")
    finally:
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=30)
    assert process.returncode == 0, printed


@pytest.fixture
def failed_lead(installation: Installation) -> str:
    """An installation with a lead that failed; gives its id."""
    fault = {"kind": "status", "operation": "createContact", "status": 400}
    requests.post(f"{installation.sandbox}/_sandbox/faults", json=fault, timeout=10)
    answers = {"name": "Bo", "email": "bo@example.com", "message": "Hi", "privacy": "yes"}
    assert send(installation.web, "contact", **answers).status_code == 303
    submission_id = ""
    while not submission_id:
        listed = installation.run("leads", "list", "--state", "failed", "--json").stdout
        submission_id = next((entry["id"] for entry in json.loads(listed)), "")
    return submission_id


@pytest.mark.slow
def test_the_owners_commands_run(
    installation: Installation, folder: Path, failed_lead: str
) -> None:
    commands = [
        line.replace("ID", failed_lead)
        for block in dict.fromkeys(BLOCKS)
        if not any(word in block for word in (*SERVERS, *ELSEWHERE))
        for line in block.splitlines()
    ]
    assert len(commands) >= 8
    # The environment's own program is run by the test of servers.
    (folder / ".venv").unlink()
    write_program(folder / ".venv" / "bin" / "formapp")
    for command in commands:
        process = _bash(command, folder, installation.settings)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0, f"{command}: {printed}"
    assert failed_lead in (folder / "leads.csv").read_text()


@pytest.mark.slow
def test_the_proof_runs_in_its_shortest_form() -> None:
    (command,) = [block for block in BLOCKS if "tests.proofs.faults" in block]
    _, *options = shlex.split(command)
    shorter = [{"2000": "6", "both": "sqlite"}.get(option, option) for option in options]
    done = subprocess.run(
        [sys.executable, *shorter, "--round", "0"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Violations: 0" in done.stdout


@pytest.mark.slow
def test_a_program_posts_by_the_curl_of_the_readme(
    commands: Commands, database_url: str, folder: Path
) -> None:
    token = "a-token-of-16-or-more"
    forms = str(folder / "forms")
    installation = Installation(
        commands, database_url, FORMS=forms, API_TOKEN=f"{token},an-older-token-too"
    )
    (block,) = [block for block in BLOCKS if "Authorization: Bearer" in block]
    script = block.replace("https://forms.example.com", installation.web)

    def post(**settings: str) -> tuple[dict[str, Any], str]:
        process = _bash(f"{script} --silent --write-out '\\n%{{http_code}}'", folder, settings)
        printed, _ = process.communicate(timeout=30)
        body, _, status = printed.rpartition("\n")
        return json.loads(body), status

    for given in (token, token, "an-older-token-too"):
        answer, status = post(API_TOKEN=given)
        assert (answer["ok"], status) == (True, "200")
    for given in ("", "another-token-of-16"):
        answer, status = post(API_TOKEN=given)
        assert (answer["errors"][0]["code"], status) == ("UNAUTHORIZED", "401")
        assert "FORMAPP_API_TOKEN" in answer["error"]
    # Once, by its Idempotency-Key.
    (lead,) = json.loads(installation.run("leads", "list", "--json").stdout)
    assert lead["form"] == "callback"


@pytest.mark.slow
def test_the_sandbox_takes_the_faults_of_the_readme(commands: Commands) -> None:
    port = free_port()
    commands.start("sandbox", "--port", str(port))
    wait_for(f"http://127.0.0.1:{port}/")
    calls = [
        line.replace("8001", str(port))
        for block in BLOCKS
        for line in block.splitlines()
        if line.startswith("curl") and "_sandbox" in line
    ]
    assert len(calls) == 3
    for call in calls:
        done = subprocess.run(
            [*shlex.split(call), "--fail", "--silent"], capture_output=True, check=False
        )
        assert done.returncode == 0, call


def test_the_readme_takes_ten_minutes() -> None:
    assert len(README.split()) <= 1_500


def test_every_topic_of_the_manual_is_in_the_table_of_contents() -> None:
    linked = re.findall(r"^\| \[([a-z-]+)\]\(formapp/manual/\1\.md\) \|", README, re.MULTILINE)
    assert linked == list(topics())


def _anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_of_the_texts_leads_to_a_topic_and_a_heading(name: str) -> None:
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", TEXTS[name]):
        target = TEXTS[name] if not path else TEXTS.get(Path(path).stem)
        if target is None:
            assert (ROOT / path).exists(), path
        elif anchor:
            assert anchor in _anchors(target), f"{path}#{anchor}"
