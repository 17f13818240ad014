"""The command line by itself: help, wrong use, and faults that are told in one line each."""

import json
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from formapp.cli import _COMMANDS
from formapp.db.database import Database
from formapp.db.revision import is_empty
from tests.support.formfiles import EMAIL
from tests.support.postgres import PostgresServer
from tests.support.processes import Commands, Result, environ, free_port

EVERY_COMMAND = [
    [],
    ["demo"],
    ["serve"],
    ["worker"],
    ["sandbox"],
    ["forms"],
    ["forms", "check"],
    ["leads"],
    ["leads", "list"],
    ["leads", "show"],
    ["leads", "retry"],
    ["leads", "release"],
    ["leads", "export"],
    ["leads", "expire"],
    ["leads", "erase"],
    ["db"],
    ["db", "upgrade"],
    ["db", "copy"],
    ["doctor"],
]


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_help_needs_no_settings(commands: Commands, command: list[str]) -> None:
    done = commands.run(*command, "--help")
    assert done.returncode == 0
    assert "Usage: formapp" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "command",
    [["nonsense"], ["serve", "--port", "many"], ["leads", "show"], ["leads", "retry"]],
    ids=" ".join,
)
def test_wrong_use_exits_with_2(commands: Commands, command: list[str]) -> None:
    assert commands.run(*command).returncode == 2


def test_serve_names_every_wrong_and_missing_setting_at_once(commands: Commands) -> None:
    done = commands.run(
        "serve",
        SECRET_KEY="short",
        PROXY_HOPS="many",
        FORMS="/nowhere",
        LIMIT_PER_FORM="often",
        WIX_SITE_ID="5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11",
    )
    assert done.returncode == 1
    named = {line.split(":")[0] for line in done.stderr.splitlines() if "FORMAPP_" in line}
    assert named == {
        "FORMAPP_SECRET_KEY",
        "FORMAPP_PROXY_HOPS",
        "FORMAPP_FORMS",
        "FORMAPP_LIMIT_PER_FORM",
        "FORMAPP_WIX_API_KEY",
    }
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_told_in_one_line(commands: Commands) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        for command in ("sandbox", "demo"):
            done = commands.run(command, "--port", str(port))
            assert done.returncode == 1, done
            assert f"127.0.0.1:{port} can't be listened on" in done.stderr
            assert len(done.stderr.splitlines()) == 1


def test_a_demo_whose_contacts_are_no_state_file_says_so_in_one_line(
    commands: Commands, tmp_path: Path
) -> None:
    (tmp_path / "contacts.json").write_text("{}")
    done = commands.run("demo", "--port", str(free_port()), "--data", str(tmp_path))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "contacts.json is not a state file of the sandbox (KeyError)" in line


def test_a_database_in_a_missing_folder_is_a_fault_of_the_settings(commands: Commands) -> None:
    done = commands.run("leads", "list", DATABASE_URL="sqlite:////nowhere/at/all.db")
    assert done.returncode == 1
    assert "FORMAPP_DATABASE_URL: is in a folder that doesn't exist" in done.stderr


def test_the_bundled_forms_have_no_faults(commands: Commands) -> None:
    done = commands.run("forms", "check")
    assert done.returncode == 0
    assert "contact, newsletter, quote" in done.stdout


def test_forms_check_prints_every_fault_of_every_file(commands: Commands, tmp_path: Path) -> None:
    forms = tmp_path / "forms"
    forms.mkdir()
    (forms / "one.toml").write_text('title = "One"\nfields = []\n')
    (forms / "two.toml").write_text("title = \n")
    done = commands.run("forms", "check", str(forms))
    assert done.returncode == 1
    assert "one.toml" in done.stderr
    assert "two.toml" in done.stderr


@pytest.mark.parametrize(
    ("path", "code", "said"),
    [
        (None, 1, "one.toml:3: fields[0] (email).requird: is not a known key; did you mean"),
        ("forms", 1, "one.toml:3: fields[0] (email).requird: is not a known key; did you mean"),
        ("forms/one.toml", 1, "formapp: 1 fault in forms/one.toml"),
        (
            "one",
            1,
            'one.toml:3: fields[0] (email).requird: is not a known key; did you mean "requir',
        ),
        ("forms/two.toml", 0, "1 form in forms/two.toml: two. No faults."),
        ("two", 0, "1 form in forms/two.toml: two. No faults."),
        ("tow", 1, 'there is no folder, file or form tow; did you mean "two"?'),
        ("tow.toml", 1, 'there is no folder, file or form tow.toml; did you mean "two"?'),
        ("zzz", 1, "there is no folder, file or form zzz; the forms of forms are one, two"),
    ],
)
def test_forms_check_takes_a_folder_a_file_or_a_name(
    commands: Commands, path: str | None, code: int, said: str
) -> None:
    forms = commands.folder / "forms"
    forms.mkdir()
    good = 'title = "T"\n[[fields]]\nname = "email"\ntype = "email"\nlabel = "E"\nto = "email"\n'
    (forms / "one.toml").write_text(good.replace("]]\n", "]]\nrequird = true\n"))
    (forms / "two.toml").write_text(good)
    done = commands.run("forms", "check", *([path] if path else []), FORMS="forms")
    assert done.returncode == code
    assert said in (done.stderr if code else done.stdout)


def test_forms_check_reports_the_project_file_and_forms_without_a_site(
    commands: Commands,
) -> None:
    forms, project = commands.folder / "forms", commands.folder / "formapp.toml"
    forms.mkdir()
    (forms / "one.toml").write_text(f'title = "T"\nsite = "berln"\n{EMAIL}')
    project.write_text('[sites.berlin]\nsite_id = "x"\n[sites.paris]\nsite_id = "y"\n')
    done = commands.run("forms", "check", "forms")
    assert done.returncode == 1
    assert 'one.toml:2: site: "berln" is not known; did you mean "berlin"?' in done.stderr
    (forms / "one.toml").write_text(f'title = "T"\n{EMAIL}')
    done = commands.run("forms", "check", "one", FORMS="forms")
    assert "one.toml: site: is missing; the sites are berlin and paris" in done.stderr
    project.write_text('[sites.berlin]\nsite-id = "x"\n')
    (forms / "one.toml").write_text(f'titel = "T"\n{EMAIL}')
    done = commands.run("forms", "check", "forms")
    assert 'formapp.toml:2: sites.berlin.site-id: is not a known key; did you mean "' in done.stderr
    assert "one.toml:1: titel: is not a known key" in done.stderr
    assert "4 faults in forms" in done.stderr


def test_a_form_for_an_unknown_site_keeps_serve_from_starting(
    commands: Commands, tmp_path: Path
) -> None:
    forms = tmp_path / "forms"
    forms.mkdir()
    (forms / "one.toml").write_text(
        'title = "One"\nsite = "elsewhere"\n[[fields]]\nname = "email"\ntype = "email"\n'
        'label = "E-mail"\nto = "email"\n'
    )
    done = commands.run(
        "serve", "--no-worker", FORMS=str(forms), SECRET_KEY="a key that is long enough"
    )
    assert done.returncode == 1
    assert 'one.toml:2: site: "elsewhere" is not known' in done.stderr


def test_an_upgrade_may_run_several_times_and_at_once(
    database_url: str, commands: Commands
) -> None:
    def run() -> Result:
        return commands.run("db", "upgrade", DATABASE_URL=database_url)

    results: list[Result] = []
    threads = [threading.Thread(target=lambda: results.append(run())) for _ in "123"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.returncode for done in results] == [0, 0, 0]
    assert "The schema is current" in run().stdout


READERS = [
    ["leads", "list", "--json"],
    ["leads", "show", "ID"],
    ["leads", "retry", "--failed"],
    ["leads", "release", "--all"],
    ["leads", "resend", "ID"],
    ["leads", "export"],
    ["leads", "expire"],
    ["leads", "erase", "--email", "ada@example.com"],
    ["leads", "erase", "--list"],
]


@pytest.mark.parametrize("command", READERS, ids=" ".join)
def test_a_command_that_reads_makes_no_database(commands: Commands, command: list[str]) -> None:
    done = commands.run(*command, SECRET_KEY="a key that is long enough")
    assert (done.returncode, done.stdout) == (1, "")
    wanted = (
        f"FORMAPP_DATABASE_URL: there is no database of formapp at {commands.folder}/formapp.db"
    )
    assert wanted in done.stderr
    assert "formapp db upgrade" in done.stderr
    assert list(commands.folder.iterdir()) == []


def test_an_empty_database_is_told_without_its_password(
    commands: Commands, postgres: PostgresServer
) -> None:
    with postgres.database() as url:
        for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
            given = f"{scheme}://{url.partition('://')[2]}?password=hunter2"
            done = commands.run("leads", "list", DATABASE_URL=given)
            assert done.returncode == 1
            assert "there is no database of formapp at postgresql+psycopg://" in done.stderr
            assert "hunter2" not in done.stderr
        with closing(Database(url)) as database:
            assert is_empty(database)


def test_gunicorns_app_makes_no_database(commands: Commands) -> None:
    settings = environ({"SECRET_KEY": "a key that is long enough"})
    script = (
        "from formapp.app import create_app\n"
        "print(create_app().test_client().get('/readyz').status_code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=commands.folder,
        env=settings,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "503\n"
    assert list(commands.folder.iterdir()) == []


def test_an_empty_list_is_an_empty_json_array(database_url: str, commands: Commands) -> None:
    commands.run("db", "upgrade", DATABASE_URL=database_url)
    done = commands.run("leads", "list", "--json", DATABASE_URL=database_url)
    assert done.returncode == 0
    assert json.loads(done.stdout) == []


def test_an_unknown_id_is_told_in_one_line(database_url: str, commands: Commands) -> None:
    commands.run("db", "upgrade", DATABASE_URL=database_url)
    for command in ("show", "retry"):
        done = commands.run("leads", command, "no-such-id", DATABASE_URL=database_url)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
        assert "there is no submission no-such-id" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", _COMMANDS)
def test_each_command_can_be_loaded_by_itself(name: str) -> None:
    # Tests of commands start them where all of them are loaded.
    script = f"from formapp.cli.{name} import command; print(command.name)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, name), done.stderr
