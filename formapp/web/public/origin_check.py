"""Posts of other sites and of programs: the API token, and what follows a refused origin."""

import hashlib
import hmac

from flask import Request

from formapp.forms.form import Form
from formapp.forms.origins import normalise, origin_of
from formapp.languages import gettext_noop
from formapp.monitoring.refused_origins import ABSENT, HIDDEN
from formapp.web.errors import RefusalError
from formapp.web.services import services

_NAMED = gettext_noop(
    "This form doesn't accept submissions from %(origin)s. Please open the form on its own page "
    'and send it from there. Site owner: add "%(origin)s" to origins in %(file)s.'
)
_UNNAMED = gettext_noop(
    "This form can't tell which page this was sent from. Please open the form on its own page and "
    'send it from there. Programs: send "Authorization: Bearer" with a token of FORMAPP_API_TOKEN.'
)
_WRONG_TOKEN = gettext_noop(
    'The token after "Authorization: Bearer" is not in FORMAPP_API_TOKEN. Check that it is '
    "complete, and that it was not replaced."
)


def has_api_token(request: Request) -> bool:
    """Return whether a program sent one of the tokens.

    Raises:
        RefusalError: 401, it sent another one; 429, too often.
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    # Digests of equal length compare in constant time.
    digest = _digest(given.strip())
    if any(hmac.compare_digest(digest, _digest(each)) for each in services().api_tokens):
        return True
    services().limits.hit(request.remote_addr or "", "API tokens")
    raise RefusalError(401, "UNAUTHORIZED", _WRONG_TOKEN, {"WWW-Authenticate": "Bearer"})


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def refuse_origin(request: Request, form: Form) -> RefusalError:
    """Note a post from an origin that isn't on the list, and return the refusal."""
    origin = _name(request.headers.get("Origin"))
    _note(request, form, origin)
    if origin in {ABSENT, HIDDEN}:
        return RefusalError(403, "BLOCKED", _UNNAMED)
    return RefusalError(403, "BLOCKED", _NAMED, origin=origin, file=f"{form.name}.toml")


def check_preflight(request: Request, form: Form) -> None:
    """Note the origin of a preflight that fails: no post follows it."""
    origin = request.headers.get("Origin")
    if origin and not form.allows_origin(origin):
        _note(request, form, _name(origin))


def check_frame(request: Request, form: Form) -> None:
    """Note the origin of a page that may not frame the form: of its script, else its referrer."""
    if request.headers.get("Sec-Fetch-Dest") != "iframe":
        return
    origin = origin_of(request.args.get("parent") or request.referrer or "")
    if origin and not form.allows_origin(origin):
        _note(request, form, _name(origin))


def _name(origin: str | None) -> str:
    """Return an origin in its normal form, whose characters are harmless in any text."""
    if not origin:
        return ABSENT
    if "*" in origin:
        return HIDDEN
    try:
        return normalise(origin)
    except ValueError:
        return HIDDEN


def _note(request: Request, form: Form, origin: str) -> None:
    app = services()
    if origin in {app.origin, origin_of(request.host_url)}:
        return  # a page of ours
    try:
        # Counted apart from posts: other sites must not use the form's limit up.
        app.limits.hit(request.remote_addr or "", f"{form.name} refused")
    except RefusalError:
        return
    app.refused_origins.note(form.name, origin)
