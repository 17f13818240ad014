"""`formapp serve --reload` shows form files as they are now, and stays up while one is wrong."""

import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.support.forms import EMAIL_FIELD
from tests.support.processes import Commands, free_port

FORM = 'title = "{}"' + EMAIL_FIELD


def becomes(seen: Callable[[], object], seconds: float = 60) -> object:
    """Wait until something is so; a server that isn't up yet is no answer."""
    deadline = time.monotonic() + seconds
    found: object = None
    while not found and time.monotonic() < deadline:
        try:
            found = seen()
        except requests.ConnectionError:
            found = None
        time.sleep(0.05)
    return found


def test_a_server_that_reloads_shows_what_was_written_and_stands_faults(
    commands: Commands, tmp_path: Path
) -> None:
    folder, port = tmp_path / "forms", free_port()
    folder.mkdir()
    (folder / "one.toml").write_text(FORM.format("Before"))
    arguments = ("serve", "--reload", "--no-worker", "--port", str(port))
    commands.start(
        *arguments,
        FORMS=str(folder),
        SECRET_KEY="a key that is long enough",
        DATABASE_URL=f"sqlite:///{tmp_path / 'formapp.db'}",
    )

    def page(name: str) -> str:
        return requests.get(f"http://127.0.0.1:{port}/f/{name}", timeout=10).text

    def log() -> str:
        return (tmp_path / "serve.log").read_text("utf-8")

    assert becomes(lambda: "Before" in page("one"))
    (folder / "one.toml").write_text(FORM.format("After all"))
    assert becomes(lambda: "After all" in page("one"))

    def may_read() -> str | None:
        headers = {"Origin": "https://listed.example", "Access-Control-Request-Method": "POST"}
        answer = requests.options(f"http://127.0.0.1:{port}/f/one", headers=headers, timeout=10)
        return answer.headers.get("Access-Control-Allow-Origin")

    assert may_read() is None
    listed = 'origins = ["https://listed.example"]\n' + FORM.format("After all")
    (folder / "one.toml").write_text(listed)
    assert becomes(lambda: may_read() == "https://listed.example")
    (folder / "one.toml").write_text("titel = 1\n")
    assert becomes(lambda: "The forms stay as they were" in log())
    assert "one.toml:1: titel" in log()
    assert "After all" in page("one")
    (folder / "one.toml").write_text(FORM.format("Mended"))
    (folder / "two.toml").write_text(FORM.format("Another"))
    assert becomes(lambda: "Mended" in page("one") and "Another" in page("two"))
