"""The users of one installation, in its database.

`OWNER_PASSWORD` alone makes one, named `owner`, who has a row only after signing out everywhere.
A session names its user and a stamp, which changes with the password and with each such sign-out:
no list of sessions is kept.
"""

import hashlib
import hmac
import re
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from formapp.db.database import Database, upsert
from formapp.db.inbox_tables import users

Role = Literal["owner", "reader"]

OWNER = "owner"
"""The name of the user whose password is a setting."""

LEAST_PASSWORD = 12
LONGEST_PASSWORD = 1024
"""Bytes; longer ones are refused unread."""

_NAME = re.compile(r"[\w.@+-]{1,64}")
_hasher = PasswordHasher()
# The hash of a random text that was not kept: an unknown name takes as long as a wrong password.
# Hashing one at each start would take a fifth of a second; a test compares the parameters.
_DUMMY = (
    "$argon2id$v=19$m=65536,t=3,p=4$EZNMPKOP2uUO9LGjQ08Lwg$"
    "mfJW7u4aw/ZOzUIZxBZXa7+EyPwuhFKY5g+Mwm/tMdE"
)


CHECKS = 2
"""Passwords that are checked at once in one process: each check takes 64 MiB."""

PATIENCE = 5.0
"""Seconds that a sign-in waits for its turn."""

_checks = threading.BoundedSemaphore(CHECKS)


class TooManyChecksError(Exception):
    """So many passwords are being checked that this one had no turn."""


class UserError(ValueError):
    """The user can't be added or changed; the text says why."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in.

    Attributes:
        role: an `owner` may do everything, a `reader` only look and export.
        sites: whose leads they may see; None: of all sites.
        stamp: what a session of theirs must hold.
    """

    name: str
    role: Role = "owner"
    sites: tuple[str, ...] | None = None
    stamp: str = ""
    has_password: bool = True

    @property
    def may_act(self) -> bool:
        return self.role == "owner"


class Users:
    """Finds, adds and removes users.

    Args:
        owner_password: of the setting; None: there is no such user.
        sign: makes a keyed hash, so that a stamp reveals nothing of a password.
    """

    def __init__(
        self,
        database: Database,
        owner_password: str | None = None,
        sign: Callable[[str], str] = lambda text: hashlib.sha256(text.encode()).hexdigest(),
    ) -> None:
        self._database = database
        self._owner = None if owner_password is None else _digest(owner_password)
        self._sign = sign

    def is_empty(self) -> bool:
        """Return whether there is no user at all: then there is no inbox either."""
        if self._owner is not None:
            return False
        with self._database.read() as connection:
            named = select(users.c.name).where(users.c.name != OWNER).limit(1)
            return connection.execute(named).first() is None

    def find(self, name: str) -> User | None:
        if not _NAME.fullmatch(name):  # PostgreSQL takes no NUL
            return None
        with self._database.read() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
        if name == OWNER:
            if self._owner is None:
                return None
            epoch = row.epoch if row else 0
            return User(name, stamp=self._stamp(name, epoch, self._owner.hex()))
        if row is None:
            return None
        return User(
            name,
            row.role,
            None if row.sites is None else tuple(row.sites),
            self._stamp(name, row.epoch, row.password or ""),
            has_password=row.password is not None,
        )

    def check_password(self, name: str, password: str) -> User | None:
        """Return the user if this is their password. Takes as long for an unknown name.

        Raises TooManyChecksError if it had no turn.
        """
        if len(password.encode()) > LONGEST_PASSWORD:
            return None
        if name == OWNER and self._owner is not None:
            return self.find(name) if hmac.compare_digest(_digest(password), self._owner) else None
        stored = None
        if _NAME.fullmatch(name):
            with self._database.read() as connection:
                stored = connection.scalar(select(users.c.password).where(users.c.name == name))
        return self.find(name) if _is_right(stored or _DUMMY, password) and stored else None

    def list_all(self) -> list[User]:
        with self._database.read() as connection:
            names = set(connection.scalars(select(users.c.name)))
        found = (self.find(name) for name in sorted(names | {OWNER}))
        return [user for user in found if user]

    def add(
        self,
        name: str,
        password: str | None,
        *,
        role: Role = "owner",
        sites: tuple[str, ...] | None = None,
    ) -> None:
        """Add a user; without a password only a proxy can sign them in. Raises UserError."""
        if not _NAME.fullmatch(name):
            raise UserError(f"“{name}” is no name: use letters, digits and . @ + - _, 64 at most")
        if name == OWNER:
            raise UserError(
                f"“{OWNER}” is the user of the setting OWNER_PASSWORD: use another name"
            )
        row = {
            "name": name,
            "role": role,
            "sites": None if sites is None else list(sites),
            "password": None if password is None else hash_password(password),
            "created_at": datetime.now(UTC),
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(users), row)
        except IntegrityError:
            raise UserError(f"there is a user {name} already") from None

    def change_password(self, name: str, password: str) -> None:
        """Give a user another password, which ends their sessions. Raises UserError."""
        hashed = hash_password(password)
        with self._database.write() as connection:
            mine = update(users).where(users.c.name == name, users.c.name != OWNER)
            if not connection.execute(mine.values(password=hashed)).rowcount:
                raise UserError(self._unknown(name))

    def sign_out_everywhere(self, name: str) -> None:
        with self._database.write() as connection:
            if name == OWNER:
                values = {"role": "owner", "created_at": datetime.now(UTC)}
                more = {"epoch": users.c.epoch + 1}
                upsert(connection, users, {"name": name}, {**values, "epoch": 1}, changes=more)
            else:
                mine = update(users).where(users.c.name == name)
                connection.execute(mine.values(epoch=users.c.epoch + 1))

    def remove(self, name: str) -> None:
        """Remove a user, which ends their sessions. Raises UserError."""
        with self._database.write() as connection:
            gone = delete(users).where(users.c.name == name, users.c.name != OWNER)
            if not connection.execute(gone).rowcount:
                raise UserError(self._unknown(name))

    def _unknown(self, name: str) -> str:
        if name == OWNER:
            return f"“{OWNER}” is the user of the setting OWNER_PASSWORD: change or remove that"
        return f"there is no user {name}"

    def _stamp(self, name: str, epoch: int, secret: str) -> str:
        return self._sign(f"session\n{name}\n{epoch}\n{secret}")[:32]


def hash_password(password: str) -> str:
    """Return the stored form of a password (Argon2id); raises UserError if it is too short."""
    if len(password) < LEAST_PASSWORD:
        raise UserError(f"the password is too short: use at least {LEAST_PASSWORD} characters")
    if len(password.encode()) > LONGEST_PASSWORD:
        raise UserError(f"the password is too long: use at most {LONGEST_PASSWORD} bytes")
    return _hasher.hash(_normal(password))


def _is_right(stored: str, password: str) -> bool:
    """Compare a password with a stored form; raises TooManyChecksError."""
    if not _checks.acquire(timeout=PATIENCE):
        raise TooManyChecksError
    try:
        return _hasher.verify(stored, _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    finally:
        _checks.release()


def _normal(password: str) -> str:
    # Keyboards differ on umlauts.
    return unicodedata.normalize("NFC", password)


def _digest(password: str) -> bytes:
    # Digests of equal length compare in constant time.
    return hashlib.sha256(_normal(password).encode()).digest()
