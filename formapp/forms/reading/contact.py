"""E-mail addresses and web addresses."""

import re
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from formapp.forms.reading.text import fold, has_too_many_marks, remove_format_characters

_LONGEST_EMAIL = 320
_LONGEST_URL = 10_000
_DOTS = re.compile(r"\.+")
# These issued addresses with two dots in a row or one before the @ until April 2009, and au moved
# its own from ezweb.ne.jp to au.com: https://www.docomo.ne.jp/service/docomo_mail/rfc_add/ and
# https://github.com/EC-CUBE/ec-cube/issues/1325 (2,000 such customers in one shop).
_DOTTED_DOMAINS = frozenset({"docomo.ne.jp", "ezweb.ne.jp", "au.com"})
_GMAIL = frozenset({"gmail.com", "googlemail.com"})

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"[^\s.<>\"'`{}|\\^%\[\]]+(?:\.[^\s.<>\"'`{}|\\^%\[\]]+)+\.?")
_BEFORE_PATH = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?[^/?#]*")
_UNFILLED = re.compile(r"https?(?::/{0,2}(?:www\.?)?)?", re.IGNORECASE)


def read_email(text: str) -> str | None:
    """Return the address in lower case, its domain in ASCII.

    The part before the @ must be ASCII. Nothing is looked up; `.test` is accepted (RFC 6761).
    Dots where RFC 5322 has none are accepted for the carriers that issued such addresses.
    """
    if len(text) > _LONGEST_EMAIL:
        return None
    address = fold(text)
    # An encoded word (RFC 2047): mail software would decode it to another address.
    if "=?" in address:
        return None
    local, _, domain = address.rpartition("@")
    if domain.lower() in _DOTTED_DOMAINS and not local.startswith("."):
        plain = _validate(f"{_DOTS.sub('.', local).removesuffix('.')}@{domain}")
        return address.lower() if plain else None
    return _validate(address)


def _validate(address: str) -> str | None:
    try:
        found = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except (EmailNotValidError, ValueError):
        return None
    return found.ascii_email.lower() if found.ascii_email else None


def mailbox(address: str) -> str:
    """Return an address that `read_email` accepted as RFC 5322 writes it, quoted where needed."""
    local, _, domain = address.rpartition("@")
    return f'"{local}"@{domain}' if ".." in local or local.endswith(".") else address


def fold_gmail(address: str) -> str:
    """Return one address for all that reach the same Gmail mailbox; others as they are.

    Gmail ignores dots and what follows a `+`: https://support.google.com/mail/answer/7436150.
    """
    local, _, domain = address.lower().rpartition("@")
    if domain not in _GMAIL:
        return address
    return f"{local.partition('+')[0].replace('.', '')}@gmail.com"


def read_url(text: str) -> str | None:
    """Return an http(s) address, with `https://` where the scheme is missing.

    A text that is only the beginning of an address, such as `http://`, returns "": such fields
    come filled in. The host needs a dot, and user info is refused.
    """
    if len(text) > _LONGEST_URL or has_too_many_marks(text):
        return None
    line = _fold_host(text)
    if not line or _UNFILLED.fullmatch(line):
        return ""
    url = line if _SCHEME.match(line) else f"https://{line}"
    try:
        parts = urlsplit(url)
        host, has_port = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        return None
    if not has_port or "@" in parts.netloc or any(char.isspace() for char in url):
        return None
    return url if parts.scheme in {"http", "https"} and _HOST.fullmatch(host) else None


def _fold_host(text: str) -> str:
    """Fold scheme and host; the path only where they were typed in full-width forms too."""
    line = remove_format_characters(text).strip()
    folded = fold(line)
    if len(line) != len(folded):
        return folded
    found = _BEFORE_PATH.match(folded)
    end = found.end() if found else 0
    return folded if line[:end] != folded[:end] else folded[:end] + line[end:]
