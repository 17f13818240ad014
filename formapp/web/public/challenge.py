"""The challenge on a form's page: the script that its template loads, and our proofs of work."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, url_for

from formapp.forms.form import Form
from formapp.spam.providers import ALTCHA_FIELD, PROVIDERS
from formapp.web.errors import RefusalError
from formapp.web.i18n import requested_form
from formapp.web.responses import json_answer
from formapp.web.services import services


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
    provider = PROVIDERS[name]
    return {
        "challenge": {
            "script": provider.script,
            "css_class": provider.css_class,
            "site_key": services().site_key,
        }
    }


def show_challenge(form: Form) -> Response:
    """Answer a fresh challenge for one post to this form, in ALTCHA's format, else 404."""
    spam = form.definition.spam
    if spam.challenge != "altcha":
        raise RefusalError(404, "NO_CHALLENGE", "This form doesn't use this kind of challenge.")
    made = services().challenges.make(form.name, spam.difficulty, datetime.now(UTC))
    return json_answer(made, headers={"Cache-Control": "no-store"})
