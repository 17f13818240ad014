"""Calls of a system over HTTP: one deadline for each, failures as `CrmError`s without any data."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests

from formapp.crm.system import UnauthorizedError, UnavailableError
from formapp.http import DEADLINE, DeadlineAdapter

CONNECT_SECONDS = 3.05
MAX_BYTES = 64 * 1024 * 1024
MAX_WAIT = timedelta(hours=1)
"""A system that asks for a longer pause is asked again after this one."""

_FORBIDDEN = (401, 403)
_BUSY = (429, 503)
_SERVER_ERRORS = 500
_REDIRECTS = range(300, 400)


class HttpCalls:
    """A session with one host."""

    def __init__(self, *, auth: tuple[str, str] | None = None, token: str | None = None) -> None:
        """`auth`: user and password; `token`: a bearer token."""
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "formapp"
        # Servers that compress an answer change its ETag, and then refuse that one in If-Match.
        self._session.headers["Accept-Encoding"] = "identity"
        adapter = DeadlineAdapter(max_bytes=MAX_BYTES)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        if auth:
            # Encoded here, since requests would use Latin-1.
            self._session.auth = (auth[0].encode(), auth[1].encode())  # type: ignore[assignment] # it takes both
        elif token:
            self._session.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self._session.close()

    def call(  # noqa: PLR0913 - the parts of a request, by keyword
        self,
        method: str,
        url: str,
        *,
        data: bytes | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        allow: tuple[int, ...] = (),
    ) -> requests.Response:
        """Return the answer with a status that is 2xx, 4xx or in `allow`.

        Redirects aren't followed: they would carry the credentials elsewhere.

        Raises:
            UnauthorizedError: 401 or 403, unless allowed.
            UnavailableError: no answer, a redirect, 429 or 5xx, unless allowed.
        """
        writes = method not in ("GET", "HEAD", "PROPFIND", "REPORT")
        try:
            answer = self._session.request(
                method,
                url,
                data=data,
                json=json,
                headers=headers,
                timeout=(CONNECT_SECONDS, DEADLINE),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            late = isinstance(error, requests.Timeout)
            what = "didn't answer in time" if late else f"can't be reached ({type(error).__name__})"
            unsure = writes and not isinstance(error, requests.ConnectTimeout)
            raise UnavailableError(f"{_host(url)} {what}", maybe_applied=unsure) from None
        self._refuse(answer, allow, writes=writes)
        return answer

    def _refuse(self, answer: requests.Response, allow: tuple[int, ...], *, writes: bool) -> None:
        status, host = answer.status_code, _host(answer.request.url or "")
        if status in allow:
            return
        if status in _FORBIDDEN:
            raise UnauthorizedError(f"{host} refuses the credentials ({status})")
        if status in _REDIRECTS:
            raise UnavailableError(f"{host} redirects ({status}): use the address it leads to")
        if status in _BUSY:
            reason = f"{host} asks for a pause ({status})"
            # 503 may come from a proxy whose upstream got the request.
            unsure = writes and status != 429  # noqa: PLR2004 - refused before it was applied
            raise UnavailableError(reason, wait=retry_after(answer), maybe_applied=unsure)
        if status >= _SERVER_ERRORS:
            raise UnavailableError(f"{host} failed ({status})", maybe_applied=writes)


def retry_after(answer: requests.Response) -> timedelta | None:
    """Return the pause that an answer asks for in seconds."""
    text = answer.headers.get("Retry-After", "").strip()
    return min(timedelta(seconds=int(text[:9])), MAX_WAIT) if text.isdecimal() else None


def _host(url: str) -> str:
    """With the port, if the address has one: on one machine there may be several systems."""
    return urlsplit(url).netloc.rpartition("@")[2] or "the system"
