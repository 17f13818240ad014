"""A form's page, hosted or in a frame: empty, or shown again after a post.

An empty form differs between requests only by its token and addresses: it is rendered once and
filled in. Forms with prefilled or posted answers are rendered for each request.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Request, Response, render_template, request

from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from formapp.forms.tokens import TOKEN_NAME, TokenContext, Use
from formapp.web.brand import image_sources
from formapp.web.headers import page_headers
from formapp.web.i18n import LANG
from formapp.web.public.attribution import (
    USE,
    action,
    action_query,
    form_path,
    is_embedded,
    own_attribution,
)
from formapp.web.public.page_cache import PageTemplate, placeholder
from formapp.web.public.theme import has_sheet, sheet_address, theme_query
from formapp.web.responses import html_answer
from formapp.web.services import Services, services


def show_new_form(request: Request, form: Form, app: Services, use: Use) -> Response:
    """Return a form's page, empty or prefilled, in the language of the form."""
    if request.method == "GET":
        app.visits.shown(form.name)
    if _fills_fields(request, form):
        context = TokenContext(app.signer, form.name, form.version, use)
        attribution = own_attribution(request, form, app.address)
        bound = form.bind(
            token=context,
            prefill=request.args,
            page=attribution.page,
            referrer=attribution.referrer,
        )
        prefill = form.prefill_names if use == "embed" else None
        return show_form(form, bound, action=action(request, form, context), prefill=prefill)
    query = action_query(request, form, use)
    values = {
        "token": app.signer.issue_for(form.name, form.version, use),
        "action": query,
        "theme": theme_query(request),
        "links": _query_of_links(query) if len(form.languages) > 1 else "",
        "address": app.address,
    }
    page = _template(app, request, form, use, themed=has_sheet(form, values["theme"]))
    return html_answer(page.filled(values), policy=page.policy or _policy(app, form, use))


def show_form(
    form: Form,
    bound: LeadForm,
    *,
    action: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """Render the form with the answers and their faults; `context` is as of `render_form`."""
    use: Use = "embed" if is_embedded(request) else "page"
    app = services()
    context |= {"links": _query_of_links(action.partition("?")[2]), "address": app.address}
    html = render_form(form, bound, use=use, action=action, **context)
    return html_answer(html, status, policy=_policy(app, form, use), headers=headers)


def render_form(
    form: Form,
    bound: LeadForm,
    *,
    prefill: Mapping[str, str] | None = None,
    **context: Any,
) -> str:
    """Return the HTML of a form's page; `context` has the template's other values.

    `prefill` names the values that a frame requests from the embedding page (`Form.prefill_names`).
    """
    prefill_query = urlencode(prefill or {})
    return render_template("form.html", form=form, bound=bound, prefill=prefill_query, **context)


def _policy(app: Services, form: Form, use: Use) -> Mapping[str, str]:
    """Return the headers that limit what a form's page loads, and who frames it."""
    origins = form.definition.origins
    return page_headers(
        app.origin,
        targets=origins,
        ancestors=origins if use == "embed" else None,
        images=image_sources(form),
        challenge=form.definition.spam.challenge,
        sends_files=form.takes_files,
    )


def _fills_fields(request: Request, form: Form) -> bool:
    names = form.prefill_names
    args = request.args if request.query_string else {}
    if not names.keys().isdisjoint(args) and any(map(args.get, names)):
        return True
    taken = form.taken_from
    return "page" in taken or bool(
        taken and own_attribution(request, form, services().address).referrer
    )


def _template(
    app: Services, request: Request, form: Form, use: Use, *, themed: bool
) -> PageTemplate:
    look = request.args.to_dict() if use == "embed" and request.query_string else {}
    scheme = look.get("scheme")
    key = (
        form.name,
        form.version,
        form.language,
        use,
        themed,
        scheme if scheme in {"light", "dark"} else None,
        look.get("heading") == "off",
        # Differs if the server mounts this app under a path.
        request.root_path,
    )
    if found := app.pages.get(key):
        return found
    bound = form.bind(token=TokenContext(app.signer, form.name, form.version, use))
    blanks = {name: placeholder() for name in ("action", "links", "address", "theme")}
    html = render_form(
        form,
        bound,
        use=use,
        links=blanks["links"],
        address=blanks["address"],
        action=f"{form_path(request, form)}?{blanks['action']}",
        prefill=form.prefill_names if use == "embed" else None,
        theme_sheet=sheet_address(form, blanks["theme"]) if themed else None,
    )
    # A token is as unguessable as a placeholder.
    blanks["token"] = bound[TOKEN_NAME].current_token
    # Without BASE_URL it names the host of each request.
    policy = _policy(app, form, use) if app.base_url else None
    # Two threads may render the page at once, with equal results.
    return app.pages.setdefault(key, PageTemplate(html, blanks, policy))


def _query_of_links(action_query: str) -> str:
    """Return the part of an action's query that language links keep, with an `&` at its end."""
    pairs = parse_qsl(action_query, keep_blank_values=True)
    query = urlencode([(name, value) for name, value in pairs if name not in {USE, LANG}])
    return f"{query}&" if query else ""
