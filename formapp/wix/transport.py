"""HTTP: one session per site, one attempt per call, and every failure as a typed error.

Time-outs always apply. Nothing is sent twice and no redirect is followed. A success is status 200
with a JSON object (CONTRACT.md section 1).
"""

import email.utils
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple, TypeVar
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

_OK = 200
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

        Raises:
            ValueError: the id is blank or a dot segment, which would name another resource.
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

    Attributes:
        status: HTTP status; None when no complete response arrived.
        code: Wix's error code.
        seconds: duration.
    """

    operation: str
    status: int | None
    request_id: str | None
    code: str | None
    seconds: float


@dataclass(frozen=True, slots=True)
class JsonResponse:
    """The JSON object of a success. Its repr does not show it."""

    operation: Operation
    body: Mapping[str, Any] = field(repr=False)
    details: ErrorDetails

    def parse(self, parser: Callable[[Mapping[str, Any]], T]) -> T:
        """Apply the parser to the body; a malformed one is an `UnexpectedResponseError`."""
        try:
            return parser(self.body)
        except MalformedResponseError as error:
            raise _unexpected(self.operation, self.details, str(error)) from error


class _Session(requests.Session):
    """A session that knows no redirects.

    Even with `allow_redirects=False`, `requests` parses `Location` and raises on a malformed one,
    after the call was sent.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Never a target."""


class Transport:
    """Sends calls to one base URL. Threads may share it.

    Args:
        base_url: scheme and host, and a path only where a proxy needs one.
        adapter: sends the requests; it must not repeat any.
        before_call: gets the operation's name; an exception from it prevents the call.
        on_call: gets the `Call` afterwards, successful or not.

    Raises:
        ValueError: `base_url` is not an http or https address, or holds credentials.
    """

    def __init__(  # noqa: PLR0913 - collaborators and settings, all by keyword but one
        self,
        base_url: str = BASE_URL,
        *,
        timeouts: tuple[float, float] = Timeouts(),
        adapter: HTTPAdapter | None = None,
        user_agent: str = USER_AGENT,
        before_call: Callable[[str], None] | None = None,
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ValueError("base_url must be an http or https address without credentials")
        if parts.query or parts.fragment:
            raise ValueError("base_url must have no query and no fragment")
        self._base_url = base_url.rstrip("/")
        self._timeouts = Timeouts(*timeouts)
        self._before_call = before_call
        self._on_call = on_call
        self._session = _Session()
        # Zero is HTTPAdapter's default, spelled out: a second POST may make a second contact.
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter or HTTPAdapter(max_retries=0))
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        # Without cookies the session has no state for which threads could race.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def send(
        self,
        operation: Operation,
        headers: Mapping[str, str],
        *,
        resource_id: str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> JsonResponse:
        """Make the call once.

        Args:
            operation: what to call.
            headers: of the auth layer.
            resource_id: replaces the placeholder of the path.
            query: query parameters; a list repeats its parameter, None is left out.
            body: JSON object.

        Raises:
            WixError: anything but a success, network failures included.
            ValueError: the id is blank, or the body cannot be written as JSON.
        """

        def set_headers(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers.update(headers)
            return request

        url = self._base_url + operation.path_for(resource_id)
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        if self._before_call:
            self._before_call(operation.name)
        started = time.monotonic()
        try:
            received = self._session.request(
                operation.method,
                url,
                params=query,
                data=data,
                headers={} if data is None else {"Content-Type": "application/json"},
                # Without auth of its own, `requests` would take one from ~/.netrc.
                auth=set_headers,
                timeout=self._timeouts,
                allow_redirects=False,
            )
            response = _read(operation, received)
        except errors.WixError as error:
            self._report(operation, error.details, started)
            raise
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # RequestException is an OSError; a plain one comes from an unreadable CA file. Some
            # malformed responses arrive as urllib3's own errors.
            self._report(operation, ErrorDetails(), started)
            raise _network_error(operation, error) from error
        self._report(operation, response.details, started)
        return response

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _report(self, operation: Operation, details: ErrorDetails, started: float) -> None:
        """Run `on_call`. An observer that fails must not hide the outcome of a write."""
        if not self._on_call:
            return
        seconds = time.monotonic() - started
        call = Call(operation.name, details.status, details.request_id, details.code, seconds)
        try:
            self._on_call(call)
        except Exception:  # noqa: BLE001 - whatever the observer raises, see above
            _log.exception("on_call failed for %s", operation.name)


# Failures of `requests`: was the call sent, and may it have been applied?

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


# Responses

# What is safe to log: codes, rule names, paths and request ids, but nothing a person would type.
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{2,}[A-Za-z0-9_]{0,80}", re.ASCII)
_ID = re.compile(r"[\w.:/-]{1,120}", re.ASCII)
_PATH = re.compile(r"[A-Za-z$][\w.:\[\]$-]{0,199}", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def _read(operation: Operation, response: requests.Response) -> JsonResponse:
    request_id = _matching(_ID, response.headers.get("X-Wix-Request-Id"))
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    if response.status_code != _OK:
        details = _error_details(operation, response, mapping(body), request_id)
        raise errors.error_for(operation.name, details, writes=operation.writes)
    details = ErrorDetails(status=_OK, request_id=request_id)
    if not isinstance(body, dict):
        raise _unexpected(operation, details, "no JSON object")
    return JsonResponse(operation, body, details)


def _unexpected(operation: Operation, details: ErrorDetails, reason: str) -> errors.WixError:
    return errors.UnexpectedResponseError(
        operation.name,
        details,
        maybe_applied=operation.writes,
        reason=f"unexpected response: {reason}",
    )


def _error_details(
    operation: Operation,
    response: requests.Response,
    body: Mapping[str, Any],
    request_id: str | None,
) -> ErrorDetails:
    """Both branches of `details` may be missing (CONTRACT.md section 3.1)."""
    details = mapping(body.get("details"))
    application = mapping(details.get("applicationError"))
    violations = array(mapping(details.get("validationError")).get("fieldViolations"))
    # The token endpoint may answer in the form of RFC 6749, 5.2 (CONTRACT.md section 2.2).
    oauth = body.get("error") if operation is CREATE_TOKEN else None
    return ErrorDetails(
        status=response.status_code,
        code=_matching(_CODE, application.get("code", oauth)),
        data=mapping(application.get("data")),
        violations=tuple(
            Violation(
                field=_matching(_PATH, raw.get("field")) or "?",
                rule=_matching(_CODE, raw.get("violatedRule"))
                or _matching(_CODE, raw.get("ruleName")),
                description=text(raw.get("description")) or "",
            )
            for raw in violations
            if isinstance(raw, dict)
        ),
        request_id=request_id,
        retry_after=_retry_after(response.headers.get("Retry-After")),
    )


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _retry_after(value: str | None) -> float | None:
    """Seconds from a number or an HTTP date (RFC 9110, 10.2.3)."""
    value = (value or "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
