"""Bulk Label And Unlabel and its jobs (contract section 7.7)."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from formapp.sandbox.api.contact_filters import contact_rules
from formapp.sandbox.api.contact_rules import require_labels
from formapp.sandbox.api.errors import Violations, application_error, envelope
from formapp.sandbox.api.labelling import read_keys, relabel
from formapp.sandbox.api.queries import compile_filter
from formapp.sandbox.api.search import find_indexed, read_search
from formapp.sandbox.clock import iso

if TYPE_CHECKING:
    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import Json

SHOWN_JOBS = 100
KEPT_JOBS = 500


def bulk_label_and_unlabel(call: Call) -> Json:
    """Answer Bulk Label And Unlabel: pick the contacts, then work when the job is due.

    Raises:
        WixError: 400 NEITHER_FILTER_NOR_SEARCH, a filter code, or a validation error.
    """
    found = Violations()
    search = read_search(found, call.body.get("search"))
    add = read_keys(found, "labelKeysToAdd", call.body.get("labelKeysToAdd"))
    remove = read_keys(found, "labelKeysToRemove", call.body.get("labelKeysToRemove"))
    found.raise_if_any()
    if call.body.get("filter") is None and search is None:
        raise application_error("NEITHER_FILTER_NOR_SEARCH")
    _require_work(add, remove)
    require_labels(call.site, add, "labelKeysToAdd")
    require_labels(call.site, remove, "labelKeysToRemove")
    matches = compile_filter(call.body.get("filter"), contact_rules(call))
    ids = [row["id"] for row in find_indexed(call, matches, search)]
    job = _start(call, ids, add, remove)
    settle_jobs(call)
    return {"jobId": job["id"]}


def _require_work(add: list[str], remove: list[str]) -> None:
    found = Violations()
    if not (add or remove):
        found.add("labelKeysToAdd", "is required without labelKeysToRemove", "REQUIRED_FIELD")
    found.raise_if_any()


def _start(call: Call, ids: list[str], add: list[str], remove: list[str]) -> Json:
    kinds = {(True, True): "ADD_REMOVE_LABELS", (True, False): "ADD_LABELS"}
    job: Json = {
        "id": str(uuid.uuid4()),
        "type": kinds.get((bool(add), bool(remove)), "REMOVE_LABELS"),
        "status": "RUNNING",
        "startedDate": iso(call.now),
        "totalItems": len(ids),
        "successTotal": 0,
        "failedTotal": 0,
        "errors": [],
        "work": {
            "ids": ids,
            "add": add,
            "remove": remove,
            "due": call.now + call.settings.job_delay,
        },
    }
    call.site.jobs[job["id"]] = job
    while len(call.site.jobs) > KEPT_JOBS:
        call.site.jobs.pop(next(iter(call.site.jobs)))
    call.site.changes += 1
    return job


def settle_jobs(call: Call) -> None:
    """Do the work of every job that is due. Called before anything else in a call.

    A job needs no thread: nobody can tell when the work was done, only that it was done by
    the time somebody looks.
    """
    call = replace(call, operation="bulkLabelAndUnlabelContacts")
    for job in list(call.site.jobs.values()):
        if "work" in job and job["work"]["due"] <= call.now:
            call.site.jobs[job["id"]] = _finished(call, job)
            call.site.changes += 1


def _finished(call: Call, job: Json) -> Json:
    work = job["work"]
    done = 0
    for contact_id in work["ids"]:
        record = call.site.contacts.get(contact_id)
        if record is not None:
            keys = [key for key in work["add"] if key in call.site.labels]
            relabel(call, record, keys, work["remove"])
            done += 1
    failed = job["totalItems"] - done
    missing = {"count": failed, "code": "CONTACT_NOT_FOUND", "message": "Contact not found."}
    return {
        **{name: job[name] for name in job if name != "work"},
        "status": "COMPLETED",
        "finishedDate": iso(max(work["due"], call.now)),
        "successTotal": done,
        "failedTotal": failed,
        "errors": [missing] if failed else [],
    }


def get_bulk_job(call: Call) -> Json:
    """Answer Get Bulk Job.

    Raises:
        WixError: 404 with empty details.
    """
    job = call.site.jobs.get(call.path["jobId"].lower())
    if job is None:
        raise envelope(404)
    return {"job": _shown(job)}


def list_bulk_jobs(call: Call) -> Json:
    """Answer List Bulk Jobs, the latest first."""
    latest = list(reversed(call.site.jobs.values()))[:SHOWN_JOBS]
    return {"jobs": [_shown(job) for job in latest]}


def _shown(job: Json) -> Json:
    return {name: job[name] for name in job if name != "work"}
