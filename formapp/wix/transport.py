"""One HTTP session per site: time-outs always, no re-sending, no redirects, typed errors."""

import dataclasses
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
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from formapp.wix import errors
from formapp.wix.errors import ErrorDetails, Violation, WixError, error_for
from formapp.wix.models import MalformedResponseError, array, mapping, text
from formapp.wix.operations import CREATE_TOKEN, Operation

# Raised while the connection, the proxy or the TLS session is set up, or before that. Not
# InvalidHeader: a wrong header of an answer raises it too.
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


def failure_for(operation: Operation, error: Exception) -> errors.WixError:
    """The typed error for what `requests` raised.

    Whatever is not known to have happened before sending counts as sent.
    """
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


_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call that was made, for logs and metrics. Holds no id, body or header.

    Attributes:
        operation, method, path_template: see `Operation`.
        status: HTTP status; None when no whole answer came.
        request_id: `X-Wix-Request-Id`.
        code: Wix's error code.
        seconds: how long it took.
    """

    operation: str
    method: str
    path_template: str
    status: int | None
    request_id: str | None
    code: str | None
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Hooks:
    """The two hooks; either may be missing.

    Attributes:
        before_call: gets the operation's name; what it raises passes through, nothing is sent.
        on_call: gets the `Call` afterwards.
    """

    before_call: Callable[[str], None] | None = None
    on_call: Callable[[Call], None] | None = None

    def before(self, operation: Operation) -> None:
        """Run `before_call`."""
        if self.before_call:
            self.before_call(operation.name)

    def after(self, operation: Operation, reply: ErrorDetails, seconds: float) -> None:
        """Run `on_call`. What it raises is logged and dropped.

        An observer that fails must not hide the outcome of a write.
        """
        if not self.on_call:
            return
        call = Call(
            operation=operation.name,
            method=operation.method,
            path_template=operation.path,
            status=reply.status,
            request_id=reply.request_id,
            code=reply.code,
            seconds=seconds,
        )
        try:
            self.on_call(call)
        except Exception:  # noqa: BLE001 - it is somebody else's code; see above
            _log.exception("on_call failed for %s", operation.name)


T = TypeVar("T")

_OK = 200
# What may stand in a log: codes, rule names and request ids, but nothing a person would type.
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{2,}[A-Za-z0-9_]{0,80}", re.ASCII)
_ID = re.compile(r"[\w.:/-]{1,120}", re.ASCII)
_PATH = re.compile(r"[A-Za-z$][\w.:\[\]$-]{0,199}", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON object of a success. Its repr does not show it."""

    operation: Operation
    body: Mapping[str, Any] = field(repr=False)
    request_id: str | None = None

    def read(self, parse: Callable[[Mapping[str, Any]], T]) -> T:
        """Parse the body.

        Raises:
            UnexpectedResponseError: a part is missing without which the answer means nothing.
        """
        try:
            return parse(self.body)
        except MalformedResponseError as error:
            reply = ErrorDetails(status=_OK, request_id=self.request_id)
            raise unexpected(self.operation, reply, str(error)) from error


def unexpected(
    operation: Operation, reply: ErrorDetails, reason: str
) -> errors.UnexpectedResponseError:
    """The error for an answer outside the contract: a write behind it may have been applied."""
    return errors.UnexpectedResponseError(
        operation.name, reply, maybe_applied=operation.writes, reason=f"unexpected answer: {reason}"
    )


def read_answer(operation: Operation, response: requests.Response) -> Answer:
    """Check status and shape; success is 200 with a JSON object (contract section 1).

    Raises:
        WixError: anything else, by its kind.
    """
    request_id = _safe(_ID, response.headers.get("X-Wix-Request-Id"))
    if response.status_code != _OK:
        raise error_for(operation, _reply(operation, response, request_id))
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        reply = ErrorDetails(status=_OK, request_id=request_id)
        raise unexpected(operation, reply, "no JSON") from error
    if not isinstance(body, dict):
        reply = ErrorDetails(status=_OK, request_id=request_id)
        raise unexpected(operation, reply, "no JSON object")
    return Answer(operation, body, request_id)


def _reply(
    operation: Operation, response: requests.Response, request_id: str | None
) -> ErrorDetails:
    """What the answer tells; its body may be empty, no JSON, or no object."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    details = mapping(mapping(body).get("details"))
    application = mapping(details.get("applicationError"))
    validation = mapping(details.get("validationError"))
    # The token endpoint may answer as RFC 6749 (5.2) has it (contract section 2.2).
    oauth = mapping(body).get("error") if operation is CREATE_TOKEN else None
    return ErrorDetails(
        status=response.status_code,
        code=_safe(_CODE, application.get("code", oauth)),
        data=mapping(application.get("data")),
        violations=tuple(
            _violation(entry)
            for entry in array(validation.get("fieldViolations"))
            if isinstance(entry, dict)
        ),
        request_id=request_id,
        retry_after=retry_after(response.headers.get("Retry-After")),
    )


def _violation(raw: Mapping[str, Any]) -> Violation:
    return Violation(
        field=_safe(_PATH, raw.get("field")) or "?",
        rule=_safe(_CODE, raw.get("violatedRule")) or _safe(_CODE, raw.get("ruleName")),
        description=text(raw.get("description")) or "",
    )


def _safe(pattern: re.Pattern[str], value: object) -> str | None:
    """The string if it has the form that may stand in a log."""
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def retry_after(value: str | None) -> float | None:
    """Seconds from a `Retry-After` header: a number, or an HTTP date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


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
            self._hooks.after(operation, error.details, time.monotonic() - started)
            raise
        reply = ErrorDetails(status=response.status_code, request_id=answer.request_id)
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
