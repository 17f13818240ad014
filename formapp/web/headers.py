"""The headers of every answer: content security, framing, CORS.

A form's list of origins drives all three; there is no second list to forget.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Request, Response
from werkzeug.datastructures import Headers

from formapp.forms.form import Form
from formapp.languages import SOURCE, spoken_for
from formapp.spam.providers import PROVIDERS
from formapp.web.brand import image_sources
from formapp.web.i18n import form_of, is_negotiated, language
from formapp.web.public.attribution import posting_origin
from formapp.web.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_CORS = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    # Formspree's clients send the last two.
    "Access-Control-Allow-Headers": (
        "Accept, Content-Type, Idempotency-Key, Formspree-Client, Formspree-Session-Data"
    ),
    # A page needs these to show when to try again, and its owner to find the log line.
    "Access-Control-Expose-Headers": "Retry-After, X-Request-Id",
    "Access-Control-Max-Age": "600",
}
# A `fetch` that didn't ask for JSON follows its post to the thank-you page.
_WITH_CORS = {"forms.challenge", "forms.origin", "forms.submit", "forms.thanks", "schema.show"}
_LOADED_BY_OTHER_SITES = {"static", "forms.embed_script", "forms.theme"}
_REDIRECTS = {301, 302, 303, 307, 308}
_WITHOUT_CONTENT = {204, 304}
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}")
_ALTCHA = {"connect-src": "'self'"}
# Other responses than pages run and load nothing, and no page may frame them. Images have no
# policy: an SVG contains its own styles.
_NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # Our own pages send their full address to us, and only their origin to other sites.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


class CompleteResponse(Response):
    """A response with all its headers: Werkzeug would copy each of them to add what is missing.

    Its content is text, or empty with a Content-Length; its Location, if any, is encoded.
    """

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Return the headers as they are, unless a hook has made it a response without content."""
        if self.status_code in _WITHOUT_CONTENT:
            return super().get_wsgi_headers(environ)
        return self.headers


def add_headers(request: Request, response: Response, app: Services) -> None:
    """Add the headers to an answer; a page's view may have set those of `page_headers`."""
    headers, mimetype, endpoint = response.headers, response.mimetype or "", request.endpoint
    _add(headers, _ALWAYS)
    form, is_redirect = form_of(request, app), response.status_code in _REDIRECTS
    policy = "" if is_redirect else headers.get("Content-Security-Policy", "")
    if policy.startswith("sandbox"):
        # A visitor's file: whatever its type, it has this policy, and no language of ours.
        return
    if mimetype == "text/html":
        if not policy:
            # A redirect shows nothing.
            images = () if is_redirect else image_sources(form)
            _add(headers, page_headers(app.origin, images=images))
        headers.add("Content-Language", language())
    elif not mimetype.startswith("image/"):
        headers.add("Content-Security-Policy", _NO_PAGE)
        if mimetype == "application/json" and response.status_code >= HTTPStatus.BAD_REQUEST:
            headers.add("Content-Language", spoken_for(language()) or SOURCE)
    if is_negotiated():
        headers.add("Vary", "Accept-Language")
    if endpoint in _WITH_CORS:
        _add_cors(request, response, form)
    elif endpoint in _LOADED_BY_OTHER_SITES:
        headers.add("Cross-Origin-Resource-Policy", "cross-origin")


def _add(headers: Headers, given: Mapping[str, str]) -> None:
    # As `extend`, which takes twice as long.
    for name, value in given.items():
        headers.add(name, value)


@lru_cache(maxsize=1024)
def page_headers(  # noqa: PLR0913 - the inputs of a policy, by keyword
    own: str,
    *,
    targets: tuple[str, ...] = (),
    ancestors: tuple[str, ...] | None = None,
    frames: tuple[str, ...] = (),
    images: tuple[str, ...] = (),
    challenge: str | None = None,
    sends_files: bool = False,
    is_preview: bool = False,
) -> Mapping[str, str]:
    """Return the headers that limit what a page loads and which pages frame it.

    Args:
        own: this server's origin.
        targets: origins that a post from the page may lead to.
        ancestors: origins whose pages may frame the page; None: no page, with a header for older
            browsers as well.
        frames: sources of the page's own frames.
        images: origins of its images, beside our own.
        challenge: the challenge of the form on the page.
        sends_files: a script of the page sends it, to show the progress.
        is_preview: the page shows a form that can't be sent.
    """
    directives = {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": " ".join(["'self'", "data:", *images]),
        "base-uri": "'none'",
        # Browsers apply this to the redirect after a post, too, which may lead elsewhere.
        "form-action": "'none'" if is_preview else " ".join(["'self'", own, *targets]),
        "frame-ancestors": " ".join(ancestors or ()) or "'none'",
        "connect-src": f"'self' {own}" if sends_files else "",
        "frame-src": " ".join(frames),
    }
    _allow_challenge(directives, challenge)
    policy = "; ".join(f"{name} {hosts}" for name, hosts in directives.items() if hosts)
    headers = {"Content-Security-Policy": policy}
    return headers if ancestors is not None else headers | {"X-Frame-Options": "DENY"}


def _allow_challenge(directives: dict[str, str], challenge: str | None) -> None:
    if not challenge:
        return
    needed = PROVIDERS[challenge].policy if challenge in PROVIDERS else _ALTCHA
    for name, hosts in needed.items():
        directives[name] = f"{directives.get(name, '')} {hosts}".strip()


def _add_cors(request: Request, response: Response, form: Form | None) -> None:
    """Let the pages of listed origins read the answer; never with credentials.

    Another page may read only why it was refused: its developer has to see it.
    """
    response.headers.add("Vary", "Origin")
    origin = request.environ.get("HTTP_ORIGIN")
    if not origin or not form:
        return
    if not form.allows_origin(posting_origin(request, form) or origin):
        is_reason = response.status_code == HTTPStatus.FORBIDDEN and response.is_json
        if is_reason and origin != "null":
            response.headers["Access-Control-Allow-Origin"] = origin
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    _add(response.headers, _CORS)
    asked_for = request.headers.get("Access-Control-Request-Headers", "")
    if request.method == "OPTIONS" and _HEADER_NAMES.fullmatch(asked_for):
        response.headers.add("Vary", "Access-Control-Request-Headers")
        response.headers.add("Access-Control-Allow-Headers", asked_for)
