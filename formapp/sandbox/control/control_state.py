"""Control routes that read and change the state of sites: whole contacts, members, edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from formapp.sandbox.api import contacts
from formapp.sandbox.api.answers import json_answer
from formapp.sandbox.api.bulk import settle_jobs
from formapp.sandbox.api.call import Call, Caller
from formapp.sandbox.api.contact_info import read_info
from formapp.sandbox.api.errors import Violations, envelope, invalid
from formapp.sandbox.api.history import remember
from formapp.sandbox.api.records import complete
from formapp.sandbox.api.requests_in import read_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from formapp.sandbox.core import Sandbox
    from formapp.sandbox.state import Json

ROLES = (None, "member", "owner", "contributor")


def register_state(control: Blueprint, sandbox: Sandbox) -> None:
    """Add the routes for sites, contacts and members to the control blueprint."""
    _add_sites(control, sandbox)
    _add_dashboard(control, sandbox)


def _add_sites(control: Blueprint, sandbox: Sandbox) -> None:
    @control.get("/sites")
    def read_sites() -> Response:
        names = ("contacts", "labels", "fields", "jobs", "merged")
        sites = [
            {"id": site.id, **{name: len(getattr(site, name)) for name in names}}
            for site in sandbox.store.sites()
        ]
        return json_answer({"sites": sites})

    @control.delete("/sites/<site_id>")
    def drop_site(site_id: str) -> Response:
        sandbox.store.forget(site_id)
        sandbox.keeper.keep()
        return json_answer({})

    @control.get("/sites/<site_id>/contacts")
    def read_contacts(site_id: str) -> Response:
        return json_answer(_in_site(sandbox, site_id, "readState", _whole_state))


def _whole_state(call: Call) -> Json:
    """Return contacts with history, those that are gone, and where merged ids lead."""
    return {
        "contacts": [_shown(one) for one in call.site.contacts.values()],
        "gone": [_shown(one) for one in call.site.gone.values()],
        "merged": call.site.merged,
    }


def _shown(record: Any) -> Json:
    return {
        "contact": record.body,
        "role": record.role,
        "billing_subscription": record.has_billing_subscription,
        "gone": record.gone,
        "history": record.history,
    }


def _add_dashboard(control: Blueprint, sandbox: Sandbox) -> None:
    @control.post("/sites/<site_id>/contacts")
    def create(site_id: str) -> Response:
        return json_answer(_in_site(sandbox, site_id, "createContact", contacts.create_contact))

    @control.patch("/sites/<site_id>/contacts/<contact_id>")
    def edit(site_id: str, contact_id: str) -> Response:
        return json_answer(_in_site(sandbox, site_id, "updateContact", _edit, contact_id))

    @control.delete("/sites/<site_id>/contacts/<contact_id>")
    def delete(site_id: str, contact_id: str) -> Response:
        answer = contacts.delete_contact
        return json_answer(_in_site(sandbox, site_id, "deleteContact", answer, contact_id))

    @control.post("/members")
    def make_member() -> Response:
        sent = read_object(request.get_data(), required=True)
        for name in ("site", "contact_id"):
            if not isinstance(sent.get(name), str):
                raise invalid(name, "is required", "REQUIRED_FIELD")
        if sent.get("role") not in ROLES:
            raise invalid("role", "must be member, owner, contributor or null")
        site_id, contact_id = sent["site"], sent["contact_id"]
        return json_answer(_in_site(sandbox, site_id, "changeMember", _member, contact_id))


def _in_site(
    sandbox: Sandbox,
    site_id: str,
    operation: str,
    answer: Callable[[Call], Json],
    contact_id: str = "",
) -> Json:
    """Run `answer` as a person in the dashboard of a site that must exist, unless it creates."""
    creates = operation == "createContact"
    site = sandbox.store.site(site_id) if creates else sandbox.store.find(site_id)
    if site is None:
        raise envelope(404)
    body = read_object(request.get_data(), required=False)
    caller = Caller("dashboard", site_id, "dashboard")
    path = {"contactId": contact_id}
    try:
        with site.lock:
            now = sandbox.clock.now()
            call = Call(operation, site, caller, sandbox.settings, now, path, {}, body)
            settle_jobs(call)
            return answer(call)
    finally:
        sandbox.keeper.keep()


def _edit(call: Call) -> Json:
    """Update a contact whatever its revision; all other rules hold."""
    found = Violations()
    sent = read_info(found, call.body.get("info"))
    found.raise_if_any()
    record = contacts.find_contact(call, call.path["contactId"])
    return {"contact": contacts.apply_update(call, record, sent or {}, allow_duplicates=True)}


def _member(call: Call) -> Json:
    """Give a contact a role, or a billing subscription; the revision stays.

    The contract does not say whether a change of membership raises the revision.
    """
    record = contacts.find_contact(call, call.path["contactId"])
    record.role = call.body.get("role", record.role)
    billing = call.body.get("billing_subscription", record.has_billing_subscription)
    record.has_billing_subscription = billing is True
    body = complete(call.site, record.body, record.role)
    remember(record, record.body, body, call)
    call.site.store(record, body, call.now)
    return _shown(record)
