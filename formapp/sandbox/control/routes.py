"""The control path `/_sandbox/…`: faults, settings, the log of calls and the state, as JSON.

None of it needs credentials. Errors are `{"error": "…"}` with 400, 403 or 404.

* `POST /faults`: `{"kind": "latency", "operation": "createContact", "site": null, "seconds": 1.5,
  "times": 3, "probability": 0.25}`; `faults.py` lists the kinds and their values.
* `PATCH /settings`: any of `options.Settings`. `GET /calls?site=&operation=` filters.
* `POST /clock`: `{"advance": 60}` moves the time forward (seconds).
* `POST /members`: `{"site", "contact_id", "role": "member" | "owner" | "contributor" | null,
  "billing_subscription": bool}`.
* `PATCH /webhooks`: any of `options.WebhookSettings`; `GET` adds the log and how many events wait,
  `DELETE` forgets both. `GET /webhooks/key` is the public key as PEM text.
* `POST`, `PATCH`, `DELETE /sites/<site>/contacts[/<id>]`: `{"info"}`, as a person in the dashboard
  creates, edits or deletes, without a revision. `DELETE …?anonymize=true` erases a person.

The faults page posts HTML forms to the same routes, some under another name; the answer to a form
is a redirect to its page. Requests from browsers on other sites are refused.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Flask, Response, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from formapp.sandbox.api import contacts, records
from formapp.sandbox.api.auth import Caller
from formapp.sandbox.api.call import Call, iso
from formapp.sandbox.api.errors import envelope
from formapp.sandbox.api.validation import Sent, read_object
from formapp.sandbox.control.faults import FAULT_RULES, Faults, read_fault
from formapp.sandbox.core import CallLog, Sandbox
from formapp.sandbox.options import (
    SETTING_RULES,
    WEBHOOK_RULES,
    Range,
    Rules,
    SettingError,
    check,
)
from formapp.sandbox.state import ContactRecord, Json

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
FAULTS_PAGE, WEBHOOKS_PAGE = "/faults", "/webhooks"
MAX_ADVANCE = 365 * 86_400.0
ROLES = (None, "member", "owner", "contributor")
COUNTED = ("contacts", "labels", "fields", "jobs", "merged")


def register_control(app: Flask, sandbox: Sandbox, refuse_form: Callable[[str], Response]) -> None:
    """Add the control routes to `app`; `refuse_form` answers an invalid HTML form."""
    control = Blueprint("control", __name__, url_prefix="/_sandbox")
    control.before_request(_refuse_other_sites)

    def refuse(error: SettingError) -> Response:
        if _is_form():
            return refuse_form(str(error))
        return make_response({"error": str(error)}, 400)

    control.register_error_handler(SettingError, refuse)
    _add_faults(control, sandbox)
    _add_settings(control, sandbox)
    _add_log(control, sandbox)
    _add_webhooks(control, sandbox)
    _add_sites(control, sandbox)
    _add_dashboard(control, sandbox)
    app.register_blueprint(control)


def _refuse_other_sites() -> Response | None:
    foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if foreign and request.method not in ("GET", "HEAD"):
        return make_response({"error": "refused: the request comes from another site"}, 403)
    return None


def _is_form() -> bool:
    return request.mimetype in FORM_TYPES


def _body() -> Json:
    return read_object(request.get_data(), required=True)


def _sent(rules: Rules) -> Json:
    """Return what was sent: JSON, or a form, whose empty controls and unticked boxes don't count.

    A number that is none stays a text, for the check to refuse.
    """
    form = request.form
    if not _is_form():
        return _body()
    sent: Json = {}
    for name, rule in rules.items():
        if rule is bool:
            sent[name] = name in form
        elif form.get(name):
            sent[name] = _number(form[name]) if isinstance(rule, Range) else form[name]
    return sent


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _done(answer: Json, page: str = FAULTS_PAGE) -> AnyResponse:
    return redirect(page, 303) if _is_form() else make_response(answer)


def _add_faults(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/faults")
    def read_faults() -> Json:
        return {"faults": sandbox.faults.read()}

    @control.post("/faults")
    def add_fault() -> AnyResponse:
        sent = _sent(FAULT_RULES)
        if text := request.form.get("percent"):
            percent = _number(text)
            sent["probability"] = percent if isinstance(percent, str) else percent / 100
        fault = read_fault(sent)
        sandbox.faults.add(fault)
        return _done({"fault": asdict(fault)})

    @control.delete("/faults")
    @control.post("/faults/off")
    def clear_faults() -> AnyResponse:
        sandbox.faults = Faults()
        return _done({})

    @control.delete("/faults/<fault_id>")
    @control.post("/faults/<fault_id>/off")
    def remove_fault(fault_id: str) -> AnyResponse:
        if not sandbox.faults.remove(fault_id) and not _is_form():
            return make_response({"error": "no such fault"}, 404)
        return _done({})


def _add_settings(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/settings")
    def read_settings() -> Json:
        return {"settings": asdict(sandbox.settings)}

    @control.route("/settings", methods=["PATCH", "POST"])
    def change_settings() -> AnyResponse:
        sandbox.settings = sandbox.settings.changed(_sent(SETTING_RULES))
        return _done(read_settings())

    @control.post("/reset")
    def reset() -> AnyResponse:
        sandbox.reset()
        return _done({}, "/")


def _add_log(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/calls")
    def read_calls() -> Json:
        site, operation = request.args.get("site"), request.args.get("operation")
        return sandbox.calls.read(site, operation)

    @control.delete("/calls")
    def clear_calls() -> AnyResponse:
        sandbox.calls = CallLog()
        return _done({})

    @control.get("/clock")
    def read_clock() -> Json:
        return {"now": iso(sandbox.now())}

    @control.post("/clock")
    def advance_clock() -> Json:
        seconds: Any = _body().get("advance")
        check({"advance": seconds}, {"advance": Range(0, MAX_ADVANCE)}, "a setting of the clock")
        sandbox.skipped += seconds
        sandbox.webhooks.wake()
        return read_clock()

    @control.delete("/tokens")
    def revoke_tokens() -> AnyResponse:
        sandbox.tokens = {}
        return _done({})


def _add_webhooks(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/webhooks")
    def read_webhooks() -> Json:
        return {**sandbox.webhooks.read(), "public_key": sandbox.webhooks.signer.public_key()}

    @control.route("/webhooks", methods=["PATCH", "POST"])
    def change_webhooks() -> AnyResponse:
        # On the page an empty address switches them off.
        empty = {"url": ""} if _is_form() else {}
        changes = {**empty, **_sent(WEBHOOK_RULES)}
        sandbox.webhooks.settings = sandbox.webhooks.settings.changed(changes)
        return _done(read_webhooks(), WEBHOOKS_PAGE)

    @control.delete("/webhooks")
    @control.post("/webhooks/clear")
    def clear_webhooks() -> AnyResponse:
        sandbox.webhooks.clear()
        return _done({}, WEBHOOKS_PAGE)

    @control.get("/webhooks/key")
    def webhook_key() -> Response:
        return Response(sandbox.webhooks.signer.public_key(), content_type="text/plain")


def _add_sites(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/sites")
    def read_sites() -> Json:
        sites = [
            {"id": site.id, **{name: len(getattr(site, name)) for name in COUNTED}}
            for site in sandbox.store.sites()
        ]
        return {"sites": sites}

    @control.delete("/sites/<site_id>")
    def drop_site(site_id: str) -> Json:
        sandbox.store.drop(site_id)
        sandbox.store.save()
        return {}

    @control.get("/sites/<site_id>/contacts")
    def read_contacts(site_id: str) -> Json:
        return _in_dashboard(sandbox, site_id, "readState", _site_state)


def _site_state(call: Call) -> Json:
    """Return contacts with history, removed contacts, and the targets of merged ids."""
    return {
        "contacts": [_record_as_json(one) for one in call.site.contacts.values()],
        "gone": [_record_as_json(one) for one in call.site.gone.values()],
        "merged": call.site.merged,
    }


def _record_as_json(record: ContactRecord) -> Json:
    return {
        "contact": record.body,
        "role": record.role,
        "billing_subscription": record.has_billing_subscription,
        "gone": record.gone,
        "history": record.history,
    }


def _add_dashboard(control: Blueprint, sandbox: Sandbox) -> None:
    @control.post("/sites/<site_id>/contacts")
    def create(site_id: str) -> Json:
        return _in_dashboard(sandbox, site_id, "createContact", contacts.create_contact)

    @control.route("/sites/<site_id>/contacts/<contact_id>", methods=["PATCH", "DELETE"])
    def change(site_id: str, contact_id: str) -> Json:
        if request.method == "DELETE":
            operation, answer = "deleteContact", contacts.delete_contact
        else:
            operation, answer = "updateContact", contacts.edit_contact
        return _in_dashboard(sandbox, site_id, operation, answer, contact_id)

    @control.post("/members")
    def change_member() -> Json:
        sent = Sent(_body())
        for part in (sent["site"], sent["contact_id"]):
            if not isinstance(part.value, str):
                part.refuse("is required", "REQUIRED_FIELD")
        if sent["role"].value not in ROLES:
            sent["role"].refuse("must be member, owner, contributor or null")
        sent.raise_violations()
        site_id, contact_id = sent["site"].value, sent["contact_id"].value
        return _in_dashboard(sandbox, site_id, "changeMember", _change_member, contact_id)


def _in_dashboard(
    sandbox: Sandbox,
    site_id: str,
    operation: str,
    answer: Callable[[Call], Json],
    contact_id: str = "",
) -> Json:
    """Answer a person in the dashboard of a site; only a create may add the site."""
    known = [site.id for site in sandbox.store.sites()]
    if operation != "createContact" and site_id not in known:
        raise envelope(404)
    body = read_object(request.get_data(), required=False)
    caller = Caller("dashboard", site_id, "dashboard")
    return sandbox.answer(operation, caller, answer, {"contactId": contact_id}, body)


def _change_member(call: Call) -> Json:
    record = records.find(call)
    billing = call.body.get("billing_subscription", record.has_billing_subscription)
    record.has_billing_subscription = billing is True
    record.role = call.body.get("role", record.role)
    # CONTRACT.md does not say whether a change of membership raises the revision; here it doesn't.
    records.store(call, record, record.body)
    return _record_as_json(record)
