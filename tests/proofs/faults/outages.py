"""The database is away: PostgreSQL restarts, SQLite is locked, the disk is full."""

import resource
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.proofs.faults.result import Result
from tests.proofs.faults.setting import Place, Setting, setting
from tests.proofs.faults.stage import Weather
from tests.proofs.faults.violations import Violation
from tests.support.postgres import PostgresServer

WEATHER = Weather(rate=0.1, edits=0.2)
SMALL_FILE = 4096
"""Bytes beyond which no file may be written."""


def restarted(place: Place, server: PostgresServer) -> Result:
    """PostgreSQL crashes under load; in the long form it stops in good order before."""
    with setting(place, WEATHER) as scene:
        _people_and_workers(scene)
        for mode in ("fast", "immediate") if place.long else ("immediate",):
            time.sleep(1.5)
            server.stop(mode)
            time.sleep(1.5)
            server.start()
        time.sleep(1.5)
        return _over(scene)


def locked(place: Place) -> Result:
    """Somebody holds SQLite's lock: longer than anybody waits for it."""
    with setting(place, WEATHER) as scene:
        _people_and_workers(scene)
        time.sleep(1.5)
        with sqlite3.connect(_file(place), isolation_level=None) as connection:
            connection.execute("BEGIN IMMEDIATE")
            refused = _until_refused(scene)
            time.sleep(30.0 if place.long else 1.0)
            connection.execute("ROLLBACK")
        connection.close()
        time.sleep(1.0)
        return _over(scene, refused)


def full(place: Place) -> Result:
    """The file system of the database has no room."""
    with setting(place, WEATHER) as scene:
        _people_and_workers(scene)
        time.sleep(1.5)
        filler = _file(place).parent / "filler"
        _fill(filler)
        refused = _until_refused(scene)
        filler.unlink()
        time.sleep(1.0)
        return _over(scene, refused)


def full_by_limit(place: Place) -> Result:
    """No file may grow: nearly a full disk, without a file system of its own."""
    with setting(place, WEATHER) as scene:
        pids = _people_and_workers(scene)
        time.sleep(1.5)
        before = [resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids]
        for pid, (_, most) in zip(pids, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALL_FILE, most))
        refused = _until_refused(scene)
        for pid, limits in zip(pids, before, strict=True):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        time.sleep(1.0)
        return _over(scene, refused)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of 32 MB (SQLite's log alone takes 4); None where none may be mounted."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _people_and_workers(scene: Setting) -> list[int]:
    nurseries = [scene.bear("web"), scene.bear("worker 1"), scene.bear("worker 2")]
    scene.visitors.start()
    return [nursery.pid for nursery in nurseries]


def _over(scene: Setting, violations: list[Violation] | None = None) -> Result:
    scene.visitors.stop()
    scene.stage.line("DELETE")
    return scene.result([*(violations or []), *scene.recovered()])


def _file(place: Place) -> Path:
    return Path(make_url(place.url).database or "")


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 512):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


def _until_refused(scene: Setting) -> list[Violation]:
    """Have visitors post until one is told that nothing could be kept; else nothing is tried.

    Until then room that SQLite had already taken may serve.
    """
    scene.visitors.may_post = lambda: True
    already = _refusals(scene)
    deadline = time.monotonic() + 30
    while _refusals(scene) == already:
        if time.monotonic() > deadline:
            return [Violation("unclear", "nobody was told that nothing could be kept")]
        time.sleep(0.05)
    time.sleep(1.5)
    return []


def _refusals(scene: Setting) -> int:
    return sum(each.unavailable for each in scene.visitors.sent)
