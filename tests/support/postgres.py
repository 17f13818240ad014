"""A PostgreSQL server of the tests' own, in a temporary folder."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.processes import free_port

_UNPRIVILEGED = ("postgres", "nobody")


class PostgresServer:
    """A running server that trusts everybody on this machine.

    Attributes:
        port: on 127.0.0.1.
        data: the data folder.
    """

    def __init__(
        self, binaries: Path, folder: Path, account: str | None, *, durable: bool = False
    ) -> None:
        self._binaries = binaries
        self._folder = folder
        self._account = account
        self.port = free_port()
        self.data = folder / "data"
        self._run("initdb", "-D", str(self.data), "-U", "formapp", "-A", "trust", "-E", "UTF8")
        self._settings = (
            f"-p {self.port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=200"
            # Tests are about what is written, not about what a power cut leaves of it.
            + ("" if durable else " -c fsync=off -c max_wal_size=128MB")
        )
        self.start()

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        log = self._folder / "log"
        self._run("pg_ctl", "-D", self.data, "-l", log, "-o", self._settings, "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop: `fast` drops the connections, `immediate` is as if it had crashed."""
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def url(self, name: str = "postgres") -> str:
        """The address of a database, as formapp takes it."""
        return f"postgresql+psycopg://formapp@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """An empty database for one test; gives its address and drops it at the end."""
        name = f"test_{uuid.uuid4().hex}"
        url = self.url().replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            create_database(connection, name)
        try:
            yield self.url(name)
        finally:
            with (
                contextlib.suppress(psycopg.OperationalError),
                psycopg.connect(url, autocommit=True) as connection,
            ):
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())

    def _run(self, program: str, *args: str | Path) -> None:
        done = subprocess.run(
            [self._binaries / program, *args],
            cwd=self._folder,
            user=self._account,
            group=None if self._account is None else pwd.getpwnam(self._account).pw_gid,
            # The server that pg_ctl starts would hold a pipe open for good.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, f"{program} failed: see {self._folder}"


def create_database(
    connection: psycopg.Connection[Any], name: str, template: str = "template1"
) -> None:
    """Make a database, an empty one or a copy."""
    # In memory, to copy the files takes half as long as to log each page; older ones do so anyway.
    how = "STRATEGY file_copy" if connection.info.server_version >= 150_000 else ""
    connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {how}'.encode())


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """Run a server; where PostgreSQL isn't installed, skip (but fail in CI).

    `durable`: what is committed outlives a power cut, as an owner's does; it is slower.
    """
    binaries = _binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("initdb is missing; in CI nothing is skipped")
        pytest.skip("initdb is missing: install Debian's postgresql to run this")
    # In memory, where tests keep their files (`conftest.py`), unless the disk is what matters.
    place = None if durable else os.environ.get("PYTEST_DEBUG_TEMPROOT")
    folder = Path(tempfile.mkdtemp(prefix="formapp-pg-", dir=place))
    account = _account()
    if account:
        shutil.chown(folder, account)
    server = PostgresServer(binaries, folder, account, durable=durable)
    try:
        yield server
    finally:
        with contextlib.suppress(AssertionError):
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    """The folder of initdb: Debian keeps it out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def _account() -> str | None:
    """Whom to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in accounts)
