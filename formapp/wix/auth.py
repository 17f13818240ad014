"""The two kinds of credentials (CONTRACT.md section 2), and the layer that applies them."""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from formapp.wix import errors
from formapp.wix.parsing import MalformedResponseError
from formapp.wix.transport import CREATE_TOKEN, JsonResponse, Operation, Transport

_MARGIN = 60.0
_LIFETIME = 14400.0
_HEADER_VALUE = re.compile(r"[!-~]+")

RequestToken = Callable[[Mapping[str, str]], JsonResponse]


class Auth(Protocol):
    """What the client needs of credentials."""

    def headers(self, request_token: RequestToken) -> dict[str, str]:
        """Headers for the next call."""

    def invalidate(self, headers: Mapping[str, str]) -> bool:
        """After a 401 to a call with these headers: whether to try once more."""


def _validate(name: str, value: str) -> None:
    # The message never shows the value.
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError(f"{name} must be printable ASCII without blanks, and not empty")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key for one site; it does not expire.

    Attributes:
        key: sent bare, without a scheme.
        site_id: GUID, sent as `wix-site-id`.
        account_id: GUID, sent as `wix-account-id` only when given.

    Raises:
        ValueError: a value does not fit in a header.
    """

    key: str = field(repr=False)
    site_id: str
    account_id: str | None = None

    def __post_init__(self) -> None:
        _validate("the API key", self.key)
        _validate("the site id", self.site_id)
        if self.account_id is not None:
            _validate("the account id", self.account_id)

    def headers(self, request_token: RequestToken) -> dict[str, str]:  # noqa: ARG002 - a key needs no token
        """`Authorization` and the ids."""
        headers = {"Authorization": self.key, "wix-site-id": self.site_id}
        if self.account_id is not None:
            headers["wix-account-id"] = self.account_id
        return headers

    def invalidate(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - see below
        """False: Wix would refuse the same key again."""
        return False


class AppToken:
    """Client credentials of an app on one site; all threads share the cached token.

    Args:
        app_id, app_secret: of the app.
        instance_id: this app on one site; it determines the site.
        clock: monotonic seconds.

    Raises:
        ValueError: a value is empty.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        instance_id: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not (app_id and app_secret and instance_id):
            raise ValueError("app id, app secret and instance id must not be empty")
        self.app_id = app_id
        self.instance_id = instance_id
        self._secret = app_secret
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"AppToken(app_id={self.app_id!r}, instance_id={self.instance_id!r})"

    def headers(self, request_token: RequestToken) -> dict[str, str]:
        """`Authorization` with a valid token.

        Raises:
            WixError: the token request failed; `operation` is then `createAccessToken`.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._renew_at:
                self._renew(request_token)
            return {"Authorization": str(self._token)}

    def invalidate(self, headers: Mapping[str, str]) -> bool:
        """Drop the refused token, unless another thread has replaced it already."""
        with self._lock:
            if self._token == headers.get("Authorization"):
                self._token = None
        return True

    def _renew(self, request_token: RequestToken) -> None:
        self._token = None
        requested_at = self._clock()
        credentials = {
            "grant_type": "client_credentials",
            "client_id": self.app_id,
            "client_secret": self._secret,
            "instance_id": self.instance_id,
        }
        token, seconds = request_token(credentials).parse(_token)
        # With the whole margin, a token that lives less than a minute would be stale at once.
        self._renew_at = requested_at + seconds - min(_MARGIN, seconds / 2)
        self._token = token


def _token(body: Mapping[str, Any]) -> tuple[str, float]:
    """Token and lifetime in seconds; the documented four hours where it is missing."""
    token, seconds = body.get("access_token"), body.get("expires_in")
    if not isinstance(token, str) or not _HEADER_VALUE.fullmatch(token):
        raise MalformedResponseError("no access token")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return token, float(seconds) if is_number and seconds else _LIFETIME


class AuthenticatedTransport:
    """The transport with one site's credentials."""

    def __init__(self, transport: Transport, auth: Auth) -> None:
        self._transport = transport
        self._auth = auth

    def call(
        self,
        operation: Operation,
        *,
        resource_id: str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> JsonResponse:
        """Make the call; after a 401 to an access token, once more with a new one.

        The second try is safe for a write: a call refused with 401 was not applied.
        """
        send = partial(
            self._transport.send, operation, resource_id=resource_id, query=query, body=body
        )
        headers = self._auth.headers(self._request_token)
        try:
            return send(headers)
        except errors.UnauthorizedError:
            if not self._auth.invalidate(headers):
                raise
        return send(self._auth.headers(self._request_token))

    def _request_token(self, credentials: Mapping[str, str]) -> JsonResponse:
        """Any 4xx is a refusal: its form is not published (CONTRACT.md section 2.2)."""
        try:
            return self._transport.send(CREATE_TOKEN, {}, body=credentials)
        except errors.WixError as error:
            if error.status is None or error.retryable or isinstance(error, errors.ServerError):
                raise
            raise errors.UnauthorizedError(CREATE_TOKEN.name, error.details) from error
