"""HTTP: one session per site, one attempt per call, and every failure as a typed error.

Time-outs always apply. Nothing is sent twice, but for a call with a refused access token, and no
redirect is followed. A success is status 200 with a JSON object (CONTRACT.md section 1).
"""

import email.utils
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from formapp.wix import errors
from formapp.wix.errors import ErrorDetails, Violation
from formapp.wix.parsing import MalformedResponseError, array, mapping, text

T = TypeVar("T")

BASE_URL = "https://www.wixapis.com"
USER_AGENT = "formapp-wix/1"

HEADER_VALUE = re.compile(r"[!-~]+")

_OK = 200
_LIFETIME = 14400.0
_log = logging.getLogger(__name__)


class Timeouts(NamedTuple):
    """Seconds to wait for a connection, and for each piece of a response."""

    connect: float = 5.0
    read: float = 30.0


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API (CONTRACT.md section 6).

    Attributes:
        path: template with at most one placeholder in braces.
        writes: whether it changes anything at Wix; some POSTs only read.
    """

    name: str
    method: str
    path: str
    writes: bool = True

    def path_for(self, resource_id: str | None) -> str:
        """The path with its placeholder replaced by the percent-encoded id.

        ValueError where the id is blank or a dot segment, which would name another resource.
        """
        if "{" not in self.path:
            return self.path
        if not resource_id or not resource_id.strip() or resource_id in {".", ".."}:
            raise ValueError(f"{self.name} needs an id or a key")
        before, _, rest = self.path.partition("{")
        return before + quote(resource_id, safe="") + rest.partition("}")[2]


# To request a token changes nothing that a caller would have to check.
CREATE_TOKEN = Operation("createAccessToken", "POST", "/oauth2/token", writes=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call that was made, for logs and metrics. Holds no id, body or header.

    `status` is None when no complete response arrived; `code` is Wix's error code.
    """

    operation: str
    status: int | None
    request_id: str | None
    code: str | None
    seconds: float


RequestToken = Callable[[Mapping[str, str]], tuple[str, float]]
"""Exchanges credentials for a token and its lifetime in seconds."""


class Auth(Protocol):
    """What the client needs of credentials."""

    def headers(self, request_token: RequestToken) -> dict[str, str]:
        """Headers for the next call."""

    def invalidate(self, headers: Mapping[str, str]) -> bool:
        """After a 401 to a call with these headers: whether to try once more."""


class _Request(NamedTuple):
    operation: Operation
    url: str
    query: Mapping[str, Any] | None
    data: bytes | None


class _Session(requests.Session):
    """A session that knows no redirects.

    Even with `allow_redirects=False`, `requests` parses `Location` and raises on a malformed one,
    after the call was sent.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never a target."""


class Transport:
    """Sends calls with one site's credentials. Threads may share it; see `WixContacts`."""

    def __init__(  # noqa: PLR0913, PLR0917 - those of `WixContacts`
        self,
        auth: Auth,
        base_url: str,
        timeouts: tuple[float, float],
        before_call: Callable[[str], None] | None,
        on_call: Callable[[Call], None] | None,
        adapter: HTTPAdapter | None,
    ) -> None:
        parts = urlsplit(base_url)
        too_much = "@" in parts.netloc or parts.query or parts.fragment
        if parts.scheme not in {"http", "https"} or not parts.hostname or too_much:
            message = "base_url must be an http or https address"
            raise ValueError(f"{message} without credentials, query or fragment")
        self._auth = auth
        self._base_url = base_url.rstrip("/")
        self._timeouts = Timeouts(*timeouts)
        self._before_call = before_call
        self._on_call = on_call
        self._session = _Session()
        # Zero is HTTPAdapter's default, spelled out: a second POST may make a second contact.
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter or HTTPAdapter(max_retries=0))
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        # Without cookies the session has no state for which threads could race.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        operation: Operation,
        parse: Callable[[Mapping[str, Any]], T],
        *,
        resource_id: str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """Make the call; after a 401 to an access token, once more with a new one.

        The second try is safe for a write: a call refused with 401 was not applied. In the query a
        list repeats its parameter. ValueError where the id is blank or the body is no JSON.
        """
        url = self._base_url + operation.path_for(resource_id)
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        request = _Request(operation, url, query, data)
        headers = self._auth.headers(self._request_token)
        try:
            return self._send(request, headers, parse)
        except errors.UnauthorizedError:
            if not self._auth.invalidate(headers):
                raise
        return self._send(request, self._auth.headers(self._request_token), parse)

    def _request_token(self, credentials: Mapping[str, str]) -> tuple[str, float]:
        """Any 4xx is a refusal: its form is not published (CONTRACT.md section 2.2)."""
        url = self._base_url + CREATE_TOKEN.path
        request = _Request(CREATE_TOKEN, url, None, json.dumps(credentials).encode())
        try:
            return self._send(request, {}, _token)
        except errors.WixError as error:
            if error.status is None or error.retryable or isinstance(error, errors.ServerError):
                raise
            raise errors.UnauthorizedError(CREATE_TOKEN.name, error.details) from error

    def _send(
        self,
        request: _Request,
        headers: Mapping[str, str],
        parse: Callable[[Mapping[str, Any]], T],
    ) -> T:
        """Make the call once, and report it."""
        if self._before_call:
            self._before_call(request.operation.name)
        started, details = time.monotonic(), ErrorDetails()
        try:
            response = self._exchange(request, headers)
            body = _json(response)
            details = _details(request.operation, response, mapping(body))
            return _read(request.operation, body, details, parse)
        except errors.WixError as error:
            details = error.details
            raise
        finally:
            self._report(request.operation, details, time.monotonic() - started)

    def _exchange(self, request: _Request, headers: Mapping[str, str]) -> requests.Response:
        def set_headers(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
            prepared.headers.update(headers)
            return prepared

        try:
            return self._session.request(
                request.operation.method,
                request.url,
                params=request.query,
                data=request.data,
                headers={} if request.data is None else {"Content-Type": "application/json"},
                # Without auth of its own, `requests` would take one from ~/.netrc.
                auth=set_headers,
                timeout=self._timeouts,
                allow_redirects=False,
            )
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # RequestException is an OSError; a plain one comes from an unreadable CA file. Some
            # malformed responses arrive as urllib3's own errors.
            raise _network_error(request.operation, error) from error

    def _report(self, operation: Operation, details: ErrorDetails, seconds: float) -> None:
        """Run `on_call`. An observer that fails must not hide the outcome of a write."""
        if not self._on_call:
            return
        call = Call(operation.name, details.status, details.request_id, details.code, seconds)
        try:
            self._on_call(call)
        except Exception:  # noqa: BLE001 - whatever the observer raises, see above
            _log.exception("on_call failed for %s", operation.name)


# Raised before the request is sent: while the connection, the proxy or the TLS session is set up.
# Not InvalidHeader: a malformed header of a response raises it too.
_BEFORE_SENDING = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)
# A read time-out inside the body arrives as a plain ConnectionError around urllib3's own.
_TIMED_OUT = (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError)


def _network_error(operation: Operation, error: Exception) -> errors.WixError:
    """Any failure that is not known to happen before sending counts as sent."""
    chain = tuple(_chain(error))
    if any(isinstance(link, _BEFORE_SENDING) for link in chain):
        return errors.ConnectError(operation.name)
    timed_out = any(isinstance(link, _TIMED_OUT) for link in chain)
    kind = errors.RequestTimeoutError if timed_out else errors.ConnectionLostError
    return kind(operation.name, maybe_applied=operation.writes)


def _chain(error: BaseException, depth: int = 8) -> Iterator[BaseException]:
    """The error and what it wraps: urllib3 uses `reason`, requests its arguments.

    Not `__context__`: that leads to whatever the caller was handling when it made this call, which
    may be an earlier failure to connect.
    """
    yield error
    if depth:
        for link in (getattr(error, "reason", None), error.__cause__, *error.args):
            if isinstance(link, BaseException):
                yield from _chain(link, depth - 1)


# What is safe to log: codes, rule names, paths and request ids, but nothing a person would type.
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{2,}[A-Za-z0-9_]{0,80}", re.ASCII)
_ID = re.compile(r"[\w.:/-]{1,120}", re.ASCII)
_PATH = re.compile(r"[A-Za-z$][\w.:\[\]$-]{0,199}", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def _json(response: requests.Response) -> object:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _read(
    operation: Operation,
    body: object,
    details: ErrorDetails,
    parse: Callable[[Mapping[str, Any]], T],
) -> T:
    writes, reason = operation.writes, "no JSON object"
    if details.status != _OK:
        raise errors.error_for(operation.name, details, writes=writes)
    if isinstance(body, dict):
        try:
            return parse(body)
        except MalformedResponseError as error:
            reason = str(error)
    reason = f"unexpected response: {reason}"
    raise errors.UnexpectedResponseError(
        operation.name, details, maybe_applied=writes, reason=reason
    )


def _token(body: Mapping[str, Any]) -> tuple[str, float]:
    """Token and lifetime; the documented four hours where it is missing."""
    token, seconds = body.get("access_token"), body.get("expires_in")
    if not isinstance(token, str) or not HEADER_VALUE.fullmatch(token):
        raise MalformedResponseError("no access token")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return token, float(seconds) if is_number and seconds else _LIFETIME


def _details(
    operation: Operation, response: requests.Response, body: Mapping[str, Any]
) -> ErrorDetails:
    """What a response says beside its content; of a success no more than its request id."""
    status = response.status_code
    request_id = _matching(_ID, response.headers.get("X-Wix-Request-Id"))
    if status == _OK:
        return ErrorDetails(status, request_id=request_id)
    # Both branches of `details` may be missing (CONTRACT.md section 3.1).
    details = mapping(body.get("details"))
    application = mapping(details.get("applicationError"))
    violations = array(mapping(details.get("validationError")).get("fieldViolations"))
    # The token endpoint may answer in the form of RFC 6749, 5.2 (CONTRACT.md section 2.2).
    oauth = body.get("error") if operation is CREATE_TOKEN else None
    return ErrorDetails(
        status,
        code=_matching(_CODE, application.get("code", oauth)),
        data=mapping(application.get("data")),
        violations=tuple(_violation(raw) for raw in violations if isinstance(raw, dict)),
        request_id=request_id,
        retry_after=_retry_after(response.headers.get("Retry-After", "").strip()),
    )


def _violation(raw: Mapping[str, Any]) -> Violation:
    rule = _matching(_CODE, raw.get("violatedRule")) or _matching(_CODE, raw.get("ruleName"))
    path = _matching(_PATH, raw.get("field")) or "?"
    return Violation(path, rule, text(raw.get("description")) or "")


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _retry_after(value: str) -> float | None:
    """Seconds from a number or an HTTP date (RFC 9110, 10.2.3)."""
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
