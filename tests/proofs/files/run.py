"""Posts with files whose process is killed at each step between the first byte and the answer."""

import hashlib
import io
import os
import random
import signal
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from formapp.app import create_app
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.db.tables import files, submissions
from formapp.db.upgrade import upgrade
from formapp.files import intake, records, store, sweep
from formapp.files.store import FolderStore
from formapp.forms.definition.parse import parse_form
from formapp.forms.form import compile_form
from formapp.forms.tokens import TokenSigner
from formapp.leads import accept
from formapp.leads.anonymize import anonymize
from tests.support.files import keys_of
from tests.support.photos import FORM

KEY = "a key that is long enough"
OWN = "http://localhost"
STEPS: dict[str, tuple[Any, str]] = {
    "a content is arriving": (store.Spool, "write"),
    "arrived, not synced": (store.FolderStore, "put"),
    "renamed, its folder not synced": (store, "_sync"),
    "counted, not put": (intake.FileIntake, "put"),
    "put, not attached": (accept, "attach"),
    "put, not staged": (records, "stage"),
    "erased, its content not deleted": (store.FolderStore, "delete"),
}
"""What a process dies at: before this call."""

AFTER_COMMIT, RANDOM, NEVER = "committed, not answered", "random", "never"
_LONGEST_LIFE = 0.1
"""Seconds after which a process of the random sort is killed: about as long as a post takes."""


@dataclass
class Result:
    """What was found after all kills."""

    answered: int = 0
    leads: int = 0
    files: int = 0
    swept: int = 0
    lost: int = 0
    without_content: int = 0
    orphans: int = 0
    endings: Counter[str] = field(default_factory=Counter)

    @property
    def violations(self) -> int:
        """How many promises were broken."""
        return self.lost + self.without_content + self.orphans

    def __str__(self) -> str:
        """One line, and one for each way of ending."""
        ended = "".join(f"\n  {count:4} {name}" for name, count in sorted(self.endings.items()))
        return (
            f"{self.answered} answered, {self.leads} leads with {self.files} files; {self.lost} "
            f"lost, {self.without_content} rows without content, {self.swept} swept, "
            f"{self.orphans} orphans after that{ended}"
        )


def run(url: str, folder: Path, kills: int, seed: int) -> Result:
    """Post until so many processes were killed; then sweep, and compare rows and contents."""
    with closing(Database(url)) as database:
        upgrade(database)
    chance, result = random.Random(seed), Result()  # noqa: S311 - repeatable, no secret
    answered: dict[str, list[str]] = {}
    ways = [*STEPS, AFTER_COMMIT, RANDOM]
    number = killed = 0
    while killed < kills:
        way = NEVER if number % 5 == 0 else ways[number % len(ways)]
        sent, is_killed = _one(url, folder, way, number, chance)
        killed += is_killed
        result.endings[way if is_killed else f"{way}, not reached"] += 1
        if sent:
            answered[f"p{number}@example.com"] = sent
        number += 1
    result.answered = len(answered)
    with closing(Database(url)) as database:
        _compare(database, FolderStore(folder), answered, result)
    return result


def _one(
    url: str, folder: Path, way: str, number: int, chance: random.Random
) -> tuple[list[str], bool]:
    """Send one post in a process of its own; returns the hashes of its files if it was answered."""
    contents = [chance.randbytes(chance.choice([10, 70_000, 900_000])) for _ in range(2)]
    delay = chance.uniform(0, _LONGEST_LIFE)
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.close(reading)
        _live(url, folder, way, number, contents, delay, writing)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        is_answered = pipe.read() == b"303"
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise RuntimeError(f"the process failed by itself: {way}")
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    return (hashes if is_answered else []), os.WIFSIGNALED(status)


def _live(  # noqa: PLR0917 - all of one process
    url: str,
    folder: Path,
    way: str,
    number: int,
    contents: list[bytes],
    delay: float,
    writing: int,
) -> None:
    """The process: one post, or the erasure of a lead, until it dies."""
    try:
        given = {"SECRET_KEY": KEY, "BASE_URL": OWN, "DATABASE_URL": url, "FILES": str(folder)}
        given |= {"FILES_PER_ADDRESS": "off", "FILES_PER_FORM": "off"}
        settings = Settings.read({f"FORMAPP_{n}": text for n, text in given.items()}, web=True)
        form = compile_form("roof", parse_form("roof.toml", FORM))
        app = create_app(settings, forms={"roof": form}, database=Database(url))
        _arm(way, delay)
        if way == "erased, its content not deleted":
            _erase_one(Database(url), FolderStore(folder))
            return
        # One that is staged has an error elsewhere.
        email = "x" if way == "put, not staged" else f"p{number}@example.com"
        data: dict[str, Any] = {
            "_token": TokenSigner([KEY]).issue_for("roof", "000000000000", "page"),
            "email": email,
            "photos": [(io.BytesIO(each), "roof.jpg") for each in contents],
        }
        answer = app.test_client(use_cookies=False).post(
            "/f/roof",
            data=data,
            content_type="multipart/form-data",
            headers={"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        )
        os.write(writing, str(answer.status_code).encode())
    except BaseException as error:  # noqa: BLE001 - it must not go on as its parent
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)


def _arm(way: str, delay: float) -> None:
    """Have this process die at its step."""
    if way == RANDOM:
        signal.signal(signal.SIGALRM, lambda *_: _die())
        signal.setitimer(signal.ITIMER_REAL, max(delay, 0.001))
    elif way == AFTER_COMMIT:
        _patch(accept.GroupCommit, "keep", first=False)
    elif way in STEPS:
        _patch(*STEPS[way], first=True)


def _patch(owner: Any, name: str, *, first: bool) -> None:
    plain: Any = getattr(owner, name)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        if not first:
            plain(*args, **kwargs)
        return _die()

    setattr(owner, name, deadly)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _erase_one(database: Database, folder: FolderStore) -> None:
    now = datetime.now(UTC)
    with database.write() as connection:
        held = select(files.c.submission_id).where(files.c.submission_id.is_not(None)).limit(1)
        if found := connection.execute(held).scalar():
            anonymize(connection, [found], now)
    sweep.delete_erased(database, folder, now)


def _compare(
    database: Database, folder: FolderStore, answered: dict[str, list[str]], result: Result
) -> None:
    with database.read() as connection:
        rows = connection.execute(select(submissions)).all()
        held = connection.execute(select(files)).all()
        found = {row.id: records.of_submission(connection, row.id) for row in rows}
    is_there = set(keys_of(folder))
    # The content of an erased file may be gone before its row is.
    kept = [row for row in held if row.state != "erased"]
    result.without_content = sum(row.storage_key not in is_there for row in kept)
    by_email = {row.answers.get("email"): row for row in rows}
    erased = sum(row.erased_at is not None for row in rows)
    missing = [email for email in answered if email not in by_email]
    result.lost = max(0, len(missing) - erased)
    for email, hashes in answered.items():
        if row := by_email.get(email):
            result.lost += [each.sha256 for each in found[row.id]] != hashes
    for record in (each for records_ in found.values() for each in records_):
        with folder.open(record.key) as content:
            actual = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type] # a file
        result.without_content += actual != record.sha256
    result.leads, result.files = len(rows), sum(map(len, found.values()))
    _sweep(database, folder, result)


def _sweep(database: Database, folder: FolderStore, result: Result) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    result.swept = sweep.delete_erased(database, folder, later)
    result.swept += sweep.delete_orphans(database, folder, later, force=True).deleted
    result.swept += folder.sweep_spools(later)
    with database.read() as connection:
        named = set(connection.scalars(select(files.c.storage_key)))
    left = set(keys_of(folder))
    result.orphans = len(left - named) + sum(1 for _ in folder.folder.glob("incoming/*"))
    result.without_content += len(named - left)
