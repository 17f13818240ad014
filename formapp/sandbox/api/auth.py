"""Who may call: API keys, app tokens, the rate limit (CONTRACT.md sections 2 and 4)."""

import hashlib
import secrets
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Literal, NamedTuple

from werkzeug.datastructures import Headers

from formapp.sandbox.api.errors import WixError, envelope
from formapp.sandbox.options import Settings
from formapp.sandbox.state import Json

TOKEN_PREFIX = "OauthNG.JWS."  # noqa: S105 - the public start of every token, no secret
TOKEN_FIELDS = ("client_id", "client_secret", "instance_id")
MAX_SITE_ID = 200
WINDOW = 60.0
"""The sliding window of the rate limit, in seconds."""


@dataclass(frozen=True)
class Caller:
    """Who makes a call.

    A "dashboard" caller is a person (control path only). `bucket` names the rate limit's counter
    and contains no secret; `app_id` is that of an app token.
    """

    kind: Literal["key", "app", "dashboard"]
    site_id: str
    bucket: str
    app_id: str | None = None


class Token(NamedTuple):
    """An app token; `expires` in seconds since the epoch."""

    app_id: str
    instance_id: str
    expires: float


Tokens = dict[str, Token]
"""By their text. They live in memory: after a restart clients ask again."""


class RateLimiter:
    """Counts calls per bucket. A refused call does not count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._allowed: defaultdict[str, deque[float]] = defaultdict(deque)

    def allow(self, bucket: str, now: float, limit: int) -> bool:
        """Count a call if it is within `limit` calls per window; 0 is no limit."""
        with self._lock:
            times = self._allowed[bucket]
            while times and times[0] <= now - WINDOW:
                times.popleft()
            if limit and len(times) >= limit:
                return False
            times.append(now)
            return True


def requested_site(headers: Headers, tokens: Tokens, now: float) -> str | None:
    """Return the site that a call concerns, before its credentials are checked."""
    token = _find(tokens, _credential(headers), now)
    return token.instance_id if token else headers.get("wix-site-id") or None


def authenticate(headers: Headers, tokens: Tokens, settings: Settings, now: float) -> Caller:
    """Return the caller. Any key is valid.

    CONTRACT.md has no answer for a key without a site; as a key alone gives access to no site's
    contacts, the sandbox answers 403.
    """
    credential = _credential(headers)
    if not credential or settings.credentials == "unauthenticated":
        raise envelope(401)
    if settings.credentials == "forbidden":
        raise envelope(403)
    if credential.startswith(TOKEN_PREFIX):
        token = _find(tokens, credential, now)
        if token is None:
            raise envelope(401)
        site = token.instance_id
        return Caller("app", site, f"app:{token.app_id}:{site}", token.app_id)
    site = headers.get("wix-site-id", "").strip()
    if not site or len(site) > MAX_SITE_ID or "/" in site or not site.isprintable():
        raise envelope(403)
    digest = hashlib.sha256(credential.encode()).hexdigest()
    return Caller("key", site, f"key:{digest}:{site}")


def _credential(headers: Headers) -> str:
    value = headers.get("Authorization", "").strip()
    scheme, _, rest = value.partition(" ")
    return rest.strip() if scheme.lower() == "bearer" else value


def _find(tokens: Tokens, text: str, now: float) -> Token | None:
    token = tokens.get(text)
    return token if token is not None and now < token.expires else None


def grant_token(body: Json, tokens: Tokens, settings: Settings, now: float) -> Json:
    """Answer `POST /oauth2/token`, or raise an OAuth error (CONTRACT.md section 2.2).

    Any app gets a token; its instance id is the id of the site.
    """
    if body.get("grant_type") != "client_credentials":
        raise WixError(400, {"error": "unsupported_grant_type"})
    sent = [body.get(name) for name in TOKEN_FIELDS]
    app_id, secret, instance = (one if isinstance(one, str) else "" for one in sent)
    if not (app_id and secret and instance) or len(instance) > MAX_SITE_ID:
        raise WixError(400, {"error": "invalid_request"})
    if settings.credentials != "accepted":
        raise WixError(400, {"error": "invalid_client"})
    lifetime, text = settings.token_lifetime, TOKEN_PREFIX + secrets.token_urlsafe(32)
    tokens[text] = Token(app_id, instance, now + lifetime)
    return {"access_token": text, "token_type": "Bearer", "expires_in": lifetime}
