"""A real Tryton with its party module, in an environment of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.crm.davservers import installed, running
from tests.support.processes import free_port

# With phonenumbers, Tryton spells phones in its own way.
PACKAGES = ("trytond==8.2.1", "trytond-party==8.2.0", "phonenumbers==9.0.20")
USER, PASSWORD = "admin", "the password of the admin"
_CONFIG = """
[database]
uri = sqlite://
path = {folder}
[web]
listen = 127.0.0.1:{port}
"""


def environment(cache: Path) -> Path:
    """The environment's folder, with a database in it; installed unless the cache has it."""
    return installed(cache, PACKAGES, _set_up)


def _set_up(folder: Path) -> None:
    """Make the database, which takes 13 s."""
    made = folder / "database"
    made.mkdir()
    (made / "crm.sqlite").touch()
    (made / "password").write_text(PASSWORD, "utf-8")
    (made / "config").write_text(_CONFIG.format(folder=made, port=0), "utf-8")
    command = [str(folder / "bin" / "python"), str(folder / "bin" / "trytond-admin")]
    options = ["-c", str(made / "config"), "-d", "crm", "-u", "party", "--activate-dependencies"]
    subprocess.run(
        [*command, *options, "--email", "admin@example.com", "-l", "en"],
        env={"TRYTONPASSFILE": str(made / "password")},
        capture_output=True,
        timeout=300,
        check=True,
    )


@contextmanager
def tryton(venv: Path, folder: Path) -> Iterator[str]:
    """Run it on a copy of the database; yields the database's address."""
    port = free_port()
    shutil.copy(venv / "database" / "crm.sqlite", folder)
    (folder / "config").write_text(_CONFIG.format(folder=folder, port=port), "utf-8")
    command = [str(venv / "bin" / "trytond"), "-c", str(folder / "config"), "-d", "crm"]
    with running(venv, folder, command, f"http://127.0.0.1:{port}/"):
        yield f"http://127.0.0.1:{port}/crm/"
