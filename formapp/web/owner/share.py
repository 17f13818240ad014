"""For the owner: how a form gets onto a website, with everything ready to copy."""

from dataclasses import replace

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    make_response,
    render_template,
    request,
)

from formapp.forms.tokens import TokenContext
from formapp.languages import SOURCE
from formapp.web.i18n import speak, spoken_form
from formapp.web.owner.sign_in import Owner
from formapp.web.owner.snippets import height, snippets
from formapp.web.public.attribution import action, is_embedded
from formapp.web.refusal import RefusalError
from formapp.web.responses import show_form
from formapp.web.services import services

blueprint = Blueprint("share", __name__)
_EXTENSION = "formapp.owner"


def init_app(app: Flask, owner: Owner) -> None:
    """Add the owner's pages to an app; `owner` lets people in. May be called again with another."""
    app.extensions[_EXTENSION] = owner
    if blueprint.name not in app.blueprints:
        app.register_blueprint(blueprint)


@blueprint.before_request
def sign_in() -> None:
    """Let nobody in but the owner."""
    # A refusal must not tell a form's address from any other, not even by its language.
    given, request.view_args = request.view_args, {}
    try:
        current_app.extensions[_EXTENSION].check(request)
    except RefusalError:
        speak(SOURCE)
        raise
    request.view_args = given


@blueprint.get("/f/<name>/share")
def show(name: str) -> Response:
    """The link, what to paste, and how the form looks."""
    speak(SOURCE)
    form, address = services().form(name), services().address
    page = render_template(
        "share.html",
        form=form,
        address=f"{address}/f/{name}",
        snippets={snippet.name: snippet for snippet in snippets(form, address)},
        height=height(form),
        others=[other for other in services().forms if other != name],
    )
    g.frame_sources = ("'self'",)
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/f/<name>/share/preview")
def preview(name: str) -> Response:
    """The form as it looks hosted, or embedded (`?_use=embed`), for a frame of the page above.

    The form's own pages may stand on the pages of its origins alone, which this one is none of. It
    can't send.
    """
    form = spoken_form(name)
    # No links to other languages: they lead to pages that may not stand in this frame.
    form = replace(form, spoken={form.language: form})
    context = TokenContext(
        services().signer, form.name, form.version, "embed" if is_embedded(request) else "page"
    )
    response = show_form(form, form.bind(token=context), action=action(request, form, context))
    g.frame_ancestors = ("'self'",)
    g.is_preview = True
    response.headers["Cache-Control"] = "private, no-store"
    return response
