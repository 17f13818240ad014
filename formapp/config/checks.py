"""What is right for one setting: pure checks that return the value to use.

Each raises ValueError with what is wrong and what would be right; none repeats a value that may
hold a secret.
"""

import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import limits
from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

MIN_SECRET_LENGTH = 16
MIN_PASSWORD_LENGTH = 12
_SCHEMES = ("http://", "https://")
_IPV6 = re.compile(r"\[[0-9a-f:.]+\]")
_TOKEN = re.compile(r"[!-~]+")
_HOST = re.compile(r"[^\s:/?#@\[\]\\,*]+(?<![.])|[0-9a-f:.]*:[0-9a-f:.]*")


def split(value: object) -> object:
    """Return the parts of a comma-separated text, without blank ones; anything else as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def secret(keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    """Return keys that are long enough, the signing one first."""
    if any(len(key.get_secret_value()) < MIN_SECRET_LENGTH for key in keys):
        raise ValueError(
            f"is too short to be a secret: use at least {MIN_SECRET_LENGTH} random characters, "
            'such as python3 -c "import secrets; print(secrets.token_hex(32))" prints',
        )
    return keys


def password(value: SecretStr) -> SecretStr:
    """Return a password that is long enough to be guessed by nobody."""
    if len(value.get_secret_value()) < MIN_PASSWORD_LENGTH:
        raise ValueError(f"is too short: use at least {MIN_PASSWORD_LENGTH} characters")
    return value


def link(value: SecretStr) -> SecretStr:
    """Return an http(s) address; its path or query may be what keeps it secret."""
    _parts(value.get_secret_value())
    return value


def _parts(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", 0
    if not _HOST.fullmatch(host) or port == 0 or not value.lower().startswith(_SCHEMES):
        raise ValueError("is no web address; write it like https://forms.example.com")
    return parts


def address(value: str) -> str:
    """Return an http(s) address without a slash at its end."""
    parts = _parts(value)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("has more than an address; write it like https://forms.example.com")
    return value.rstrip("/")


def base(value: str) -> str:
    """Return an address that is a scheme, a host and perhaps a port, in lower case."""
    if urlsplit(value).path:
        # The pages' own links begin at the root.
        raise ValueError("has a path; forms need a host of their own, https://forms.example.com")
    return value.lower()


def hosts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return host names in lower-case ASCII."""
    return tuple(_host(name.lower()) for name in names)


def _host(name: str) -> str:
    if _IPV6.fullmatch(name):
        return name
    try:
        host = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host.removeprefix(".")) or ":" in host:
        raise ValueError(
            "takes host names without scheme and port, such as forms.example.com, "
            "parted by commas; .example.com stands for it and its subdomains",
        )
    return host


def database(value: str) -> str:
    """Return the address of a database that outlives the process; SQLite's folder must exist."""
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # the latter quotes what it takes for the port
        raise ValueError(
            "is no database address; write sqlite:///formapp.db "
            "or postgresql+psycopg://user@host/name",
        ) from None
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise ValueError("names an engine that formapp doesn't know; use sqlite or postgresql")
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise ValueError("names no file; submissions must outlive the process")
    if not Path(url.database).absolute().parent.is_dir():
        raise ValueError(f"is in a folder that doesn't exist: {Path(url.database).parent}")
    return value


def folder(value: Path) -> Path:
    """Return a path that is a folder."""
    if not value.is_dir():
        raise ValueError(f"is no folder: {value}")
    return value


def limit(value: str) -> str | None:
    """Return a rate limit such as `30/minute`, None for `off`."""
    if value.strip().lower() in {"off", ""}:
        return None
    try:
        amounts = [item.amount for item in limits.parse_many(value)]
    except ValueError:
        amounts = [0]
    if min(amounts) < 1:
        raise ValueError("is no limit; write it like 30/minute, or off")
    return value


def storage(value: SecretStr) -> SecretStr:
    """Return where limits are counted: `memory`, `database` or the address of a Redis."""
    text = value.get_secret_value()
    if text.lower() in {"memory", "database"}:
        return SecretStr(text.lower())
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise ValueError('is no storage; write "memory", "database" or redis://host:6379/0')
    if find_spec("redis") is None:
        raise ValueError("needs the package redis: pip install 'formapp[redis]'")
    return value


def plain_link(value: str) -> str:
    """Return an http(s) address that is no secret."""
    _parts(value)
    return value


def token(value: SecretStr) -> SecretStr:
    """Return what can stand in a header: printable ASCII without blanks."""
    if not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("holds a blank or a letter that no key has; copy it again, whole")
    return value


def word(value: str) -> str:
    """Return what can stand in a header, where it is no secret."""
    token(SecretStr(value))
    return value


def mailbox(value: str) -> str:
    """Return an e-mail address."""
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise ValueError("is no e-mail address; write it like owner@example.com") from None


def mailboxes(values: tuple[str, ...]) -> tuple[str, ...]:
    """Return e-mail addresses."""
    return tuple(mailbox(value) for value in values)


def smtp(value: SecretStr) -> SecretStr:
    """Return the address of a mail server."""
    try:
        parts = urlsplit(value.get_secret_value())
        usable = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise ValueError("is no mail server; write it like smtp://user:password@host:587")
    return value
