"""The pages of a form: hosted, embedded, after it was sent."""

from flask import Blueprint, Response, current_app, request

from formapp.web.i18n import spoken_form
from formapp.web.public.accept import accept_post
from formapp.web.public.challenge import challenge_context, show_challenge
from formapp.web.public.confirmation_request import STEP, TO_CONFIRM
from formapp.web.public.form_page import show_visit
from formapp.web.public.theme import theme_context, theme_sheet
from formapp.web.responses import show_asked, show_thanks
from formapp.web.services import services

blueprint = Blueprint("forms", __name__)
# Refusals are pages of a form, too.
blueprint.app_context_processor(theme_context)
blueprint.app_context_processor(challenge_context)


@blueprint.get("/f/<name>", provide_automatic_options=False)
def show(name: str) -> Response:
    """The hosted page."""
    return show_visit(spoken_form(name), "page")


@blueprint.get("/f/<name>/embed")
def embed(name: str) -> Response:
    """The same form for an iframe."""
    return show_visit(spoken_form(name), "embed")


@blueprint.get("/f/<name>/thanks")
def thanks(name: str) -> Response:
    """The thank-you page."""
    form = spoken_form(name)
    asked = form.definition.confirm is not None and request.args.get(STEP) == TO_CONFIRM
    return show_asked(form) if asked else show_thanks(form)


@blueprint.get("/f/<name>/theme.css")
def theme(name: str) -> Response:
    """The form's own look."""
    return theme_sheet(request, services().form(name))


@blueprint.get("/f/<name>/challenge")
def challenge(name: str) -> Response:
    """A challenge for the browser, where the form asks for one of ours."""
    return show_challenge(services().form(name))


@blueprint.get("/embed.js")
def embed_script() -> Response:
    """The script that a foreign page loads."""
    response = current_app.send_static_file("embed.js")
    response.headers["Cache-Control"] = "public, max-age=300"
    # A page may load it as a module, or with `crossorigin`; it is the same for everybody.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@blueprint.route("/f/<name>", methods=["POST", "OPTIONS"], provide_automatic_options=False)
def submit(name: str) -> Response:
    """A submission, from any of the three uses; OPTIONS is a browser's preflight."""
    form = spoken_form(name)
    if request.method == "OPTIONS":
        return Response(status=204, headers={"Allow": "GET, HEAD, OPTIONS, POST"})
    return accept_post(request, form, services())
