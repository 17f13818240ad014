"""Where a post comes from (page, referrer, campaign), and whether it may come from there.

A form page stores its own query in the form's action, so that a form shown again with errors keeps
it. The action also keeps the address of another site's page while our page shows the errors of its
form. Queries are stored with the submission and never logged.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Request

from formapp.forms.definition.model import FormDefinition
from formapp.forms.form import Form
from formapp.forms.origins import matches, normalise, origin_of
from formapp.forms.tokens import (
    TOKEN_NAME,
    ExpiredTokenError,
    InvalidTokenError,
    Token,
    TokenContext,
    Use,
)
from formapp.languages import gettext_noop
from formapp.monitoring.refused_origins import ABSENT, HIDDEN
from formapp.web.errors import RefusalError
from formapp.web.i18n import language_query
from formapp.web.services import Services, services

MAX_LENGTH = 2000
MAX_UTM = 20
_REFERRER = "_referrer"
_PAGE = "_page"
USE = "_use"
"""The query parameter that marks a page in an iframe."""

_UNSAFE = re.compile(r"[\\\x00-\x20\x7f-\xa0]")
_FRAME = {"parent", "scheme", "heading"}
_OURS = {_REFERRER, _PAGE, USE, *_FRAME}
THEME = "theme."
"""Prefix of theme parameters in a query; field names contain no dot."""

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


@dataclass(frozen=True, repr=False)
class Attribution:
    """Where a submission came from.

    Attributes:
        page: the address of the page that the form was on.
        referrer: the address of the page before that.
        utm: `utm_*` parameters of the page.
    """

    page: str | None = None
    referrer: str | None = None
    utm: Mapping[str, str] = field(default_factory=dict)


def form_path(request: Request, form: Form) -> str:
    """Return the path of the form's page, as `url_for` would, which takes ten times as long."""
    return f"{request.root_path}/f/{form.name}"


def action(
    request: Request, form: Form, context: TokenContext, foreign: Attribution | None = None
) -> str:
    """Return the address that our own page posts to, with the page's query and the referrer.

    `foreign` is the attribution of another site's page whose form our page shows again.
    """
    query = action_query(request, form, context.use, foreign)
    return f"{form_path(request, form)}?{query}"


def action_query(request: Request, form: Form, use: Use, foreign: Attribution | None = None) -> str:
    """Return the query of the `action` address.

    Never empty: a post to the page's own address would drop the page from the browser's cache, and
    going back would load a page with another token.
    """
    own = language_query(form) | {USE: use}
    comes_from = request.environ.get("HTTP_REFERER")
    if not (foreign or request.query_string or comes_from):
        return "&".join(map("=".join, own.items()))  # a tag and a word, which need no quoting
    query = {key: value[:MAX_LENGTH] for key, value in request.args.items() if key != USE}
    if foreign:
        query |= {_PAGE: foreign.page} if foreign.page else {}
    elif comes_from and (referrer := _foreign_referrer(request, services().address)):
        # For a hosted page this is the referrer, for a frame the page that embeds it.
        query.setdefault(_PAGE if is_embedded(request) else _REFERRER, referrer)
    return urlencode(query | own)


def page_before(request: Request, foreign: Attribution | None = None) -> str | None:
    """Return the address, as sent, of the other site's page whose form our page shows again.

    `foreign` is as for `action`; from the second post on, the query of `action` has the page.
    """
    return foreign.page if foreign else _cut(request.args.get(_PAGE))


def thanks_query(request: Request) -> dict[str, str]:
    """Return the part of the form page's query that the thank-you page in an iframe needs."""
    return {key: value[:MAX_LENGTH] for key, value in request.args.items() if _is_look(key)}


def is_embedded(request: Request) -> bool:
    """Return whether the requested or the posting page is in an iframe."""
    if request.endpoint == "forms.show":
        return False
    return request.endpoint == "forms.embed" or request.args.get(USE) == "embed"


def own_attribution(request: Request, form: Form, address: str) -> Attribution:
    """Return the attribution of our own page: the requested one, or the one that posts.

    `address` is the prefix of links to this server.
    """
    args = request.args
    page = address + form_path(request, form)
    if not request.referrer and not args.keys() - {USE} and request.endpoint != "forms.embed":
        return Attribution(page)
    # The language is stored separately: only an action always has it in its query.
    language = language_query(form)
    own_query = {
        key: value[:MAX_LENGTH]
        for key, value in args.items()
        if key not in _OURS and key not in language and not _is_look(key)
    }
    around, referrer = (_cut(args.get(name)) for name in (_PAGE, _REFERRER))
    foreign = _foreign_referrer(request, address)
    page += f"?{urlencode(own_query)}" if own_query else ""
    if is_embedded(request):
        # embed.js sends the address and the referrer of the page.
        around = around or foreign or _cut(args.get("parent"))
        return Attribution(around or _cut(page), referrer, _utm(own_query))
    if around:
        return _elsewhere(around)
    return Attribution(_cut(page), referrer or foreign, _utm(own_query))


def _is_look(key: str) -> bool:
    return key in _FRAME or key.startswith(THEME)


def foreign_attribution(request: Request) -> Attribution:
    """Return the attribution of another site's page, from the headers of the browser."""
    return _elsewhere(_cut(request.referrer) or _cut(request.headers.get("Origin")))


def _elsewhere(page: str | None) -> Attribution:
    try:
        query = urlsplit(page or "").query
    except ValueError:  # stored anyway: the owner can read it
        query = ""
    return Attribution(page, None, _utm(dict(parse_qsl(query))))


def _foreign_referrer(request: Request, address: str) -> str | None:
    """Return the referrer, unless it is a page of this server."""
    if not (referrer := _cut(request.referrer)):
        return None
    own = (request.host_url, address + "/")
    return None if f"{referrer}/".startswith(own) else referrer


def _utm(query: Mapping[str, str]) -> dict[str, str]:
    found = ((key, value) for key, value in query.items() if key.startswith("utm_"))
    return dict(islice(found, MAX_UTM))


def _cut(text: str | None) -> str | None:
    return text[:MAX_LENGTH] if text else None


class Sender(NamedTuple):
    """Who sends a post; the fields are those of `formapp.web.public.accept.Post`."""

    attribution: Attribution
    use: Use
    is_own: bool
    token: Token | None
    origin_known: bool


def check_sender(request: Request, form: Form, app: Services, token_text: str | None) -> Sender:
    """Return the sender of a post with this token; raise RefusalError if it may not post here."""
    is_own = token_text is not None and is_own_page(request, app.origin)
    token = None
    if token_text is not None:
        with suppress(InvalidTokenError, ExpiredTokenError):
            token = app.signer.read(token_text, form.name)
    use: Use = "embed" if is_embedded(request) else "page"
    if is_own:
        attribution = own_attribution(request, form, app.address)
        return Sender(attribution, use, is_own, token, origin_known=True)
    if token:
        refuse_stolen_token(request, form)
    known = check_foreign(request, form)
    return Sender(foreign_attribution(request), use, is_own, None, known)


def is_own_page(request: Request, own_origin: str) -> bool:
    """Return whether a page of this server sent the post, according to the browser's headers.

    A client that sends neither header is not a browser, so no other site's page made it post.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is None or origin.lower() in {own_origin, origin_of(request.host_url)}


def posting_origin(request: Request, form: Form) -> str | None:
    """Return the origin of the page that posts.

    After a redirect between sites a browser sends `Origin: null`; its Referer still names the page,
    and no page of another site can forge that.
    """
    origin = request.headers.get("Origin")
    if origin == "null" and request.referrer:
        page = origin_of(request.referrer)
        return page if page and form.allows_origin(page) else origin
    return origin


def check_foreign(request: Request, form: Form) -> bool:
    """Allow the post of a form on another site, if its origin is on the list, or of a program.

    False if the origin is unknown and the form quarantines such posts.
    Raises RefusalError with what the owner of that page, or of that program, can do.
    """
    origin = posting_origin(request, form) or "null"
    if not request.headers.get("Origin") and _has_api_token(request):
        return True
    if origin == "null" and form.definition.spam.unknown_origin == "quarantine":
        return False
    if not form.allows_origin(origin):
        name = _name(request.headers.get("Origin"))
        _note(request, form, name)
        raise _refusal(name, form)
    return True


def _has_api_token(request: Request) -> bool:
    """Return whether a program sent one of the tokens; raise RefusalError if it sent another."""
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


def check_page(request: Request, form: Form) -> None:
    """Raise RefusalError if a page of this origin may not post; nothing is logged."""
    origin = request.headers.get("Origin")
    if not form.allows_origin(origin or "null"):
        raise _refusal(_name(origin), form)


def _refusal(origin: str, form: Form) -> RefusalError:
    if origin in {ABSENT, HIDDEN}:
        return RefusalError(403, "BLOCKED", _UNNAMED)
    return RefusalError(403, "BLOCKED", _NAMED, origin=origin, file=f"{form.name}.toml")


def note_preflight(request: Request, form: Form) -> None:
    """Note the origin of a preflight that fails: no post follows it."""
    _note_unlisted(request, form, request.headers.get("Origin"))


def note_frame(request: Request, form: Form) -> None:
    """Note the origin of a page that may not frame the form: of its script, else its referrer."""
    if request.headers.get("Sec-Fetch-Dest") == "iframe":
        page = request.args.get("parent") or request.referrer or ""
        _note_unlisted(request, form, origin_of(page))


def _note_unlisted(request: Request, form: Form, origin: str | None) -> None:
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


def refuse_stolen_token(request: Request, form: Form) -> None:
    """Refuse a post of another site's page with a genuine token, copied from one of our pages.

    `check_foreign` refuses sites that aren't listed.
    """
    origin = request.headers.get("Origin", "")
    if form.allows_origin(origin):
        # The source of our page was pasted into a page that may post here without a token.
        raise RefusalError(
            403,
            "BLOCKED",
            "This form was copied from our own page together with the hidden field %(name)s, "
            "which only works on our page. Site owner: remove that field from the copy. Until "
            "then, please open the form on its own page and send it from there.",
            name=TOKEN_NAME,
        )
    if origin in {"", "null"}:
        raise RefusalError(
            403,
            "BLOCKED",
            "This page is in a frame that hides where it comes from. Please open the form in "
            "a new window and send it from there.",
        )


def allowed_next(definition: FormDefinition, target: str | None) -> str | None:
    """Return the redirect target if its origin is on the form's list, else None.

    Addresses that browsers and parsers read differently (backslashes, control characters, user
    names, blanks) are refused first.
    """
    if not target or _UNSAFE.search(target):
        return None
    if not target.lower().startswith(("http://", "https://")):
        return None
    # `*` allows posts from every site, but not redirects to every site.
    origin = origin_of(target)
    listed = [entry for entry in definition.origins if entry != "*"]
    if origin is None or not any(matches(entry, origin) for entry in listed):
        return None
    # The result begins with the origin that was compared, in its normalised spelling.
    return origin + target.partition("://")[2].removeprefix(urlsplit(target).netloc)
