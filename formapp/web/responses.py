"""HTML or JSON: a page for people, an object for programs, the same facts in both."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, jsonify, render_template, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from formapp.forms.form import Form
from formapp.forms.lead_form import FieldFault, LeadForm
from formapp.forms.tokens import Use
from formapp.languages import gettext_noop
from formapp.web.i18n import carried_language, form_at_hand, language
from formapp.web.language_choices import alternates, others, said_by_links
from formapp.web.public.attribution import is_embedded
from formapp.web.public.challenge import shows_form
from formapp.web.public.preserved_fields import PreservedFields
from formapp.web.refusal import RefusalError
from formapp.web.services import services

_TITLES = {
    400: gettext_noop("This request can't be read"),
    401: "Please sign in",  # to a page of the owner, which is in English
    403: gettext_noop("Not from this page"),
    404: gettext_noop("Page not found"),
    405: gettext_noop("Not possible here"),
    413: gettext_noop("Too much at once"),
    415: gettext_noop("This kind of content isn't taken"),
    429: gettext_noop("Too many messages"),
    503: gettext_noop("Not possible just now"),
}
_TITLE = gettext_noop("Something went wrong")


def wants_json() -> bool:
    """Whether JSON is asked for, by `Accept: application/json`."""
    return _prefers_json(request.headers.get("Accept", ""))


@lru_cache(maxsize=64)
def _prefers_json(accept: str) -> bool:
    # Without parameters: `application/json; charset=utf-8` asks for the same.
    given = parse_accept_header(accept, MIMEAccept)
    asked = MIMEAccept((name.partition(";")[0], q) for name, q in given)
    return asked.best_match(["text/html", "application/json"], "text/html") == "application/json"


def refuse(refusal: RefusalError) -> Response:
    """Answer a refusal that has no form to show it in."""
    if wants_json():
        return json_answer(refusal.as_json(), refusal.status, refusal.headers)
    page = render_template(
        "error.html",
        status=refusal.status,
        title=gettext(_TITLES.get(refusal.status, _TITLE)),
        text=refusal.text,
        back=_form_itself() if refusal.code == "BLOCKED" else None,
        use=_use(),
    )
    return _html(page, refusal.status, refusal.headers)


def show_form(  # noqa: PLR0913 - what the template needs, by keyword
    form: Form,
    bound: LeadForm | PreservedFields,
    *,
    action: str,
    faults: Sequence[FieldFault] = (),
    status: int = 200,
    notice: str | None = None,
    headers: Mapping[str, str] | None = None,
    asked: Mapping[str, str] | None = None,
    back: str | None = None,
) -> Response:
    """Render the form with what was typed and what is wrong with it.

    `asked`: what a frame may ask the page around it for, as `Form.asked` has it.
    `back`: the address of the other site's page whose form this is, if the owner lists its site.
    """
    use: Use = "embed" if is_embedded(request) else "page"
    html = render_form(
        form,
        bound,
        use=use,
        faults=faults,
        notice=notice,
        languages=others(form, said_by_links(action), use),
        alternates=alternates(form, services().address) if use == "page" else [],
        action=action,
        asked=asked,
        back=back,
    )
    return answer_form(form, use, html, status, headers)


def render_form(
    form: Form,
    bound: LeadForm | PreservedFields,
    *,
    asked: Mapping[str, str] | None,
    **context: Any,
) -> str:
    """Return the HTML of a form's page; `context` is what the template lists besides."""
    said = urlencode(asked or {})
    return render_template("form.html", form=form, bound=bound, asked=said, **context)


def answer_form(
    form: Form,
    use: Use,
    html: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with the HTML of a form's page."""
    if use == "embed":
        g.frame_ancestors = form.definition.origins
    g.form_targets = form.definition.origins
    shows_form(form)
    return _html(html, status, headers)


def show_thanks(form: Form) -> Response:
    """Render the thank-you page."""
    return _html(render_template("thanks.html", form=form, use=_use()), 200)


def show_asked(form: Form) -> Response:
    """Render what follows a form whose sender has to confirm it; the same for everybody."""
    return _html(render_template("confirmation_sent.html", form=form, use=_use()), 200)


def show_page(template: str, status: int = 200, *, form: Form, **context: Any) -> Response:
    """Render a page of a form that never stands in a frame."""
    g.form_targets = form.definition.origins
    page = render_template(template, status=status, form=form, use="page", **context)
    return _html(page, status)


def invalid_json(faults: list[FieldFault]) -> Response:
    """Answer 422 with every fault, its field by the sender's name; one without is the form's."""
    errors = [
        {"field": fault.called, "code": fault.code, "message": fault.message}
        if fault.called
        else {"code": fault.code, "message": fault.message}
        for fault in faults
    ]
    return json_answer({"error": gettext("Some fields need another look."), "errors": errors}, 422)


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


def _form_itself() -> str | None:
    """The address of the hosted page, for whoever is told to send the form from there."""
    form = form_at_hand()
    if form is None:
        return None
    said = urlencode(carried_language(form.speaking(language())))
    return url_for("forms.show", name=form.name) + (f"?{said}" if said else "")


def _use() -> Use:
    """Whether the answer is shown in an iframe; then the form's pages may put it there.

    A refusal too: a visitor who is told nothing at all can't open the form in its own window.
    """
    form = form_at_hand()
    if form is None or not is_embedded(request):
        return "page"
    g.frame_ancestors = form.definition.origins
    return "embed"


def _html(page: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    # Not `no-store`: going back must find the page as it was, with its token, so that the same
    # answers sent again are known as the same.
    return Response(page, status, {"Cache-Control": "private, no-cache", **(headers or {})})
