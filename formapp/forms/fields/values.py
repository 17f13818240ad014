"""From what a visitor typed to a value: pure functions that never raise.

Each parser takes cleaned text and returns the value, or None where the text doesn't fit.
"""

import re
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from formapp.forms.countries import COUNTRIES
from formapp.forms.reading.text import normalize, remove_format_characters

_LARGEST_EXPONENT = 15
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HOST = re.compile(r"[^\s.<>\"'`{}|\\^%\[\]]+(?:\.[^\s.<>\"'`{}|\\^%\[\]]+)+\.?")
# RFC 5646 section 2.1 without grandfathered tags and languages of more than three letters, of
# which none is registered.
_LANGUAGE = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3})(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|\d{3}))?(?P<rest>(?:-(?:[a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?)",
    re.IGNORECASE | re.ASCII,
)
# Of Unicode's categories Cc, Cs, Zl and Zp (line and paragraph ends). Cs: a lone surrogate can't
# be stored or sent as UTF-8.
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029"
_NOT_IN_LINES = re.compile(f"[{_CONTROLS}]")
_NOT_IN_LINE = re.compile(f"[\t\n{_CONTROLS}]")


def clean_line(text: str) -> str:
    """Return one line: NFC, line ends and control characters as blanks, trimmed."""
    return _NOT_IN_LINE.sub(" ", normalize(text)).strip()


def clean_lines(text: str) -> str:
    """Return lines parted by LF: NFC, no control character but tab, trimmed as a whole."""
    unified = normalize(text).replace("\r\n", "\n").replace("\r", "\n")
    return _NOT_IN_LINES.sub(" ", unified).strip()


def clean_token(text: str) -> str:
    """Return one line without invisible format characters, which come along when pasting."""
    return clean_line(remove_format_characters(text))


def parse_number(text: str) -> int | float | None:
    """Return a finite decimal number, whole ones as int; at most 15 digits before the point."""
    if not _NUMBER.fullmatch(text):
        return None
    number = Decimal(text)
    if not number:
        return 0
    if abs(number.adjusted()) >= _LARGEST_EXPONENT:
        return None
    return int(number) if number == number.to_integral_value() else float(number)


def parse_date(text: str) -> str | None:
    """Return a real calendar date as `YYYY-MM-DD`."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def parse_url(text: str) -> str | None:
    """Return an http(s) address; where the scheme is missing, `https://` is put in front.

    The host needs a dot, and user info is refused: nobody's web page needs either otherwise.
    """
    url = text if _SCHEME.match(text) else f"https://{text}"
    try:
        parts = urlsplit(url)
        host, fine = parts.hostname or "", parts.port is None or parts.port > 0
    except ValueError:
        return None
    if not fine or "@" in parts.netloc or any(char.isspace() for char in url):
        return None
    return url if parts.scheme in {"http", "https"} and _HOST.fullmatch(host) else None


def parse_email(text: str) -> str | None:
    """Return the normalised address: lower case, the domain in ASCII.

    Nothing is looked up. The part before the @ must be ASCII, as browsers demand it too: whether
    Wix takes more is not known. `.test` is accepted (RFC 6761 keeps it for trials, and a refusal
    would help nobody), the other names that no mail can reach are not.
    """
    try:
        found = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except (EmailNotValidError, ValueError):
        return None
    return found.ascii_email.lower() if found.ascii_email else None


def parse_country(text: str) -> str | None:
    """Return an ISO 3166-1 alpha-2 code in capitals."""
    return text.upper() if text.upper() in COUNTRIES else None


def parse_locale(text: str) -> str | None:
    """Return a BCP 47 language tag in its usual capitals (`pt_pt` becomes `pt-PT`)."""
    found = _LANGUAGE.fullmatch(text.replace("_", "-"))
    if not found:
        return None
    script, region = found["script"], found["region"]
    parts = [found["language"].lower(), script and script.title(), region and region.upper()]
    return "-".join(part for part in parts if part) + found["rest"].lower()
