"""The control path `/_sandbox/…`: faults, switches, log and state, as JSON.

None of it needs credentials. Errors are `{"error": "…"}` with 400, 403 or 404.

========================================  ====================================================
`GET /_sandbox/faults`                    `{"faults": [...]}`, each with `id` and `struck`
`POST /_sandbox/faults`                   switch one on, e.g. `{"kind": "latency",
                                          "operation": "createContact", "site": null,
                                          "seconds": 1.5, "times": 3, "probability": 0.25}`;
                                          `faults.py` lists the kinds and their values
`DELETE /_sandbox/faults[/<id>]`          switch one off, or all
`GET`, `PATCH /_sandbox/settings`         the switches of `options.Settings`
`POST /_sandbox/reset`                    back to the start: no sites, faults, tokens, calls
`GET /_sandbox/calls`                     `{"calls", "counts", "total"}`; `?site=`,
                                          `?operation=` narrow `calls`
`DELETE /_sandbox/calls`                  clear the log and the counts
`GET`, `POST /_sandbox/clock`             the time; `{"advance": 60}` puts it forward (seconds)
`DELETE /_sandbox/tokens`                 have all app tokens expire
`POST /_sandbox/members`                  `{"site", "contact_id", "role": "member" | "owner" |
                                          "contributor" | null, "billing_subscription": bool}`
`GET /_sandbox/sites`                     `{"sites": [{"id", "contacts", "labels", ...}]}`
`DELETE /_sandbox/sites/<site>`           drop one site
`GET /_sandbox/sites/<site>/contacts`     the whole state, strongly consistent, with history
`POST /_sandbox/sites/<site>/contacts`    create as a person in the dashboard would: `{"info"}`
`PATCH /_sandbox/sites/<site>/contacts/<id>`  edit as such a person: `{"info"}`, no revision
`DELETE /_sandbox/sites/<site>/contacts/<id>`  delete as such a person
========================================  ====================================================

The page for people posts forms to the same routes: `POST /_sandbox/settings`,
`POST /_sandbox/faults/<id>/off`, `POST /_sandbox/faults/off`; a form is answered with a redirect
back to its page. A browser that posts from another site is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, request

from formapp.sandbox.api.answers import error_answer, json_answer
from formapp.sandbox.api.errors import WixError
from formapp.sandbox.api.operations import OPERATION_NAMES
from formapp.sandbox.api.requests_in import read_object
from formapp.sandbox.clock import iso
from formapp.sandbox.control.control_forms import fault_from_form, is_form, settings_from_form
from formapp.sandbox.control.control_state import register_state
from formapp.sandbox.control.faults import FaultError, read_fault
from formapp.sandbox.options import SettingError
from formapp.sandbox.pages.people import faults_page

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as AnyResponse

    from formapp.sandbox.core import Sandbox
    from formapp.sandbox.state import Json

READING = ("GET", "HEAD")
PAGE = "/faults"
MAX_SKIP = 365 * 86_400


def register_control(app: Flask, sandbox: Sandbox) -> None:
    """Add the control routes to `app`."""
    control = Blueprint("control", __name__, url_prefix="/_sandbox")
    control.before_request(_refuse_other_sites)
    control.register_error_handler(WixError, _api_error)
    for kind in (FaultError, SettingError, ControlError):
        control.register_error_handler(kind, lambda error: _bad_request(sandbox, error))
    _add_faults(control, sandbox)
    _add_settings(control, sandbox)
    _add_log(control, sandbox)
    register_state(control, sandbox)
    app.register_blueprint(control)


class ControlError(ValueError):
    """A control call makes no sense; the text says why."""


def _refuse_other_sites() -> Response | None:
    foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if foreign and request.method not in READING:
        return json_answer({"error": "refused: the request comes from another site"}, 403)
    return None


def _bad_request(sandbox: Sandbox, error: ValueError) -> Response:
    if is_form(request):
        return faults_page(sandbox, str(error))
    return json_answer({"error": str(error)}, 400)


def _api_error(error: WixError) -> Response:
    return error_answer(error)


def _body() -> Json:
    return read_object(request.get_data(), required=True)


def _done(page: str = PAGE) -> AnyResponse:
    return redirect(page, 303) if is_form(request) else json_answer({})


def _add_faults(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/faults")
    def read_faults() -> Response:
        return json_answer({"faults": sandbox.faults.read()})

    @control.post("/faults")
    def add_fault() -> AnyResponse:
        sent = fault_from_form(request.form) if is_form(request) else _body()
        shown = sandbox.faults.add(read_fault(sent, OPERATION_NAMES))
        return redirect(PAGE, 303) if is_form(request) else json_answer({"fault": shown})

    @control.route("/faults", methods=["DELETE"])
    @control.route("/faults/off", methods=["POST"])
    def clear_faults() -> AnyResponse:
        sandbox.faults.clear()
        return _done()

    @control.route("/faults/<fault_id>", methods=["DELETE"])
    @control.route("/faults/<fault_id>/off", methods=["POST"])
    def remove_fault(fault_id: str) -> AnyResponse:
        if not sandbox.faults.remove(fault_id) and not is_form(request):
            return json_answer({"error": "no such fault"}, 404)
        return _done()


def _add_settings(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/settings")
    def read_settings() -> Response:
        return json_answer({"settings": sandbox.settings.as_json()})

    @control.route("/settings", methods=["PATCH", "POST"])
    def change_settings() -> AnyResponse:
        sent = settings_from_form(request.form) if is_form(request) else _body()
        sandbox.settings = sandbox.settings.changed(sent)
        return redirect(PAGE, 303) if is_form(request) else read_settings()

    @control.post("/reset")
    def reset() -> AnyResponse:
        sandbox.reset()
        return _done("/")


def _add_log(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/calls")
    def read_calls() -> Response:
        site, operation = request.args.get("site"), request.args.get("operation")
        return json_answer(sandbox.calls.read(site=site, operation=operation))

    @control.delete("/calls")
    def clear_calls() -> AnyResponse:
        sandbox.calls.clear()
        return _done()

    @control.get("/clock")
    def read_clock() -> Response:
        return json_answer({"now": iso(sandbox.clock.now())})

    @control.post("/clock")
    def advance_clock() -> Response:
        sandbox.clock.advance(_seconds(_body().get("advance")))
        return read_clock()

    @control.delete("/tokens")
    def revoke_tokens() -> AnyResponse:
        sandbox.tokens.revoke_all()
        return _done()


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MAX_SKIP:
        raise ControlError(f"advance must be a number of seconds from 0 to {MAX_SKIP}")
    return float(value)
