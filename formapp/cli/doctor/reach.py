"""Plain HTTP: whether an address answers, and what time it is there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

from formapp.cli.doctor.findings import Finding, fault, hint, ok
from formapp.config.settings import Settings

_SECONDS = 5
_SKEW_HINT = 30
_SKEW_FAULT = 300


def check_base_url(settings: Settings) -> Iterator[Finding]:
    """Hints only: from here the way may be another than from where visitors are."""
    url = settings.base_url
    if url is None:
        message = "FORMAPP_BASE_URL isn't set: only visitors on this machine are served"
        yield hint("address", message, "set it to where visitors reach the server")
        return
    host = urlsplit(url).hostname or ""
    if url.startswith("http:") and host not in {"localhost", "127.0.0.1", "::1"}:
        message = f"{url} is not https: pages on https can't embed the forms"
        yield hint("address", message, "put a proxy with a certificate in front")
    answer = fetch(f"{url}/healthz")
    if answer is not None and answer.status_code == requests.codes.ok:
        yield ok("address", f"{url} answers")
    else:
        status = f" ({answer.status_code})" if answer is not None else ""
        message = f"{url}/healthz doesn't answer from here{status}"
        yield hint("address", message, "start `formapp serve`, or see the proxy and the firewall")


def check_clock(url: str, now: datetime) -> Iterator[Finding]:
    """Compare the clock with that of an address, which any answer tells (RFC 9110, 6.6.1)."""
    answer = fetch(url)
    try:
        there = parsedate_to_datetime(answer.headers["Date"] if answer is not None else "")
    except (KeyError, ValueError):
        return
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    seconds = round(abs((there - now).total_seconds()))
    message = f"this machine's clock is {seconds} s off the one at {urlsplit(url).hostname}"
    advice = "let the machine set its clock by NTP: leases and the rate budget go by it"
    if seconds > _SKEW_FAULT:
        yield fault("clock", message, advice)
    elif seconds > _SKEW_HINT:
        yield hint("clock", message, advice)
    else:
        yield ok("clock", "it agrees with Wix's")


def fetch(url: str) -> requests.Response | None:
    """Get an address without credentials; None if there is no answer."""
    try:
        # An auth of its own, as otherwise ~/.netrc is read for one.
        return requests.get(
            url, timeout=_SECONDS, allow_redirects=False, auth=lambda request: request
        )
    except (OSError, ValueError):
        return None
