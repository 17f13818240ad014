"""Every public address: a form's pages and posts, what they load, and a form's description."""

from flask import Blueprint, Flask, Response, current_app, request

from formapp.confirmation.request import STEP, TO_CONFIRM
from formapp.web.i18n import localized_form
from formapp.web.public.accept import FILES, FILES_LEFT_OUT, ONWARD, accept_post
from formapp.web.public.attribution import allowed_next, note_frame, note_preflight
from formapp.web.public.challenge import challenge_context, show_challenge
from formapp.web.public.confirmation import answer_confirmation
from formapp.web.public.form_page import show_new_form
from formapp.web.public.json_schema import show_schema
from formapp.web.public.theme import show_theme, theme_context
from formapp.web.responses import show_page
from formapp.web.services import current_request, services

forms = Blueprint("forms", __name__)
confirm = Blueprint("confirm", __name__)
schema = Blueprint("schema", __name__)
# Refusals are pages of a form, too.
forms.app_context_processor(theme_context)
forms.app_context_processor(challenge_context)


def init_app(app: Flask) -> None:
    """Add the public addresses to an app."""
    for blueprint in (forms, confirm, schema):
        app.register_blueprint(blueprint)


@forms.get("/f/<name>", provide_automatic_options=False)
def show(name: str) -> Response:
    """The hosted page."""
    return show_new_form(localized_form(name), "page")


@forms.get("/f/<name>/embed")
def embed(name: str) -> Response:
    """The form in a frame."""
    form = localized_form(name)
    note_frame(current_request(), form)
    return show_new_form(form, "embed")


@forms.route("/f/<name>", methods=["POST", "OPTIONS"], provide_automatic_options=False)
def submit(name: str) -> Response:
    """A submission, from any of the three uses; OPTIONS is a browser's preflight."""
    form = localized_form(name)
    post = current_request()
    if post.method == "OPTIONS":
        note_preflight(post, form)
        return Response(status=204, headers={"Allow": "GET, HEAD, OPTIONS, POST"})
    return accept_post(post, form, services())


@forms.get("/f/<name>/thanks")
def thanks(name: str) -> Response:
    """The page after a submission: thanks, or that a confirmation was sent."""
    form = localized_form(name)
    sent = form.definition.confirm is not None and request.args.get(STEP) == TO_CONFIRM
    return show_page(
        "confirmation_sent.html" if sent else "thanks.html",
        form=form,
        left_out=FILES_LEFT_OUT if FILES in request.args else None,
        onward=allowed_next(form.definition, request.args.get(ONWARD)),
    )


@forms.get("/f/<name>/theme.css")
def theme(name: str) -> Response:
    """The form's own look."""
    return show_theme(request, services().form(name))


@forms.get("/f/<name>/challenge")
def challenge(name: str) -> Response:
    """A challenge for the browser, where the form sets one of ours."""
    return show_challenge(services().form(name))


@confirm.get("/f/<name>/confirm", endpoint="show")
def confirmation(name: str) -> Response:
    """The page that the link of a confirmation leads to."""
    return answer_confirmation(localized_form(name), pressed=False)


@confirm.post("/f/<name>/confirm")
def press(name: str) -> Response:
    """The button on that page."""
    return answer_confirmation(localized_form(name), pressed=True)


@schema.get("/f/<name>/schema.json", endpoint="show")
def json_schema(name: str) -> Response:
    """The form's fields as JSON Schema."""
    return show_schema(name)


@forms.get("/embed.js")
def embed_script() -> Response:
    """The script that a foreign page loads."""
    response = current_app.send_static_file("embed.js")
    response.headers["Cache-Control"] = "public, max-age=300"
    # A page may load it as a module, or with `crossorigin`; every page gets the same file.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
