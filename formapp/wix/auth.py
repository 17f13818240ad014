"""The two ways to be let in (contract section 2), and the layer that uses them."""

import dataclasses
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from formapp.wix import errors
from formapp.wix.models import MalformedResponseError
from formapp.wix.operations import CREATE_TOKEN, Operation
from formapp.wix.transport import Answer, Transport

_MARGIN = 60.0
_LIFETIME = 14400.0
_HEADER_VALUE = re.compile(r"[!-~]+")

AskToken = Callable[[Mapping[str, str]], Answer]


class Auth(Protocol):
    """What the auth layer wants of credentials."""

    def headers(self, ask: AskToken) -> dict[str, str]:
        """Headers for the next call; `ask` makes a token request."""

    def refused(self, headers: Mapping[str, str]) -> bool:
        """After a 401 to a call with these headers: whether another try makes sense."""


def _checked(name: str, value: str) -> str:
    """A value that fits a header; the message never shows it."""
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError(f"{name} must be printable ASCII without blanks, and not empty")
    return value


@dataclasses.dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key for one site; it does not expire.

    Attributes:
        key: sent bare, without a scheme word.
        site_id: GUID, sent as `wix-site-id`.
        account_id: GUID, sent as `wix-account-id` only when given.

    Raises:
        ValueError: a value cannot stand in a header.
    """

    key: str = dataclasses.field(repr=False)
    site_id: str
    account_id: str | None = None

    def __post_init__(self) -> None:
        _checked("the API key", self.key)
        _checked("the site id", self.site_id)
        if self.account_id is not None:
            _checked("the account id", self.account_id)

    def headers(self, ask: AskToken) -> dict[str, str]:  # noqa: ARG002 - a key needs no token
        """`Authorization` and the ids."""
        headers = {"Authorization": self.key, "wix-site-id": self.site_id}
        if self.account_id is not None:
            headers["wix-account-id"] = self.account_id
        return headers

    def refused(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - see below
        """Never: the same key would be refused again."""
        return False


class AppToken:
    """Client credentials of an app on one site; the token is cached and shared by all threads.

    Args:
        app_id: app id.
        app_secret: app secret.
        instance_id: this app on one site; it fixes the site.
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

    def headers(self, ask: AskToken) -> dict[str, str]:
        """`Authorization` with a token that is good for a while yet.

        Raises:
            WixError: no token was to be had; `operation` is then `createAccessToken`.
        """
        with self._lock:
            if self._token is None or self._clock() >= self._renew_at:
                self._renew(ask)
            return {"Authorization": str(self._token)}

    def refused(self, headers: Mapping[str, str]) -> bool:
        """Drop the token that was refused, unless another thread has replaced it already."""
        with self._lock:
            if self._token == headers.get("Authorization"):
                self._token = None
        return True

    def _renew(self, ask: AskToken) -> None:
        self._token = None
        asked_at = self._clock()
        credentials = {
            "grant_type": "client_credentials",
            "client_id": self.app_id,
            "client_secret": self._secret,
            "instance_id": self.instance_id,
        }
        token, seconds = ask(credentials).read(_token)
        # A token shorter than two minutes would be stale at once with the whole margin.
        self._renew_at = asked_at + seconds - min(_MARGIN, seconds / 2)
        self._token = token


def _token(body: Mapping[str, Any]) -> tuple[str, float]:
    """Token and lifetime in seconds; without a lifetime, the documented four hours."""
    token, seconds = body.get("access_token"), body.get("expires_in")
    if not isinstance(token, str) or not _HEADER_VALUE.fullmatch(token):
        raise MalformedResponseError("no access token")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return token, float(seconds) if is_number and seconds else _LIFETIME


class Site:
    """One site: the transport with credentials. The verbs call this."""

    def __init__(self, transport: Transport, auth: Auth) -> None:
        self._transport = transport
        self._auth = auth

    def call(
        self,
        operation: Operation,
        *,
        ident: str | None = None,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Make the call; after a 401 to an access token, once more with a fresh one.

        That second try is safe for a write: a call that was not let in was not applied.

        Raises:
            WixError: no success.
        """
        headers = self._auth.headers(self._ask_token)
        try:
            return self._transport.send(operation, headers, ident=ident, query=query, body=body)
        except errors.UnauthorizedError:
            if not self._auth.refused(headers):
                raise
        headers = self._auth.headers(self._ask_token)
        return self._transport.send(operation, headers, ident=ident, query=query, body=body)

    def _ask_token(self, credentials: Mapping[str, str]) -> Answer:
        """Ask for a token. Its refusal has no published form (contract 2.2): every 4xx is one."""
        try:
            return self._transport.send(CREATE_TOKEN, {}, body=credentials)
        except errors.WixError as error:
            if error.status is None or error.retryable or isinstance(error, errors.ServerError):
                raise
            raise errors.UnauthorizedError(CREATE_TOKEN.name, error.details) from error
