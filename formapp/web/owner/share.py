"""The owner's page of a form, with snippets that embed it into a website."""

from flask import Blueprint, Flask, Response, current_app, render_template, request

from formapp.languages import SOURCE
from formapp.web.errors import RefusalError
from formapp.web.headers import page_headers
from formapp.web.i18n import localized_form, set_language
from formapp.web.owner.preview import NOT_STORED, show_preview
from formapp.web.owner.sign_in import Owner
from formapp.web.owner.snippets import all_snippets, height
from formapp.web.responses import html_answer
from formapp.web.services import services

blueprint = Blueprint("share", __name__)
_EXTENSION = "formapp.owner"


def init_app(app: Flask, owner: Owner) -> None:
    """Add the owner's pages to an app; a second call only replaces `owner`, who signs in."""
    app.extensions[_EXTENSION] = owner
    if blueprint.name not in app.blueprints:
        app.register_blueprint(blueprint)


@blueprint.before_request
def sign_in() -> None:
    # A refusal must not reveal whether the form exists, not even by its language.
    given, request.view_args = request.view_args, {}
    try:
        current_app.extensions[_EXTENSION].check(request)
    except RefusalError:
        set_language(SOURCE)
        raise
    request.view_args = given


@blueprint.get("/f/<name>/share")
def show(name: str) -> Response:
    """The link, what to paste, and how the form looks."""
    set_language(SOURCE)
    app = services()
    form, address = app.form(name), app.address
    page = render_template(
        "share.html",
        form=form,
        address=f"{address}/f/{name}",
        snippets=all_snippets(form, address),
        height=height(form),
        others=[other for other in app.forms if other != name],
    )
    policy = page_headers(app.origin, frames=("'self'",))
    return html_answer(page, policy=policy, headers=NOT_STORED)


@blueprint.get("/f/<name>/share/preview")
def preview(name: str) -> Response:
    return show_preview(localized_form(name, services()))
