"""Labelling of one contact, and of many in the background (CONTRACT.md sections 7.6 and 7.7)."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import replace

from formapp.sandbox.api import records
from formapp.sandbox.api.call import Call, iso
from formapp.sandbox.api.contact_info import items
from formapp.sandbox.api.definitions import require_labels
from formapp.sandbox.api.errors import application_error, envelope
from formapp.sandbox.api.search import find_contacts, read_search
from formapp.sandbox.api.validation import MAX_KEY, Sent
from formapp.sandbox.state import ContactRecord, Json

MAX_KEYS = 100
LISTED_JOBS = 100
MAX_JOBS = 500


def label_contact(call: Call) -> Json:
    record, keys = _read_labelling(call, Sent(call.body)["labelKeys"])
    return {"contact": _relabel(call, record, add=keys)}


def unlabel_contact(call: Call) -> Json:
    """Answer Unlabel Contact; the keys may be in the body, the query or both."""
    sent, in_query = Sent(call.body)["labelKeys"], call.many("labelKeys")
    if isinstance(sent.value, list):
        sent.value = [*sent.value, *in_query]
    elif sent.value is None:
        sent.value = in_query or None
    record, keys = _read_labelling(call, sent)
    return {"contact": _relabel(call, record, remove=keys)}


def _read_labelling(call: Call, sent: Sent) -> tuple[ContactRecord, list[str]]:
    if sent.value is None:
        sent.refuse("is required", "REQUIRED_FIELD")
    elif sent.value == []:
        sent.refuse("must have at least 1 item", "MIN_SIZE", threshold=1)
    keys = _read_keys(sent)
    sent.raise_violations()
    record = records.find(call)
    require_labels(call.site, keys, "labelKeys")
    return record, keys


def _read_keys(sent: Sent) -> list[str]:
    return list(dict.fromkeys(key.required(MAX_KEY) for key in sent.items(MAX_KEYS) or []))


def _relabel(
    call: Call, record: ContactRecord, add: Iterable[str] = (), remove: Collection[str] = ()
) -> Json:
    """Add and remove labels; the revision rises only if the set of labels changes."""
    info = record.body["info"]
    current = items(info, "labelKeys")
    keys = [key for key in dict.fromkeys([*current, *add]) if key not in remove]
    if keys == current:
        return record.body
    return records.revise(call, record, {**info, "labelKeys": {"items": keys}})


def label_many(call: Call) -> Json:
    """Answer Bulk Label And Unlabel: select the contacts now, label them when the job is due."""
    sent, condition = Sent(call.body), call.body.get("filter")
    search = read_search(sent)
    add, remove = _read_keys(sent["labelKeysToAdd"]), _read_keys(sent["labelKeysToRemove"])
    sent.raise_violations()
    if condition is None and search is None:
        raise application_error("NEITHER_FILTER_NOR_SEARCH")
    if not (add or remove):
        description = "is required without labelKeysToRemove"
        sent["labelKeysToAdd"].refuse(description, "REQUIRED_FIELD")
    sent.raise_violations()
    require_labels(call.site, add, "labelKeysToAdd")
    require_labels(call.site, remove, "labelKeysToRemove")
    ids = [row["id"] for row in find_contacts(call, condition, search)]
    job_id = _start_job(call, ids, add, remove)
    finish_due_jobs(call)
    return {"jobId": job_id}


def _start_job(call: Call, ids: list[str], add: list[str], remove: list[str]) -> str:
    types = {(True, True): "ADD_REMOVE_LABELS", (True, False): "ADD_LABELS"}
    due = call.now + call.settings.job_delay
    job_id = str(uuid.uuid4())
    call.site.jobs[job_id] = {
        "id": job_id,
        "type": types.get((bool(add), bool(remove)), "REMOVE_LABELS"),
        "status": "RUNNING",
        "startedDate": call.moment,
        "totalItems": len(ids),
        "successTotal": 0,
        "failedTotal": 0,
        "errors": [],
        "work": {"ids": ids, "add": add, "remove": remove, "due": due},
    }
    while len(call.site.jobs) > MAX_JOBS:
        call.site.jobs.pop(next(iter(call.site.jobs)))
    call.site.changes += 1
    return job_id


def finish_due_jobs(call: Call) -> None:
    """Do the work of every due job. Every call does this first, so that no thread is needed."""
    call = replace(call, operation="bulkLabelAndUnlabelContacts")
    for job in list(call.site.jobs.values()):
        if "work" in job and job["work"]["due"] <= call.now:
            call.site.jobs[job["id"]] = _finish_job(call, job)
            call.site.changes += 1


def _finish_job(call: Call, job: Json) -> Json:
    work = job["work"]
    add = [key for key in work["add"] if key in call.site.labels]
    found = [call.site.contacts[one] for one in work["ids"] if one in call.site.contacts]
    for record in found:
        _relabel(call, record, add, work["remove"])
    failed = job["totalItems"] - len(found)
    missing = {"count": failed, "code": "CONTACT_NOT_FOUND", "message": "Contact not found."}
    return {
        **_without_work(job),
        "status": "COMPLETED",
        "finishedDate": iso(max(work["due"], call.now)),
        "successTotal": len(found),
        "failedTotal": failed,
        "errors": [missing] if failed else [],
    }


def _without_work(job: Json) -> Json:
    return {name: job[name] for name in job if name != "work"}


def get_bulk_job(call: Call) -> Json:
    job = call.site.jobs.get(call.path["jobId"].lower())
    if job is None:
        raise envelope(404)
    return {"job": _without_work(job)}


def list_bulk_jobs(call: Call) -> Json:
    """Answer List Bulk Jobs, the newest first."""
    newest = list(reversed(call.site.jobs.values()))[:LISTED_JOBS]
    return {"jobs": [_without_work(job) for job in newest]}
