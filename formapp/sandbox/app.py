"""Makes the sandbox: a Flask application that stands in for the Wix Contacts API."""

from __future__ import annotations

import logging
import traceback
import uuid
from typing import TYPE_CHECKING

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from formapp.sandbox.api.answers import error_answer
from formapp.sandbox.api.errors import envelope
from formapp.sandbox.control.routes import register_control
from formapp.sandbox.core import Sandbox
from formapp.sandbox.gateway import register_api
from formapp.sandbox.options import SandboxOptions
from formapp.sandbox.pages.people import people_error, register_people

if TYPE_CHECKING:
    from werkzeug.sansio.response import Response as AnyResponse

log = logging.getLogger(__name__)

MAX_BODY = 10 * 1024 * 1024
MACHINE_PATHS = ("/contacts", "/oauth2", "/_sandbox")


def create_sandbox(options: SandboxOptions | None = None) -> Flask:
    """Return the application: API, control routes and pages for people.

    The `Sandbox` itself is in `app.extensions["sandbox"]`.

    Raises:
        StateFileError: the state file cannot be read as one.
    """
    app = Flask("formapp.sandbox", static_folder="pages/static", template_folder="pages/templates")
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    sandbox = Sandbox(options or SandboxOptions())
    app.extensions["sandbox"] = sandbox
    register_api(app, sandbox)
    register_control(app, sandbox)
    register_people(app, sandbox)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _any_error)
    app.after_request(_with_request_id)
    return app


def _with_request_id(answer: Response) -> Response:
    answer.headers["X-Wix-Request-Id"] = str(uuid.uuid4())
    return answer


def _http_error(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if request.path.startswith(MACHINE_PATHS):
        return error_answer(envelope(status))
    return people_error(status)


def _any_error(error: Exception) -> Response:
    """Answer a fault of the sandbox itself in the envelope, and log where it came up.

    The error's text stays out of the log: it could quote a contact.
    """
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("the sandbox failed with %s at\n%s", type(error).__name__, where)
    return error_answer(envelope(500))
