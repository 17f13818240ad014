"""Where a suite plays: a folder, durable databases, servers as processes of their own."""

import secrets
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

import psycopg
import pytest

from tests.proofs.benchmarks import peering
from tests.proofs.benchmarks.bodies import FORMS, SECRET
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.processes import SITE, environ, free_port, wait_for

ROOT = Path(__file__).parents[3]
KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's file system in memory
NEVER = "1000000/minute"
"""A limit that counts every post and is never reached."""


class NotHereError(Exception):
    """Something that a suite needs isn't on this machine; the text says what, in one line."""


class Stage:
    """A context manager: at its end every process is gone, and every file.

    Args:
        durable: what databases commit outlives a power cut, as an owner's does; else they don't
            wait for the disk, where a suite is about something else.
    """

    def __init__(self, *, durable: bool = True) -> None:
        self._stack = ExitStack()
        self._durable = durable
        self._postgres: PostgresServer | None = None
        self.folder = Path()

    def __enter__(self) -> Self:
        memory = MEMORY if not self._durable and MEMORY.is_dir() else None
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def database(self, kind: str) -> str:
        """The address of an empty database of this kind.

        Raises:
            NotHereError: PostgreSQL isn't installed.
        """
        if kind == "sqlite":
            return f"sqlite:///{self.folder / secrets.token_hex(4)}.db"
        if self._postgres is None:
            try:
                self._postgres = self._stack.enter_context(postgres_server(durable=self._durable))
            except pytest.skip.Exception as error:
                raise NotHereError(str(error)) from error
        return self._stack.enter_context(self._postgres.database())

    def formapp(self, *args: str, **settings: str) -> subprocess.Popen[str]:
        """Start a command of formapp that goes on; limits count, but never refuse."""
        given = {
            "SECRET_KEY": SECRET,
            "FORMS": str(FORMS),
            "LIMIT_PER_ADDRESS": NEVER,
            "LIMIT_PER_FORM": NEVER,
            "WIX_API_KEY": "IST.benchmark",
            "WIX_SITE_ID": SITE,
        }
        return self._start([sys.executable, "-m", "formapp", *args], environ(given | settings))

    def serve(self, *options: str, **settings: str) -> str:
        """Start a web server and wait until it is ready; its address."""
        base, _ = self.served(*options, **settings)
        return base

    def served(self, *options: str, **settings: str) -> tuple[str, subprocess.Popen[str]]:
        """The same, with the process beside the address."""
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        given = {"BASE_URL": base, **settings}
        process = self.formapp("serve", "--port", str(port), *options, **given)
        self.wait_for_answer(f"{base}/readyz")
        return base, process

    def flask(self, size: int = 1) -> str:
        """Start the floor; its page has this many bytes."""
        more = {"BENCHMARK_SECRET": SECRET, "BENCHMARK_BYTES": str(size)}
        return self._module(sys.executable, "flask_site", "/f/contact", more)

    def peer(self, module: str, path: str, database_url: str) -> str:
        """Start a peer in its own environment and wait for its page; the page's address.

        Raises:
            NoPeersError: it can't be installed.
        """
        more = {"BENCHMARK_SECRET": SECRET, "BENCHMARK_DATABASE": database_url}
        return self._module(str(peering.python()), module, path, more) + path

    def _module(self, python: str, module: str, path: str, more: dict[str, str]) -> str:
        port = free_port()
        name = f"tests.proofs.benchmarks.peers.{module}"
        self._start([python, "-m", name, str(port)], environ({}) | more)
        self.wait_for_answer(f"http://127.0.0.1:{port}{path}")
        return f"http://127.0.0.1:{port}"

    def wait_for_answer(self, url: str) -> None:
        """Wait until the address answers 200.

        Raises:
            RuntimeError: it doesn't within a minute; the text has the last line of the logs.
        """
        try:
            wait_for(url, 60)
        except AssertionError:
            said = self._log.read_text("utf-8").splitlines()[-1:]
            raise RuntimeError(f"{url} didn't answer; the last line of the logs: {said}") from None

    @property
    def _log(self) -> Path:
        return self.folder / "servers.log"

    def _start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
        with self._log.open("a") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log, text=True
            )
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(35)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def rows(database_url: str, table: str) -> int:
    """How many rows the table has; asked of the driver itself."""
    query = f"SELECT count(*) FROM {table}"  # noqa: S608 - names of our own
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as lite:
            return int(lite.execute(query).fetchone()[0])
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0
