"""Every public address: a form's pages and posts, what they load, and a form's description."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, request, url_for

from formapp.confirmation.request import STEP, TO_CONFIRM
from formapp.forms.json_schema import form_schema
from formapp.languages import lookup
from formapp.spam.providers import ALTCHA_FIELD, PROVIDERS
from formapp.web.errors import RefusalError
from formapp.web.i18n import LANG, localized_form, requested_form
from formapp.web.public import layout
from formapp.web.public.accept import FILES, FILES_LEFT_OUT, ONWARD, submit
from formapp.web.public.attribution import allowed_next, check_page, note_frame
from formapp.web.public.body import MAX_PAIRS
from formapp.web.public.confirmation import answer_confirmation
from formapp.web.public.form_page import show_new_form
from formapp.web.public.theme import show_theme, theme_context
from formapp.web.responses import json_answer, show_page
from formapp.web.services import EXTENSION, Services, current_request, services

_FORMS = "/f/"
forms = Blueprint("forms", __name__)
confirm = Blueprint("confirm", __name__)
schema = Blueprint("schema", __name__)
# Refusals are pages of a form, too.
forms.app_context_processor(theme_context)


@forms.app_context_processor
def challenge_context() -> dict[str, Any]:
    """Return `challenge` for templates: what to load and where to put it."""
    form = requested_form()
    name = form.definition.spam.challenge if form else None
    if form is None or name is None:
        return {}
    if name == "altcha":
        address = url_for("forms.challenge", name=form.name)
        script = url_for("static", filename="challenge.js")
        return {"challenge": {"script": script, "field": ALTCHA_FIELD, "address": address}}
    script, css_class = PROVIDERS[name].script, PROVIDERS[name].css_class
    site_key = services().site_key
    return {"challenge": {"script": script, "css_class": css_class, "site_key": site_key}}


def init_app(app: Flask) -> None:
    """Add the public addresses to an app, and what their pages need."""
    layout.init_app(app)
    for blueprint in (forms, confirm, schema):
        app.register_blueprint(blueprint)


def answers_at_once(app: Flask, method: str, path: str) -> bool:
    """Return whether the app answers this without waiting, unless by `formapp.waiting`.

    It does where it neither checks files, nor stores them, nor reads the database.
    """
    if not path.startswith(_FORMS):
        return False
    name, _, page = path.removeprefix(_FORMS).partition("/")
    form = cast("Services", app.extensions[EXTENSION]).forms.get(name)
    if form is None:
        return False
    if method in {"GET", "HEAD"}:
        return page in {"", "embed", "thanks"}
    return not page and not form.takes_files


@forms.get("/f/<name>", provide_automatic_options=False)
def show(name: str) -> Response:
    """The hosted page."""
    app = services()
    return show_new_form(current_request(), localized_form(name, app), app, "page")


@forms.get("/f/<name>/embed")
def embed(name: str) -> Response:
    """The form in a frame."""
    request, app = current_request(), services()
    form = localized_form(name, app)
    note_frame(request, form)
    return show_new_form(request, form, app, "embed")


forms.route("/f/<name>", methods=["POST", "OPTIONS"], provide_automatic_options=False)(submit)


@forms.get("/f/<name>/thanks")
def thanks(name: str) -> Response:
    """The page after a submission: thanks, or that a confirmation was sent."""
    form = localized_form(name, services())
    sent = form.definition.confirm is not None and request.args.get(STEP) == TO_CONFIRM
    return show_page(
        "confirmation_sent.html" if sent else "thanks.html",
        form=form,
        left_out=FILES_LEFT_OUT if FILES in request.args else None,
        onward=allowed_next(form.definition, request.args.get(ONWARD)),
    )


@forms.get("/f/<name>/started")
def started(name: str) -> Response:
    """Count that somebody begins to fill in the form: formapp.js loads this as an image.

    Pages of other sites, which anybody may write, don't count where the browser reports them.
    """
    app = services()
    form = app.form(name)
    if request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin":
        app.visits.started(form.name)
    return Response(status=204, headers={"Cache-Control": "no-store"})


@forms.get("/f/<name>/origin")
def origin(name: str) -> Response:
    """Whether the asking page may post to the form, and else why not.

    For scripts: a browser doesn't show them the answer to a preflight that fails.
    """
    status, content = 200, {"ok": True}
    try:
        check_page(current_request(), localized_form(name, services()))
    except RefusalError as refusal:
        status, content = refusal.status, refusal.as_json()
    return json_answer(content, status, {"Cache-Control": "no-store"})


@forms.get("/f/<name>/theme.css")
def theme(name: str) -> Response:
    """The form's own look."""
    return show_theme(request, services().form(name))


@forms.get("/f/<name>/challenge")
def challenge(name: str) -> Response:
    """A fresh challenge for one post to the form, in ALTCHA's format."""
    app, form = services(), services().form(name)
    spam = form.definition.spam
    if spam.challenge != "altcha":
        raise RefusalError(404, "NO_CHALLENGE", "This form doesn't use this kind of challenge.")
    made = app.challenges.make(form.name, spam.difficulty, datetime.now(UTC))
    return json_answer(made, headers={"Cache-Control": "no-store"})


@confirm.get("/f/<name>/confirm", endpoint="show")
def confirmation(name: str) -> Response:
    """The page that the link of a confirmation leads to."""
    return answer_confirmation(localized_form(name, services()), pressed=False)


@confirm.post("/f/<name>/confirm")
def press(name: str) -> Response:
    """The button on that page."""
    return answer_confirmation(localized_form(name, services()), pressed=True)


@schema.get("/f/<name>/schema.json", endpoint="show")
def json_schema(name: str) -> Response:
    """The form's fields as JSON Schema, for front ends that draw the form themselves.

    In the language of `?lang=` if the form offers it. The client is a program: a refusal is JSON,
    and Accept-Language is ignored.
    """
    try:
        form = services().form(name)
    except RefusalError as refusal:
        return json_answer(refusal.as_json(), refusal.status, refusal.headers)
    if language := lookup(request.args.get(LANG, ""), form.languages):
        form = form.localized[language]
    content = form_schema(form, services().address, limit=MAX_PAIRS)
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    response = Response(body, content_type="application/schema+json")
    # With the digest: another release of formapp may describe the form differently.
    digest = hashlib.sha256(body).hexdigest()[:8]
    response.set_etag(f"{form.version}-{form.language}-{digest}")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.make_conditional(request)
    return response


@forms.get("/embed.js")
def embed_script() -> Response:
    """The script that a foreign page loads."""
    response = current_app.send_static_file("embed.js")
    response.headers["Cache-Control"] = "public, max-age=300"
    # A page may load it as a module, or with `crossorigin`; every page gets the same file.
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
