"""One HTTP session per site: time-outs always, no re-sending, no redirects, typed errors."""

import json
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from formapp.wix.answers import Answer, read_answer
from formapp.wix.errors import WixError
from formapp.wix.failures import failure_for
from formapp.wix.hooks import Hooks
from formapp.wix.operations import Operation
from formapp.wix.reply import Reply

BASE_URL = "https://www.wixapis.com"
USER_AGENT = "formapp-wix/1"


class Timeouts(NamedTuple):
    """Seconds to wait for a connection, and for each piece of an answer."""

    connect: float = 5.0
    read: float = 30.0


class _Headers(AuthBase):
    """Sets the headers of the auth layer.

    `requests` reads ~/.netrc into `Authorization` only where a request brings no auth of its own,
    so this is passed with every request, an empty one too.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


class _Session(requests.Session):
    """A session that knows no redirects.

    With `allow_redirects=False` alone, `requests` still works out where a redirect would lead, and
    a `Location` that cannot be parsed makes it raise after the call was sent.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere."""


class Transport:
    """Sends one call at a time per thread and checks its answer.

    Args:
        base_url: scheme and host, without a path below it unless a proxy wants one.
        timeouts: connect and read, in seconds.
        user_agent: sent as it is.
        hooks: what runs around each call.

    Raises:
        ValueError: `base_url` is no http or https address, or holds credentials.
    """

    def __init__(
        self,
        base_url: str = BASE_URL,
        *,
        timeouts: tuple[float, float] = Timeouts(),
        user_agent: str = USER_AGENT,
        hooks: Hooks | None = None,
    ) -> None:
        self._base_url = _checked(base_url)
        self._timeouts = Timeouts(*timeouts)
        self._hooks = hooks or Hooks()
        self._session = _session(user_agent)

    def send(
        self,
        operation: Operation,
        headers: Mapping[str, str],
        *,
        ident: str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Make the call once.

        Args:
            operation: what to call.
            headers: of the auth layer.
            ident: fills the placeholder of the path.
            query: query parameters; a list repeats its parameter, None is left out.
            body: JSON object.

        Raises:
            WixError: no success; nothing else is raised for what happens on the wire.
            ValueError: the id is blank, or the body cannot be written as JSON.
        """
        url = self._base_url + operation.path_for(ident)
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        self._hooks.before(operation)
        started = time.monotonic()
        try:
            response = self._exchange(operation, url, headers, query, data)
            answer = read_answer(operation, response)
        except WixError as error:
            self._hooks.after(operation, error.reply, time.monotonic() - started)
            raise
        reply = Reply(status=response.status_code, request_id=answer.request_id)
        self._hooks.after(operation, reply, time.monotonic() - started)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _exchange(
        self,
        operation: Operation,
        url: str,
        headers: Mapping[str, str],
        query: Mapping[str, Any] | None,
        data: bytes | None,
    ) -> requests.Response:
        """The only place that meets the failures of `requests`."""
        try:
            return self._session.request(
                operation.method,
                url,
                params=query,
                data=data,
                headers={} if data is None else {"Content-Type": "application/json"},
                auth=_Headers(headers),
                timeout=self._timeouts,
                allow_redirects=False,
            )
        except (OSError, HTTPError) as error:
            # RequestException is an OSError; a plain one comes from CA files that cannot be read.
            # Some answers that make no HTTP get through as urllib3's own errors.
            raise failure_for(operation, error) from error


def _session(user_agent: str) -> requests.Session:
    session = _Session()
    # Zero is HTTPAdapter's default. It is spelled out: a second POST may be a second contact.
    session.mount("https://", HTTPAdapter(max_retries=0))
    session.mount("http://", HTTPAdapter(max_retries=0))
    session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
    # Threads share the session; without cookies it has no state that they could race for.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _checked(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ValueError("base_url must be an http or https address without credentials")
    if parts.query or parts.fragment:
        raise ValueError("base_url must have no query and no fragment")
    return base_url.rstrip("/")
