"""Who calls: API keys and app tokens (contract section 2)."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from formapp.sandbox.api.call import Caller
from formapp.sandbox.api.errors import WixError, envelope

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from formapp.sandbox.options import SandboxOptions, Settings
    from formapp.sandbox.state import Json

TOKEN_PREFIX = "OauthNG.JWS."  # noqa: S105 - the public start of every token, no secret
TOKEN_FIELDS = ("client_id", "client_secret", "instance_id")
MAX_SITE_ID = 200


@dataclass(frozen=True)
class Token:
    """An app token that was handed out; `expires` in seconds since the epoch."""

    app_id: str
    instance_id: str
    expires: float


class Tokens:
    """The app tokens that are out. They live in memory: a restart has clients ask again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, Token] = {}

    def issue(self, app_id: str, instance_id: str, now: float, lifetime: int) -> str:
        """Return a token for one app on one site."""
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with self._lock:
            self._tokens = {key: one for key, one in self._tokens.items() if one.expires > now}
            self._tokens[text] = Token(app_id, instance_id, now + lifetime)
        return text

    def find(self, text: str, now: float) -> Token | None:
        """Return the token if it is known and has not expired."""
        token = self._tokens.get(text)
        return token if token is not None and now < token.expires else None

    def revoke_all(self) -> None:
        """Forget all tokens, as if they had expired."""
        with self._lock:
            self._tokens = {}


def site_hint(headers: Headers, tokens: Tokens, now: float) -> str | None:
    """Return the site that a call concerns, without judging its credentials."""
    token = tokens.find(_credential(headers), now)
    return token.instance_id if token else headers.get("wix-site-id") or None


def authenticate(headers: Headers, tokens: Tokens, settings: Settings, now: float) -> Caller:
    """Return who calls.

    Any key is good. The contract has no answer for a key without a site; as the key alone
    gives no right to any site's contacts, it is 403 here.

    Raises:
        WixError: 401 without a credential or with an unknown or expired token; 403 without a
            site; either one if the settings refuse all credentials.
    """
    credential = _credential(headers)
    if not credential or settings.credentials == "unauthenticated":
        raise envelope(401)
    if settings.credentials == "forbidden":
        raise envelope(403)
    if credential.startswith(TOKEN_PREFIX):
        return _app(tokens.find(credential, now))
    return _key(credential, headers.get("wix-site-id", "").strip())


def _credential(headers: Headers) -> str:
    value = headers.get("Authorization", "").strip()
    scheme, _, rest = value.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else value


def _app(token: Token | None) -> Caller:
    if token is None:
        raise envelope(401)
    site = token.instance_id
    return Caller("app", site, f"app:{token.app_id}:{site}", token.app_id)


def _key(credential: str, site_id: str) -> Caller:
    if not site_id or len(site_id) > MAX_SITE_ID or "/" in site_id or not site_id.isprintable():
        raise envelope(403)
    digest = hashlib.sha256(credential.encode()).hexdigest()
    return Caller("key", site_id, f"key:{digest}:{site_id}")


def grant_token(
    body: Json, tokens: Tokens, options: SandboxOptions, settings: Settings, now: float
) -> Json:
    """Answer `POST /oauth2/token`. The instance id is the id of the site.

    Raises:
        WixError: 400 with an OAuth error (contract section 2.2).
    """
    if body.get("grant_type") != "client_credentials":
        raise _oauth_error("unsupported_grant_type")
    sent = [body.get(name) for name in TOKEN_FIELDS]
    app_id, secret, instance = (one if isinstance(one, str) else "" for one in sent)
    if not (app_id and secret and instance) or len(instance) > MAX_SITE_ID:
        raise _oauth_error("invalid_request")
    if settings.credentials != "accepted" or not _accepted(app_id, secret, options):
        raise _oauth_error("invalid_client")
    return {
        "access_token": tokens.issue(app_id, instance, now, settings.token_lifetime),
        "token_type": "Bearer",
        "expires_in": settings.token_lifetime,
    }


def _accepted(app_id: str, secret: str, options: SandboxOptions) -> bool:
    id_fits = options.app_id is None or app_id == options.app_id
    return id_fits and (options.app_secret is None or secret == options.app_secret)


def _oauth_error(error: str) -> WixError:
    return WixError(400, {"error": error})
