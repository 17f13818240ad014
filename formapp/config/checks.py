"""Checks of one setting each: pure functions that return the value to use.

Each raises ValueError with what is wrong and what would be right. No text repeats a value that may
be secret.
"""

import base64
import binascii
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import limits
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from formapp.forms.definition.uploads import read_size
from formapp.forms.reading.text import has_too_many_marks

MIN_SECRET_LENGTH = 16
MIN_PASSWORD_LENGTH = 12
_WEBHOOK_SECRET_BYTES = range(24, 65)
"""What Standard Webhooks allows."""

MAX_SITE_NAME = 40
MAX_PASSWORD_BYTES = 1024
"""Longer ones are refused unread when they are sent."""

_IPV6 = re.compile(r"\[[0-9a-f:.]+\]")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_TOKEN = re.compile(r"[!-~]+")
_CHAT = re.compile(
    r"(?:(?P<name>[a-z0-9][a-z0-9_-]{0,39})=)?(?P<url>(?P<scheme>[a-z][a-z0-9]*)://\S+)"
)
_SITE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HOST = re.compile(r"[^\s:/?#@\[\]\\,*]+(?<![.])|[0-9a-f:.]*:[0-9a-f:.]*")


def split(value: object) -> object:
    """Return the parts of a comma-separated text, without blank ones; other types unchanged."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


# Secrets and credentials.


def secret(value: str) -> str:
    if len(value) < MIN_SECRET_LENGTH:
        raise ValueError(
            f"is too short to be a secret: use at least {MIN_SECRET_LENGTH} random characters, "
            'such as python3 -c "import secrets; print(secrets.token_hex(32))" prints',
        )
    return value


def password(value: str) -> str:
    if len(value) < MIN_PASSWORD_LENGTH:
        raise ValueError(f"is too short: use at least {MIN_PASSWORD_LENGTH} characters")
    if len(value.encode()) > MAX_PASSWORD_BYTES:
        raise ValueError(f"is too long: use at most {MAX_PASSWORD_BYTES} bytes")
    if has_too_many_marks(value):
        raise ValueError("has more combining marks in a row than any language")
    return value


def metrics_token(value: str) -> str:
    """Check a secret that is sent in a header."""
    if len(value) > MAX_PASSWORD_BYTES:
        raise ValueError(f"is too long: use at most {MAX_PASSWORD_BYTES} characters")
    if not (value.isascii() and value.isprintable()):
        raise ValueError("has a character that a header can't have; use ASCII alone")
    return secret(value)


def word(value: str) -> str:
    """Check that a text fits into a header: printable ASCII without blanks."""
    if not _TOKEN.fullmatch(value):
        raise ValueError("has a space or a character that no key has; copy all of it again")
    return value


def header(value: str) -> str:
    """Check the name of a header that only a proxy may send."""
    if not _HEADER.fullmatch(value):
        raise ValueError("is no name of a header; write it like X-Forwarded-User")
    if value.lower() in {"host", "cookie", "authorization", "origin", "referer", "user-agent"}:
        raise ValueError("names a header that browsers send themselves")
    return value


def site_name(value: str) -> str:
    """Check the name of a Wix site: with `_` for `-`, it ends the names of its settings.

    So `_` is none of its characters. The incidents of all sites together have the site `all`.
    """
    if not _SITE.fullmatch(value) or len(value) > MAX_SITE_NAME:
        raise ValueError(
            f'"{value}" can\'t be a site\'s name; use lower-case letters, digits and "-", '
            f"{MAX_SITE_NAME} characters at most"
        )
    if value == "all" or f"-{value}".endswith("-file"):
        raise ValueError(f'"{value}" has another meaning in formapp; choose another name')
    return value


# Addresses.


def _url(value: str, schemes: set[str], problem: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(problem)
    return parts


def _web_url(value: str) -> SplitResult:
    problem = "is no web address; write it like https://forms.example.com"
    parts = _url(value, {"http", "https"}, problem)
    if not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(problem)
    return parts


def link(value: str) -> str:
    """Check that a text is an http(s) address of any kind."""
    _web_url(value)
    return value


def address(value: str) -> str:
    """Return an http(s) address without query, user and trailing slash."""
    parts = _web_url(value)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("has more than an address; write it like https://forms.example.com")
    return value.rstrip("/")


def base(value: str) -> str:
    """Return an address of scheme, host and optional port in lower case."""
    if urlsplit(value).path:
        # Links on the pages begin at the root.
        raise ValueError("has a path; forms need a host of their own, https://forms.example.com")
    return value.lower()


def host(value: str) -> str:
    """Return a host name in lower-case ASCII."""
    name = value.lower()
    if _IPV6.fullmatch(name):
        return name
    try:
        found = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        found = ""
    if not _HOST.fullmatch(found.removeprefix(".")) or ":" in found:
        raise ValueError(
            "takes host names without scheme and port, such as forms.example.com, "
            "separated by commas; .example.com includes all its subdomains",
        )
    return found


def database(value: str) -> str:
    """Return the address of a database that outlives the process; SQLite's folder must exist."""
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # the latter quotes a wrong port
        raise ValueError(
            "is no database address; write sqlite:///formapp.db "
            "or postgresql+psycopg://user@host/name",
        ) from None
    if url.get_backend_name() in {"postgres", "postgresql"}:  # libpq takes both
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    if url.drivername not in {"sqlite", "sqlite+pysqlite"}:
        raise ValueError("names an engine that formapp doesn't know; use sqlite or postgresql")
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise ValueError("names no file; submissions must outlive the process")
    if not Path(url.database).absolute().parent.is_dir():
        raise ValueError(f"is in a folder that doesn't exist: {Path(url.database).parent}")
    return value


def folder(value: Path) -> Path:
    if not value.is_dir():
        raise ValueError(f"is no folder: {value}")
    return value


# Limits, mail and notifications.


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


def storage(value: str) -> str:
    """Return the place where limits are counted: `memory`, `database` or a Redis address."""
    if value.lower() in {"memory", "database"}:
        return value.lower()
    problem = 'is no storage; write "memory", "database" or redis://host:6379/0'
    _url(value, {"redis", "rediss"}, problem)
    if find_spec("redis") is None:
        raise ValueError("needs the package redis: pip install 'formapp[redis]'")
    return value


def file_store(value: str) -> str:
    """Check where files are: a folder that exists, or whose parent does, or `s3://bucket/prefix`."""
    if value.startswith("s3://"):
        parts = _url(value, {"s3"}, "is no place of files; write it like s3://bucket/prefix")
        if parts.query or parts.fragment or "@" in parts.netloc or parts.port:
            raise ValueError("has more than a bucket and a prefix; use S3_ENDPOINT and S3_KEY_ID")
        if find_spec("boto3") is None:
            raise ValueError("needs the package boto3: pip install 'formapp[s3]'")
        return value
    path = Path(value).absolute()
    if path.exists() and not path.is_dir():
        raise ValueError(f"is no folder: {value}")
    if not path.parent.is_dir():
        raise ValueError(f"is in a folder that doesn't exist: {path.parent}")
    return value


def bytes_a_day(value: object) -> object:
    """Return bytes of a size such as `200 MB`, None for `off`."""
    if not isinstance(value, str):
        return value
    return None if value.strip().lower() == "off" else read_size(value)


def clamd(value: str) -> str:
    if value.startswith("unix:/"):
        return value
    problem = "is no address of clamd; write unix:/run/clamav/clamd.ctl or tcp://127.0.0.1:3310"
    if _url(value, {"tcp"}, problem).port is None:
        raise ValueError(problem)
    return value


def mailbox(value: str) -> str:
    """Return an e-mail address in its normal form."""
    try:
        return validate_email(value, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise ValueError("is no e-mail address; write it like owner@example.com") from None


def smtp(value: str) -> str:
    problem = "is no mail server; write it like smtp://user:password@host:587"
    _url(value, {"smtp", "smtps"}, problem)
    return value


def webhook_secret(value: str) -> str:
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not value.startswith("whsec_") or len(key) not in _WEBHOOK_SECRET_BYTES:
        raise ValueError(
            'is no secret of Standard Webhooks: "whsec_" and 24 to 64 bytes in base64, such as '
            'python3 -c "import base64, secrets; '
            "print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\" prints"
        )
    return value


def chat_urls(value: str) -> dict[str, str]:
    """Return the addresses of chats by name; one without a name is called by its scheme."""
    found: dict[str, str] = {}
    for entry in value.split():
        match = _CHAT.fullmatch(entry)
        if match is None:
            raise ValueError(
                "takes addresses of Apprise with names of your own, separated by blanks or line "
                "ends, such as sales=slack://token/#leads"
            )
        name = match["name"] or match["scheme"]
        if name in found:
            raise ValueError(f'has two entries called {name}; name them, such as "sales=slack://…"')
        found[name] = match["url"]
    return found


def chats(value: str) -> str:
    """Check the addresses of chats, and that Apprise is there to read them."""
    chat_urls(value)
    if find_spec("apprise") is None:
        raise ValueError("needs the package apprise: pip install 'formapp[chat]'")
    return value
