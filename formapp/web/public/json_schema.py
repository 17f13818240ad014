"""`schema.json` of a form, for front ends that draw it themselves."""

import hashlib
import json

from flask import Response, request

from formapp.forms.json_schema import form_schema
from formapp.languages import lookup
from formapp.web.errors import RefusalError
from formapp.web.i18n import LANG
from formapp.web.public.body import MAX_PAIRS
from formapp.web.responses import json_answer
from formapp.web.services import services


def show_schema(name: str) -> Response:
    """Answer the schema, in the language of `?lang=` if the form offers it.

    The client is a program: a refusal is JSON, and Accept-Language is ignored.
    """
    try:
        form = services().form(name)
    except RefusalError as refusal:
        return json_answer(refusal.as_json(), refusal.status, refusal.headers)
    if language := lookup(request.args.get(LANG, ""), form.languages):
        form = form.localized[language]
    schema = form_schema(form, services().address, limit=MAX_PAIRS)
    body = json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode()
    response = Response(body, content_type="application/schema+json")
    # With the digest: another release of formapp may describe the form differently.
    digest = hashlib.sha256(body).hexdigest()[:8]
    response.set_etag(f"{form.version}-{form.language}-{digest}")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.make_conditional(request)
    return response
