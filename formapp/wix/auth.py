"""The two kinds of credentials (CONTRACT.md section 2)."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from formapp.wix.transport import HEADER_VALUE, RequestToken

_MARGIN = 60.0


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key for one site; it is sent bare, without a scheme, and does not expire.

    The ids are GUIDs. ValueError where a value fits no header.
    """

    key: str = field(repr=False)
    site_id: str
    account_id: str | None = None

    def __post_init__(self) -> None:
        values = {"API key": self.key, "site id": self.site_id, "account id": self.account_id}
        for name, value in values.items():
            # The message never shows the value.
            if value is not None and not HEADER_VALUE.fullmatch(value):
                raise ValueError(f"the {name} must be printable ASCII without blanks, not empty")

    def headers(self, request_token: RequestToken) -> dict[str, str]:  # noqa: ARG002 - a key needs no token
        headers = {"Authorization": self.key, "wix-site-id": self.site_id}
        if self.account_id is not None:
            headers["wix-account-id"] = self.account_id
        return headers

    def invalidate(self, headers: Mapping[str, str]) -> bool:  # noqa: ARG002 - see below
        """False: Wix would refuse the same key again."""
        return False


class AppToken:
    """Client credentials of an app on one site; all threads share the cached token.

    `instance_id` is this app on one site: it determines the site. `clock` gives monotonic seconds.
    ValueError where a value is empty.
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

        Where the token request fails, the `operation` of the WixError is `createAccessToken`.
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
        token, seconds = request_token(credentials)
        # With the whole margin, a token that lives less than a minute would be stale at once.
        self._renew_at = requested_at + seconds - min(_MARGIN, seconds / 2)
        self._token = token
