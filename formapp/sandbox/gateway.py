"""The way of every API call: fault, credentials, rate limit, operation, state file, log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flask import Response, request

from formapp.sandbox.api.answers import error_answer, json_answer
from formapp.sandbox.api.auth import authenticate, grant_token, site_hint
from formapp.sandbox.api.bulk import settle_jobs
from formapp.sandbox.api.call import Call
from formapp.sandbox.api.errors import WixError, envelope
from formapp.sandbox.api.operations import OPERATIONS, TOKEN_OPERATION, TOKEN_PATH
from formapp.sandbox.api.requests_in import read_object
from formapp.sandbox.clock import iso
from formapp.sandbox.control.spoiled import spoil

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from formapp.sandbox.api.operations import Operation
    from formapp.sandbox.control.faults import Fault
    from formapp.sandbox.core import Sandbox
    from formapp.sandbox.state import Json

WITH_BODY = ("POST", "PATCH")


def register_api(app: Flask, sandbox: Sandbox) -> None:
    """Add the routes of all operations and of the token endpoint to `app`."""
    for operation in OPERATIONS:
        app.add_url_rule(
            operation.rule,
            endpoint=operation.name,
            view_func=_view(sandbox, operation),
            methods=[operation.method],
            provide_automatic_options=False,
        )

    def token() -> Response:
        instance = _instance_hint()
        return _guarded(sandbox, TOKEN_OPERATION, instance, lambda: _grant(sandbox))

    app.add_url_rule(
        TOKEN_PATH,
        endpoint=TOKEN_OPERATION,
        view_func=token,
        methods=["POST"],
        provide_automatic_options=False,
    )


def _view(sandbox: Sandbox, operation: Operation) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        site = site_hint(request.headers, sandbox.tokens, sandbox.clock.now())
        return _guarded(sandbox, operation.name, site, lambda: _apply(sandbox, operation, path))

    return view


def _guarded(
    sandbox: Sandbox, operation: str, site: str | None, apply: Callable[[], Json]
) -> Response:
    """Answer a call, with the faults that strike it, and log it."""
    started = time.perf_counter()
    request.get_data()  # the whole request is in before anything can be cut
    wait, fault = sandbox.faults.draw(operation, site)
    if wait:
        sandbox.closing.wait(wait)
    answer = _answer(fault, apply)
    entry: dict[str, Any] = {
        "time": iso(sandbox.clock.now()),
        "site": site,
        "operation": operation,
        "method": request.method,
        "path": request.path,
        "status": answer.status_code,
        "ms": round((time.perf_counter() - started) * 1000, 1),
        "fault": fault.kind if fault else "latency" if wait else None,
    }
    if fault is not None:
        entry["applied"] = fault.lets_call_through
        answer = _spoilt(sandbox, fault, answer, entry)
    else:
        sandbox.calls.add(entry)
    return answer


def _spoilt(sandbox: Sandbox, fault: Fault, answer: Response, entry: Json) -> Response:
    """Log first, as a cut ends the call; the log has no status for an answer nobody gets."""
    if fault.kind in ("cut_before", "cut_after"):
        sandbox.calls.add({**entry, "status": None})
        return spoil(fault, answer, request.environ, sandbox.closing)
    spoilt = spoil(fault, answer, request.environ, sandbox.closing)
    sandbox.calls.add({**entry, "status": spoilt.status_code})
    return spoilt


def _answer(fault: Fault | None, apply: Callable[[], Json]) -> Response:
    if fault is not None and not fault.lets_call_through:
        return Response(b"", 503)  # a placeholder: the fault decides what is sent
    try:
        return json_answer(apply())
    except WixError as error:
        return error_answer(error)


def _apply(sandbox: Sandbox, operation: Operation, path: dict[str, str]) -> Json:
    settings = sandbox.settings
    caller = authenticate(request.headers, sandbox.tokens, settings, sandbox.clock.now())
    if not sandbox.limiter.admit(caller.bucket, sandbox.clock.now(), settings.rate_limit):
        raise envelope(429)
    body = read_object(request.get_data(), required=operation.method in WITH_BODY)
    site = sandbox.store.site(caller.site_id)
    query = dict(request.args.lists())
    try:
        with site.lock:
            now = sandbox.clock.now()
            call = Call(operation.name, site, caller, settings, now, path, query, body)
            settle_jobs(call)
            return operation.answer(call)
    finally:
        sandbox.keeper.keep()


def _instance_hint() -> str | None:
    body = request.get_json(silent=True, force=True)
    instance = body.get("instance_id") if isinstance(body, dict) else None
    return instance if isinstance(instance, str) else None


def _grant(sandbox: Sandbox) -> Json:
    body = read_object(request.get_data(), required=True)
    now = sandbox.clock.now()
    return grant_token(body, sandbox.tokens, sandbox.options, sandbox.settings, now)
