"""The Flask application, and the path of every API call through it.

A call passes the faults, authentication, the rate limit and its operation; then the state file is
saved and the call is logged.
"""

import ipaddress
import logging
import re
import time
import traceback
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Flask, Response, make_response, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import Forbidden, HTTPException
from werkzeug.sansio.response import Response as AnyResponse

from formapp.sandbox.api.auth import authenticate, grant_token, requested_site
from formapp.sandbox.api.call import Call, iso
from formapp.sandbox.api.errors import WixError, envelope
from formapp.sandbox.api.operations import OPERATIONS, TOKEN_OPERATION, TOKEN_PATH
from formapp.sandbox.api.validation import read_object
from formapp.sandbox.control.routes import register_control
from formapp.sandbox.core import Sandbox
from formapp.sandbox.options import SandboxOptions
from formapp.sandbox.pages.views import error_page, refused_page, register_pages
from formapp.sandbox.server import MAX_BODY
from formapp.sandbox.state import Json

log = logging.getLogger(__name__)

JSON_PATHS = ("/contacts", "/oauth2", "/_sandbox")
_UNREGISTRABLE = re.compile(r"[^.]*|.+\.(?:internal|local|localhost|test)")
"""Names of containers and the like; they can't be registered (RFC 6761, 6762)."""

WITH_BODY = ("POST", "PATCH")


def create_sandbox(options: SandboxOptions | None = None) -> Flask:
    """Return the application: API, control path and pages; raise `StateFileError`.

    The `Sandbox` itself is in `app.extensions["sandbox"]`.
    """
    app = Flask("formapp.sandbox", static_folder="pages/static", template_folder="pages/templates")
    app.json = json = DefaultJSONProvider(app)
    json.sort_keys = False  # people read the answers
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    sandbox = Sandbox(options or SandboxOptions())
    app.extensions["sandbox"] = sandbox
    for name, method, rule, answer in OPERATIONS:
        _add_route(app, name, method, rule, partial(_view, sandbox, name, answer))
    _add_route(app, TOKEN_OPERATION, "POST", TOKEN_PATH, partial(_token_view, sandbox))
    register_control(app, sandbox, partial(refused_page, sandbox))
    register_pages(app, sandbox)
    app.register_error_handler(WixError, _wix_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    app.before_request(_check_host)
    app.after_request(_add_request_id)
    return app


def _check_host() -> None:
    """Refuse names that can be registered: a stranger's may lead here, and its page read contacts.

    Browsers would let it (DNS rebinding), since host and port are those of the page.
    """
    host = re.sub(r":\d*$", "", request.headers.get("Host", ""))
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        if not _UNREGISTRABLE.fullmatch(host.lower()):
            raise Forbidden from None


def _add_request_id(answer: Response) -> Response:
    answer.headers["X-Wix-Request-Id"] = str(uuid.uuid4())
    return answer


def _wix_error(error: WixError) -> Response:
    return make_response(error.body, error.status)


def _http_error(error: HTTPException) -> AnyResponse:
    status = error.code or 500
    if request.path.startswith(JSON_PATHS):
        return _wix_error(envelope(status))
    return error_page(status)


def _internal_error(error: Exception) -> Response:
    """Answer a failure of the sandbox itself and log its place.

    The error's text is not logged: it could quote a contact.
    """
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("the sandbox failed with %s at\n%s", type(error).__name__, trace)
    return _wix_error(envelope(500))


def _add_route(
    app: Flask, name: str, method: str, rule: str, view: Callable[..., Response]
) -> None:
    app.add_url_rule(rule, name, view, methods=[method], provide_automatic_options=False)


def _view(
    sandbox: Sandbox, operation: str, answer: Callable[[Call], Json], **path: str
) -> Response:
    def apply() -> Json:
        settings = sandbox.settings
        caller = authenticate(request.headers, sandbox.tokens, settings, sandbox.now())
        if not sandbox.limiter.allow(caller.bucket, sandbox.now(), settings.rate_limit):
            raise envelope(429)
        body = read_object(request.get_data(), required=request.method in WITH_BODY)
        return sandbox.answer(operation, caller, answer, path, body)

    site = requested_site(request.headers, sandbox.tokens, sandbox.now())
    return _handle(sandbox, operation, site, apply)


def _token_view(sandbox: Sandbox) -> Response:
    def grant() -> Json:
        body = read_object(request.get_data(), required=True)
        return grant_token(body, sandbox.tokens, sandbox.settings, sandbox.now())

    body = request.get_json(silent=True, force=True)
    instance = body.get("instance_id") if isinstance(body, dict) else None
    site = instance if isinstance(instance, str) else None
    return _handle(sandbox, TOKEN_OPERATION, site, grant)


def _handle(
    sandbox: Sandbox, operation: str, site: str | None, apply: Callable[[], Json]
) -> Response:
    """Answer a call as its faults demand, and log it."""
    started = time.perf_counter()
    request.get_data()  # receive the complete request before a fault may cut the connection
    delay, fault = sandbox.faults.draw(operation, site)
    if delay:
        sandbox.closing.wait(delay)
    answer = Response(status=503) if fault and not fault.applies_call else _answer(apply)
    if fault is not None:
        answer = fault.replace(answer, request.environ, sandbox.closing)
    entry: dict[str, Any] = {
        "time": iso(sandbox.now()),
        "site": site,
        "operation": operation,
        "method": request.method,
        "path": request.path,
        "status": None if fault and fault.cuts_connection else answer.status_code,
        "ms": round((time.perf_counter() - started) * 1000, 1),
        "fault": fault.kind if fault else "latency" if delay else None,
    }
    if fault is not None:
        entry["applied"] = fault.applies_call
    sandbox.calls.add(entry)
    return answer


def _answer(apply: Callable[[], Json]) -> Response:
    try:
        return make_response(apply())
    except WixError as error:
        return _wix_error(error)
