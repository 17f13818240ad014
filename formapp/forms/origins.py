"""Origins: the websites that may embed a form and post to it."""

import re
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.{_LABEL}\.)?{_LABEL}(?:\.{_LABEL})*")
_IPV6 = re.compile(r"[0-9a-f:.]+")
_LONGEST_HOST = 253
"""RFC 1035, section 2.3.4. Encoding a host (IDNA) takes quadratic time."""

_BROKEN = re.compile(r"[\s\\]")
_KEPT = re.compile("[\xdf\u03c2\u200c\u200d]")
"""Characters that browsers keep in a host (UTS 46, section 4) and Python's IDNA 2003 replaces."""


def normalise(text: str) -> str:
    """Return an origin as browsers send it: lower case, ASCII host, no default port.

    `*` (any website) and `https://*.example.com` (its subdomains) are patterns and stay as written.

    Raises:
        ValueError: With what would be right.
    """
    if text == "*":
        return text
    scheme, host, port, rest = _parts(text)
    if scheme not in _DEFAULT_PORTS or not host:
        ascii_only = "its host in ASCII, with xn--, as browsers send it"
        right = ascii_only if _KEPT.search(text.lower()) else "it as https://www.example.com"
        raise ValueError(f'"{text}" is not an origin; write {right}')
    origin = _joined(scheme, host, port)
    if rest:
        raise ValueError(f'"{text}" has more than an origin; write {origin}')
    return origin


def matches(listed: str, origin: str) -> bool:
    """Return whether a normalised entry of the list covers this normalised origin."""
    if listed in ("*", origin):
        return True
    before, wildcard, after = listed.partition("://*.")
    if not wildcard:
        return False
    scheme, parted, host = origin.partition("://")
    return bool(parted) and scheme == before and host.endswith(f".{after}") and "*" not in host


def origin_of(url: str) -> str | None:
    """Return the origin of an absolute http(s) address, or None if it has none."""
    scheme, host, port, _ = _parts(url)
    if scheme not in _DEFAULT_PORTS or not host or "*" in host or "@" in urlsplit(url).netloc:
        return None
    return _joined(scheme, host, port)


def _joined(scheme: str, host: str, port: int | None) -> str:
    return f"{scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}")


def _parts(text: str) -> tuple[str, str, int | None, bool]:
    try:
        parts = urlsplit(text)
        port, name = parts.port, parts.hostname or ""
    except ValueError:
        return "", "", None, False
    extra = "@" in parts.netloc or any((parts.path, "?" in text, "#" in text))
    host = "" if _BROKEN.search(text) else _ascii_host(name)
    return parts.scheme, host, port, bool(extra)


def _ascii_host(name: str) -> str:
    if ":" in name:
        return f"[{name}]" if _IPV6.fullmatch(name) else ""
    if len(name) > _LONGEST_HOST or _KEPT.search(name):
        return ""
    try:
        host = name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return ""
    return host if _HOST.fullmatch(host) else ""
