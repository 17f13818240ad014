"""The headers of every answer, in one place: content security, framing, CORS.

A form's list of origins drives all three; there is no second list to forget.
"""

from functools import lru_cache
from http import HTTPStatus

from flask import Flask, Response, g, request

from formapp.languages import SOURCE, spoken_for
from formapp.web.i18n import form_at_hand, is_negotiated, language
from formapp.web.public.challenge import with_challenge
from formapp.web.services import services

_CORS = {
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    # The last two are what Formspree's clients send.
    "Access-Control-Allow-Headers": (
        "Accept, Content-Type, Idempotency-Key, Formspree-Client, Formspree-Session-Data"
    ),
    # What a page needs to tell its visitor when to try again, and its owner which log line to find.
    "Access-Control-Expose-Headers": "Retry-After, X-Request-Id",
    "Access-Control-Max-Age": "600",
}
# What is no page runs nothing, shows nothing and stands in no frame; images are left alone, since
# one that is drawn by markup brings its style along.
_NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    # Our own posts tell their whole page to us, and other sites only that we exist.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def init_app(app: Flask) -> None:
    """Add the headers to every answer of the app."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    endpoint, mimetype = request.endpoint, response.mimetype or ""
    response.headers.extend(_ALWAYS)
    if endpoint in {"static", "forms.embed_script", "forms.theme"}:
        # Pages of other sites load these.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    _add_language(response, mimetype)
    if mimetype == "text/html":
        response.headers["Content-Security-Policy"] = _policy_at_hand()
        if "frame_ancestors" not in g:
            response.headers["X-Frame-Options"] = "DENY"
    elif not mimetype.startswith("image/"):
        response.headers["Content-Security-Policy"] = _NO_PAGE
    # To the thank-you page a `fetch` that didn't ask for JSON is led by its post.
    if endpoint in {"forms.challenge", "forms.submit", "forms.thanks", "schema.show"}:
        _add_cors(response)
    return response


def _add_language(response: Response, mimetype: str) -> None:
    """Say what language the answer is in, and that the browser's languages chose it."""
    if mimetype == "text/html":
        response.headers["Content-Language"] = language()
    elif mimetype == "application/json" and response.status_code >= HTTPStatus.BAD_REQUEST:
        response.headers["Content-Language"] = spoken_for(language()) or SOURCE
    if is_negotiated():
        response.vary.add("Accept-Language")


def _policy_at_hand() -> str:
    return _policy(
        services().origin,
        targets=g.get("form_targets", ()),
        ancestors=g.get("frame_ancestors", ()),
        frames=g.get("frame_sources", ()),
        challenge=g.get("challenge"),
        is_preview=g.get("is_preview", False),
    )


@lru_cache(maxsize=1024)
def _policy(  # noqa: PLR0913 - all that a policy depends on, by keyword
    own: str,
    *,
    targets: tuple[str, ...],
    ancestors: tuple[str, ...],
    frames: tuple[str, ...],
    challenge: str | None,
    is_preview: bool,
) -> str:
    directives = {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self' data:",
        "base-uri": "'none'",
        # Browsers hold the redirect after a post to this, too: the thank-you page may be elsewhere.
        "form-action": "'none'" if is_preview else " ".join(["'self'", own, *targets]),
        "frame-ancestors": " ".join(ancestors) or "'none'",
    }
    if frames:
        directives["frame-src"] = " ".join(frames)
    directives = with_challenge(directives, challenge)
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _add_cors(response: Response) -> None:
    """Let the pages of listed origins read the answer; never with credentials."""
    response.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    form = form_at_hand()
    if origin and form and form.definition.allows_origin(origin):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers.extend(_CORS)
