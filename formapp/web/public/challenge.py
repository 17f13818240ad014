"""What a form's page needs for the challenge of its form: a control, a script, a policy."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, g, jsonify, url_for

from formapp.forms.form import Form
from formapp.spam import PROVIDERS
from formapp.spam.providers import ALTCHA_FIELD
from formapp.web.i18n import form_at_hand
from formapp.web.refusal import RefusalError
from formapp.web.services import services


def challenge_context() -> dict[str, Any]:
    """What a template needs: `challenge`, with what to load and where to put it."""
    form = form_at_hand()
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
    """A fresh challenge for one post to this form, in ALTCHA's format.

    Raises:
        RefusalError: 404, the form asks for none of this kind.
    """
    spam = form.definition.spam
    if spam.challenge != "altcha":
        raise RefusalError(404, "NO_CHALLENGE", "This form asks for no challenge of this kind.")
    made = services().challenges.make(form.name, spam.difficulty, datetime.now(UTC))
    response = jsonify(made)
    response.headers["Cache-Control"] = "no-store"
    return response


def shows_form(form: Form) -> None:
    """Remember for the policy of the answer at hand that it shows this form."""
    g.challenge = form.definition.spam.challenge


def with_challenge(directives: dict[str, str], name: str | None) -> dict[str, str]:
    """The directives of a page's policy with what the challenge that is on it needs, if any."""
    if name is None:
        return directives
    needed = {"connect-src": "'self'"} if name == "altcha" else PROVIDERS[name].policy
    added = {key: f"{directives.get(key, '')} {hosts}".strip() for key, hosts in needed.items()}
    return directives | added
