"""`schema.json` of a form, for front ends that draw it themselves."""

import hashlib
import json

from flask import Blueprint, Response, request

from formapp.forms.form import Form
from formapp.forms.json_schema import form_schema
from formapp.languages import lookup
from formapp.web.public.body import MAX_PAIRS
from formapp.web.refusal import RefusalError
from formapp.web.responses import json_answer
from formapp.web.services import services

blueprint = Blueprint("schema", __name__)
MAX_AGE = 300
"""Seconds for which a copy is used without asking."""


@blueprint.get("/f/<name>/schema.json")
def show(name: str) -> Response:
    """The schema, in the language of `?lang=` if the form offers it; who asks is a program."""
    try:
        form = services().form(name)
    except RefusalError as refusal:
        return json_answer(refusal.as_json(), refusal.status, refusal.headers)
    language = lookup(request.args.get("lang", ""), form.languages)
    return _answer(form.speaking(language) if language else form)


def _answer(form: Form) -> Response:
    schema = form_schema(form, services().address, limit=MAX_PAIRS)
    body = json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode()
    response = Response(body, content_type="application/schema+json")
    # The digest too: another formapp says other things of the same version of a form.
    digest = hashlib.sha256(body).hexdigest()[:8]
    response.set_etag(f"{form.version}-{form.language}-{digest}")
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE}"
    response.make_conditional(request)
    return response
