"""HTML or JSON: a page for people, an object for programs, the same facts in both."""

from collections.abc import Mapping
from typing import Any

from flask import Response, g, jsonify, make_response, render_template, request

from formapp.forms import FieldFault, Form, LeadForm
from formapp.web.refusal import Refusal
from formapp.web.visit import is_embedded

_TITLES = {
    400: "This request can't be read",
    403: "Not from this page",
    404: "Page not found",
    405: "Not possible here",
    413: "Too much at once",
    415: "This kind of content isn't taken",
    429: "Too many messages",
    503: "Not possible just now",
}


def wants_json() -> bool:
    """Whether JSON is asked for, by `Accept: application/json`."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], "text/html")
    return best == "application/json"


def refuse(refusal: Refusal) -> Response:
    """Answer a refusal that has no form to show it in."""
    if wants_json():
        return json_answer(refusal.as_json(), refusal.status, refusal.headers)
    title = _TITLES.get(refusal.status, "Something went wrong")
    page = render_template(
        "error.html", status=refusal.status, title=title, text=refusal.text, back=None
    )
    return _html(page, refusal.status, refusal.headers)


def show_form(  # noqa: PLR0913 - what the template needs, by keyword
    form: Form,
    bound: LeadForm,
    *,
    action: str,
    embedded: bool,
    status: int = 200,
    notice: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Render the form with what was typed and what is wrong with it."""
    if embedded:
        g.frame_ancestors = form.definition.origins
    page = render_template(
        "form.html",
        form=form,
        bound=bound,
        faults=bound.faults() if status == 422 else [],  # noqa: PLR2004 - unprocessable
        notice=notice,
        use="embed" if embedded else "page",
        action=action,
    )
    g.form_targets = form.definition.origins
    return _html(page, status, headers)


def show_thanks(form: Form) -> Response:
    """Render the thank-you page."""
    embedded = is_embedded(request)
    if embedded:
        g.frame_ancestors = form.definition.origins
    page = render_template("thanks.html", form=form, use="embed" if embedded else "page")
    return _html(page, 200)


def invalid_json(faults: list[FieldFault]) -> Response:
    """Answer 422 with every fault; one without a field is the form's."""
    errors = [
        {"field": fault.field, "code": fault.code, "message": fault.message}
        if fault.field
        else {"code": fault.code, "message": fault.message}
        for fault in faults
    ]
    return json_answer({"error": "Some fields need another look.", "errors": errors}, 422)


def json_answer(
    content: dict[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer a JSON object."""
    response = jsonify(content)
    response.status_code = status
    response.headers.update(headers or {})
    return response


def _html(page: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    response = make_response(page, status)
    response.headers.update(headers or {})
    # Not `no-store`: going back must find the page as it was, with its token, so that the same
    # answers sent again are known as the same.
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
