"""Responses in HTML for people and in JSON for programs, with equal content."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import Response, jsonify, render_template, request
from flask_babel import gettext
from werkzeug.datastructures import Headers, MIMEAccept
from werkzeug.http import parse_accept_header

from formapp.forms.lead_form import FieldFault
from formapp.forms.messages import OF_FORM
from formapp.languages import gettext_noop
from formapp.web.errors import RefusalError
from formapp.web.headers import CompleteResponse, page_headers
from formapp.web.i18n import language, language_query, requested_form
from formapp.web.public.attribution import (
    allowed_next,
    foreign_attribution,
    form_path,
    is_embedded,
    page_before,
)
from formapp.web.services import services

_TITLES = {
    400: gettext_noop("We could not read this request"),
    401: "Please sign in",  # to a page of the owner, which is in English
    403: gettext_noop("You can't do this from here"),
    404: gettext_noop("Page not found"),
    405: gettext_noop("This request isn't supported"),
    413: gettext_noop("Too much to send"),
    415: gettext_noop("This content type isn't supported"),
    429: gettext_noop("Too many messages"),
    503: gettext_noop("The service is unavailable right now"),
}
_HTML = "text/html; charset=utf-8"
_TITLE = gettext_noop("Something went wrong")


def wants_json() -> bool:
    return prefers_json(request.headers.get("Accept", ""))


@lru_cache(maxsize=64)
def prefers_json(accept: str) -> bool:
    """Return whether this `Accept` header prefers JSON to HTML."""
    # Without parameters: `application/json; charset=utf-8` is JSON, too.
    given = parse_accept_header(accept, MIMEAccept)
    wanted = MIMEAccept((name.partition(";")[0], q) for name, q in given)
    return wanted.best_match(["text/html", "application/json"], "text/html") == "application/json"


def html_answer(
    html: str,
    status: int = 200,
    *,
    policy: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer a page; `policy` is as of `page_headers`, by default the strictest."""
    # Not `no-store`: going back must show the page with its old token, so that a repeated post is
    # recognised.
    given = {"Content-Type": _HTML, "Cache-Control": "private, no-cache", **(policy or {})}
    if headers:
        given |= headers
    added = Headers()
    for name, value in given.items():
        added.add(name, value)
    return CompleteResponse(html, status, added)


def json_answer(
    content: dict[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    response = jsonify(content)
    response.status_code = status
    response.headers.update(headers or {})
    return response


def invalid_json(faults: list[FieldFault]) -> Response:
    """Answer 422 with every fault; one without a field is the form's.

    Formspree's clients take some codes for the form's alone: their texts name the field.
    """
    errors = [
        {"code": fault.code, "message": f"{fault.label}: {fault.sentence}"}
        if fault.code in OF_FORM
        else ({"field": fault.called} if fault.called else {})
        | {"code": fault.code, "message": fault.message}
        for fault in faults
    ]
    return json_answer(
        {"error": gettext("Some answers need to be corrected."), "errors": errors}, 422
    )


def show_page(
    template: str,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """Render a page that belongs to a form; in a frame if the form is in one."""
    form, use, policy = requested_form(), "page", None
    if form and is_embedded(request):
        # A refusal too: a visitor who sees nothing can't open the form in its own window.
        use, policy = "embed", page_headers(services().origin, ancestors=form.definition.origins)
    page = render_template(template, use=use, **context)
    return html_answer(page, status_code, policy=policy, headers=headers)


def refuse(refusal: RefusalError, title: str | None = None) -> Response:
    """Render a refusal on a page of its own, or as JSON."""
    if wants_json():
        return json_answer(refusal.as_json(), refusal.status, refusal.headers)
    return show_page(
        "error.html",
        refusal.status,
        refusal.headers,
        status=refusal.status,
        title=title or gettext(_TITLES.get(refusal.status, _TITLE)),
        text=refusal.text,
        **_way_back(),
    )


def _way_back() -> dict[str, str | None]:
    """Return where the sender of a refused post can go: the listed page it came from, the form."""
    form = requested_form()
    if form is None or request.method != "POST":
        return {}
    query = urlencode(language_query(form.localized[language()]))
    itself = form_path(request, form) + (f"?{query}" if query else "")
    page = page_before(request) or foreign_attribution(request).page
    # In a frame the page is around it anyway.
    site = None if is_embedded(request) else allowed_next(form.definition, page)
    return {"back": itself, "site": site}
