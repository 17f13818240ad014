"""`formapp init` writes what a server needs, and each file works as it is written."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import requests
import yaml
from click.testing import CliRunner, Result

from formapp.cli import init as begin
from formapp.cli.forms import command as forms_command
from formapp.cli.init import command
from formapp.config.project import load_project
from formapp.config.settings import Settings
from formapp.forms.definition.parse import load_definitions
from formapp.starter import KINDS, languages
from tests.support.processes import SITE, Commands, environ, eventually, free_port, send, wait_for

ANSWERS = {
    "--name": "Müller & Söhne",
    "--origin": "www.example.com",
    "--language": "de",
    "--kind": "contact",
}
FILES = {
    "forms/contact.toml",
    "formapp.toml",
    ".env",
    ".gitignore",
    "deploy/formapp.service",
    "deploy/nginx.conf",
    "deploy/Dockerfile",
    "deploy/compose.yaml",
}


def init(folder: Path, **changed: str) -> Result:
    options = ANSWERS | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    args = [part for option, value in options.items() if value for part in (option, value)]
    return CliRunner().invoke(command, [str(folder), *args])


def settings_in(file: Path) -> dict[str, str]:
    """As systemd and Docker read it."""
    lines = file.read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation that was just begun."""
    done = init(tmp_path / "installation")
    assert done.exit_code == 0, done.output
    return tmp_path / "installation"


def test_all_files_are_written_and_the_secrets_are_its_users_alone(folder: Path) -> None:
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert written == FILES
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700
    ignored = (folder / ".gitignore").read_text().split()
    assert ignored == [".env", "data/"]


def test_each_installation_has_secrets_of_its_own(folder: Path, tmp_path: Path) -> None:
    assert init(tmp_path / "other").exit_code == 0
    one, other = (settings_in(tmp_path / each / ".env") for each in ("installation", "other"))
    for name in ("FORMAPP_SECRET_KEY", "FORMAPP_OWNER_PASSWORD"):
        assert one[name] != other[name]


def test_the_settings_are_valid_once_the_site_is_connected(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (folder / ".env").read_text("utf-8")
    connected = re.sub(r"#(FORMAPP_WIX_\w+=)", r"\1something", text)
    (folder / ".env").write_text(connected, "utf-8")
    monkeypatch.chdir(folder)
    settings = Settings.read(settings_in(folder / ".env"), web=True, wix=True)
    assert settings.base_url == "https://forms.example.com"
    shown = subprocess.run(
        ["bash", "-c", "set -a && . ./.env && env"],
        cwd=folder,
        env=environ({}),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert {f"{name}={value}" for name, value in settings_in(folder / ".env").items()} <= set(
        shown.splitlines()
    )


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", KINDS)
def test_a_form_of_each_kind_and_language_has_no_fault(
    tmp_path: Path, kind: str, language: str
) -> None:
    assert init(tmp_path / "new", kind=kind, language=language).exit_code == 0
    (definition,) = load_definitions(tmp_path / "new" / "forms").values()
    assert (definition.language, definition.origins) == (language, ("https://www.example.com",))
    file = load_project({}, tmp_path / "new" / "forms")
    assert file.faults == ()
    assert file.project.brand
    assert file.project.brand.name == ANSWERS["--name"]


def test_the_unit_is_valid_for_systemd(folder: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        assert "CI" not in os.environ, "systemd-analyze is missing"
        pytest.skip("systemd is not installed")
    unit = folder / "deploy" / "formapp.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = [line for line in done.stderr.splitlines() if "formapp" in line]
    assert (done.returncode, found) == (0, []), done.stderr


def test_the_site_is_valid_for_nginx(folder: Path, tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        assert "CI" not in os.environ, "nginx is missing"
        pytest.skip("nginx is not installed")
    site = (folder / "deploy" / "nginx.conf").read_text("utf-8")
    # The tests' user may not listen on port 80, and a container may have no IPv6.
    site = site.replace("listen [::]:80;", "").replace("listen 80;", f"listen {free_port()};")
    temporary = "\n".join(
        f"{kind}_temp_path {tmp_path / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"pid {tmp_path / 'pid'};\nerror_log stderr;\nevents {{}}\n"
    whole += f"http {{\naccess_log off;\n{temporary}\n{site}\n}}"
    (tmp_path / "nginx.conf").write_text(whole, "utf-8")
    done = subprocess.run(
        [nginx, "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_files_for_docker_name_what_is_there(folder: Path) -> None:
    compose = yaml.safe_load((folder / "deploy" / "compose.yaml").read_text("utf-8"))
    service = compose["services"]["formapp"]
    deploy = folder / "deploy"
    for volume in service["volumes"]:
        assert (deploy / volume.split(":")[0]).resolve().exists()
    assert (deploy / service["env_file"]).resolve() == folder / ".env"
    source = Path(service["build"]["additional_contexts"]["formapp"])
    copied = re.findall(
        r"^COPY --from=formapp (.+) \S+$", (deploy / "Dockerfile").read_text(), re.MULTILINE
    )
    assert copied
    for name in " ".join(copied).split():
        assert (source / name).exists()


def test_what_exists_is_not_overwritten_and_nothing_is_half_written(folder: Path) -> None:
    (folder / "formapp.toml").unlink()
    done = init(folder)
    assert done.exit_code == 1
    assert "has already forms/contact.toml, .env" in done.output
    assert not (folder / "formapp.toml").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"origin": "ftp://example.com"}, "is no site; write it like https://www.example.com"),
        ({"origin": "https://exa;mple.com"}, "is no site"),
        ({"name": "a\nb"}, "can't be a name"),
        ({"language": "xx"}, "'xx' is not one of"),
        ({"kind": "survey"}, "'survey' is not one of"),
        ({"base_url": "https://example.com/forms"}, "has a path"),
        ({"name": "", "kind": ""}, "without a terminal to ask in, give --name, --kind"),
    ],
)
def test_a_wrong_answer_is_wrong_use(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    done = init(tmp_path / "new", **changed)
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert not (tmp_path / "new").exists()


def test_in_a_terminal_it_asks_what_no_option_says_and_again_after_a_wrong_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(begin, "_can_ask", lambda: True)
    answers = "Example Ltd\nftp://x\nshop.example.com\n\nnewsletter\n"
    done = CliRunner().invoke(command, [str(tmp_path / "new")], input=answers)
    assert done.exit_code == 0, done.output
    assert "is no site" in done.output
    (definition,) = load_definitions(tmp_path / "new" / "forms").values()
    assert (definition.language, definition.origins) == ("en", ("https://shop.example.com",))
    settings = settings_in(tmp_path / "new" / ".env")
    assert settings["FORMAPP_BASE_URL"] == "https://forms.shop.example.com"


def test_a_path_that_servers_would_read_otherwise_is_refused(tmp_path: Path) -> None:
    done = init(tmp_path / "a folder")
    assert (done.exit_code, "choose another path" in done.output) == (1, True)


def test_a_form_can_be_added_later(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("FORMAPP_FORMS", raising=False)

    def new(*args: str) -> Result:
        return CliRunner().invoke(forms_command, ["new", *args])

    done = new("rueckruf", "--kind", "callback", "--language", "de")
    assert (done.exit_code, "forms/rueckruf.toml is written" in done.output) == (0, True)
    assert list(load_definitions(folder / "forms")) == ["contact", "rueckruf"]
    for args, said in (
        (["rueckruf"], "exists already"),
        (["Bad Name"], "can't be a form's name"),
        (["other", "--origin", "nowhere"], "origins"),
    ):
        done = new(*args)
        assert (done.exit_code, said in done.output) == (1, True), done.output
    assert list(load_definitions(folder / "forms")) == ["contact", "rueckruf"]


@pytest.mark.slow
def test_the_demo_shows_the_installations_own_form(folder: Path, commands: Commands) -> None:
    web, sandbox = free_port(), free_port()
    ports = ("--port", str(web), "--sandbox-port", str(sandbox))
    commands.start("demo", *ports, "--forms", str(folder / "forms"))
    wait_for(f"http://127.0.0.1:{web}/readyz")
    page = requests.get(f"http://127.0.0.1:{web}/f/contact", timeout=10).text
    assert "Nachricht senden" in page
    assert "Müller &amp; Söhne" in page
    form = folder / "forms" / "contact.toml"
    text = form.read_text("utf-8")

    def shown() -> str:
        return requests.get(f"http://127.0.0.1:{web}/f/contact", timeout=10).text

    def log() -> str:
        return (commands.folder / "demo.log").read_text("utf-8")

    form.write_text(text.replace("Nachricht senden", "Abschicken"), "utf-8")
    eventually(lambda: "Abschicken" in shown())
    form.write_text(text.replace("[[fields]]", "[[field]]", 1), "utf-8")
    eventually(lambda: "The forms stay as they were" in log())
    assert "Abschicken" in shown()
    answers = {"name": "Ada Lovelace", "email": "ada@example.com", "message": "?", "privacy": "yes"}
    assert send(f"http://127.0.0.1:{web}", "contact", **answers).status_code == 303
    assert f"http://127.0.0.1:{web}/f/contact" in (commands.folder / "demo.log").read_text()


@pytest.mark.slow
def test_serve_runs_in_the_folder_with_the_settings_as_written(
    folder: Path, commands: Commands
) -> None:
    written = settings_in(folder / ".env")
    settings = {name.removeprefix("FORMAPP_"): value for name, value in written.items()}
    port = free_port()
    commands.folder = folder
    settings |= {"WIX_API_KEY": "IST.example", "WIX_SITE_ID": SITE}
    commands.start("serve", "--port", str(port), **settings)
    wait_for(f"http://127.0.0.1:{port}/readyz")
    headers = {"Host": "forms.example.com", "X-Forwarded-Proto": "https"}
    page = requests.get(f"http://127.0.0.1:{port}/f/contact", headers=headers, timeout=10)
    assert (page.status_code, "Nachricht senden" in page.text) == (200, True)
    assert (folder / "data" / "formapp.db").exists()
