"""A form as a visit first finds it, hosted or in a frame.

Where nothing of the visit stands in a field, the page is one that is kept: one visit's differs from
another's by the token and by addresses alone. Everywhere else it is rendered.
"""

from functools import partial

from flask import Request, Response, request, url_for

from formapp.forms.form import Form
from formapp.forms.tokens import TOKEN_NAME, TokenContext, Use
from formapp.web.language_choices import alternates, others, said_by_links
from formapp.web.public.attribution import action, action_query, own_visit
from formapp.web.public.page_cache import PageTemplate, holder
from formapp.web.public.theme import has_sheet, said_of_theme, sheet_address
from formapp.web.repeats import Shown
from formapp.web.responses import answer_form, render_form, show_form
from formapp.web.services import services


def show_visit(form: Form, use: Use) -> Response:
    """Answer a visit to a form's page, in the language of the form."""
    if fills_fields(request, form):
        return _rendered(request, form, use)
    texts = _texts(request, form, use)
    shown = Shown(request.endpoint or "", form.name, form.version, use, texts["token"])
    shown.tell(request.environ)
    page = _kept(request, form, use, themed=has_sheet(form, texts["theme"]))
    return answer_form(form, use, page.filled(texts))


def fills_fields(request: Request, form: Form) -> bool:
    """Whether something of the visit stands in a field, so that the page is nobody else's."""
    if request.args and any(map(request.args.get, form.asked)):
        return True
    taken = {field.from_ for field in form.definition.fields if field.from_}
    return "page" in taken or bool(taken and own_visit(request, form, services().address).referrer)


def _rendered(request: Request, form: Form, use: Use) -> Response:
    context = TokenContext(services().signer, form.name, form.version, use)
    visit = own_visit(request, form, services().address)
    bound = form.bind(
        token=context,
        prefill=request.args,
        page=visit.page,
        referrer=visit.referrer,
    )
    asked = form.asked if use == "embed" else None
    return show_form(form, bound, action=action(request, form, context), asked=asked)


def _kept(request: Request, form: Form, use: Use, *, themed: bool) -> PageTemplate:
    scheme = request.args.get("scheme") if use == "embed" else None
    key = (
        form.name,
        form.version,
        form.language,
        use,
        themed,
        scheme if scheme in {"light", "dark"} else None,
        # Where the server puts this app under a path of its own.
        request.root_path,
    )
    return services().kept_pages.page(key, partial(_page, form, use, themed=themed))


def _page(form: Form, use: Use, *, themed: bool) -> PageTemplate:
    bound = form.bind(token=TokenContext(services().signer, form.name, form.version, use))
    holders = {name: holder() for name in ("action", "links", "address", "theme")}
    html = render_form(
        form,
        bound,
        use=use,
        faults=(),
        languages=others(form, holders["links"], use),
        alternates=alternates(form, holders["address"]) if use == "page" else [],
        action=f"{url_for('forms.show', name=form.name)}?{holders['action']}",
        asked=form.asked if use == "embed" else None,
        theme_sheet=sheet_address(form, holders["theme"]) if themed else None,
    )
    # A token can be guessed no more than a holder.
    return PageTemplate(html, holders | {"token": bound[TOKEN_NAME].current_token})


def _texts(request: Request, form: Form, use: Use) -> dict[str, str]:
    """What goes into the blanks of `_page` for the visit at hand."""
    said = action_query(request, form, use)
    texts = {
        "token": services().signer.issue(form, use),
        "action": said,
        "theme": said_of_theme(request),
    }
    if len(form.languages) > 1:
        texts |= {"links": said_by_links(f"?{said}"), "address": services().address}
    return texts
