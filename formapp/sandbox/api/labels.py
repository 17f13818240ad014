"""Labels: their definitions, labelling of one contact, labelling in bulk.

CONTRACT.md sections 7.6, 7.7 and 9.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from formapp.sandbox.api import records
from formapp.sandbox.api import validation as check
from formapp.sandbox.api.contact_info import items
from formapp.sandbox.api.definitions import MAX_KEY, Kind
from formapp.sandbox.api.errors import Violations, application_error, envelope
from formapp.sandbox.api.search import find_contacts, read_search
from formapp.sandbox.clock import iso

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from formapp.sandbox.api.call import Call
    from formapp.sandbox.state import ContactRecord, Json, Site

LABELS = Kind(
    singular="label",
    plural="labels",
    type_name="labelType",
    types=("SYSTEM", "USER_DEFINED", "WIX_APP_DEFINED"),
    max_name=180,
    list_default=1000,
    list_max=2000,
    filters={"labelType": ("$eq",)},
)
MAX_KEYS = 100
LISTED_JOBS = 100
MAX_JOBS = 500


def find_or_create(call: Call) -> Json:
    """Answer Find Or Create Label."""
    name = LABELS.read_display_name(call.body.get("displayName"))
    known = LABELS.find_by_name(call, name)
    if known is not None:
        return {"label": known, "newLabel": False}
    total, quota = LABELS.count_custom(call), call.settings.labels_quota
    if total >= quota:
        raise application_error(
            "LABELS_QUOTA_REACHED", labelsQuota=str(quota), labelsCurrentTotal=str(total)
        )
    label = {"namespaceDisplayName": "", "displayName": name, "labelType": "USER_DEFINED"}
    return {"label": LABELS.add(call, label), "newLabel": True}


def rename(call: Call) -> Json:
    """Answer Rename Label; the name may be nested or flat."""
    nested = call.body.get("label")
    if isinstance(nested, dict):
        return LABELS.rename(call, nested.get("displayName"), "label.displayName")
    return LABELS.rename(call, call.body.get("displayName"), "displayName")


def delete(call: Call) -> Json:
    """Answer Delete Label: remove it from all contacts, without new revisions."""
    key = LABELS.remove(call)
    for record in call.site.contacts.values():
        info = record.body["info"]
        keys = items(info, "labelKeys")
        if key in keys:
            records.replace_info(call, record, _with_labels(info, [k for k in keys if k != key]))
    return {}


def _with_labels(info: Json, keys: list[str]) -> Json:
    rest = {name: info[name] for name in info if name != "labelKeys"}
    return {**rest, "labelKeys": {"items": keys}} if keys else rest


def require_labels(site: Site, keys: Iterable[str], path: str) -> None:
    """Refuse labels that do not exist.

    Raises:
        WixError: 400 with a violation for each (CONTRACT.md section 9.5).
    """
    found = Violations()
    for index, key in enumerate(keys):
        if key not in site.labels:
            found.add(f"{path}[{index}]", "label does not exist")
    found.raise_if_any()


def label_contact(call: Call) -> Json:
    """Answer Label Contact."""
    record, keys = _read_labelling(call, call.body.get("labelKeys"))
    return {"contact": _relabel(call, record, add=keys)}


def unlabel_contact(call: Call) -> Json:
    """Answer Unlabel Contact; the keys may be in the body, the query or both."""
    in_body, in_query = call.body.get("labelKeys"), call.many("labelKeys")
    sent = [*in_body, *in_query] if isinstance(in_body, list) else in_body
    record, keys = _read_labelling(call, sent if sent is not None else in_query or None)
    return {"contact": _relabel(call, record, remove=keys)}


def _read_labelling(call: Call, raw: Any) -> tuple[ContactRecord, list[str]]:
    found = Violations()
    keys = _read_keys(found, "labelKeys", raw)
    if raw is None:
        found.add("labelKeys", "is required", "REQUIRED_FIELD")
    elif raw == []:
        found.add("labelKeys", "must have at least 1 item", "MIN_SIZE", threshold=1)
    found.raise_if_any()
    record = records.find(call, call.path["contactId"])
    require_labels(call.site, keys, "labelKeys")
    return record, keys


def _read_keys(found: Violations, path: str, raw: Any) -> list[str]:
    """Return the distinct label keys in `raw`."""
    sent = check.sequence(found, path, raw, MAX_KEYS) or []
    keys = [
        check.required_text(found, f"{path}[{index}]", key, MAX_KEY)
        for index, key in enumerate(sent)
    ]
    return list(dict.fromkeys(key for key in keys if key))


def _relabel(
    call: Call, record: ContactRecord, add: Iterable[str] = (), remove: Collection[str] = ()
) -> Json:
    """Add and remove labels; the revision rises only if the set of labels changes."""
    info = record.body["info"]
    current = items(info, "labelKeys")
    keys = [key for key in dict.fromkeys([*current, *add]) if key not in remove]
    if keys == current:
        return record.body
    return records.revise(call, record, _with_labels(info, keys))


def bulk_label_and_unlabel(call: Call) -> Json:
    """Answer Bulk Label And Unlabel: select the contacts now, label them when the job is due."""
    found = Violations()
    search = read_search(found, call.body.get("search"))
    add = _read_keys(found, "labelKeysToAdd", call.body.get("labelKeysToAdd"))
    remove = _read_keys(found, "labelKeysToRemove", call.body.get("labelKeysToRemove"))
    found.raise_if_any()
    if call.body.get("filter") is None and search is None:
        raise application_error("NEITHER_FILTER_NOR_SEARCH")
    if not (add or remove):
        found.add("labelKeysToAdd", "is required without labelKeysToRemove", "REQUIRED_FIELD")
    found.raise_if_any()
    require_labels(call.site, add, "labelKeysToAdd")
    require_labels(call.site, remove, "labelKeysToRemove")
    ids = [row["id"] for row in find_contacts(call, call.body.get("filter"), search)]
    job_id = _start_job(call, ids, add, remove)
    finish_due_jobs(call)
    return {"jobId": job_id}


def _start_job(call: Call, ids: list[str], add: list[str], remove: list[str]) -> str:
    types = {(True, True): "ADD_REMOVE_LABELS", (True, False): "ADD_LABELS"}
    due = call.now + call.settings.job_delay
    job: Json = {
        "id": str(uuid.uuid4()),
        "type": types.get((bool(add), bool(remove)), "REMOVE_LABELS"),
        "status": "RUNNING",
        "startedDate": call.moment,
        "totalItems": len(ids),
        "successTotal": 0,
        "failedTotal": 0,
        "errors": [],
        "work": {"ids": ids, "add": add, "remove": remove, "due": due},
    }
    call.site.jobs[job["id"]] = job
    while len(call.site.jobs) > MAX_JOBS:
        call.site.jobs.pop(next(iter(call.site.jobs)))
    call.site.changes += 1
    return str(job["id"])


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
    """Answer Get Bulk Job."""
    job = call.site.jobs.get(call.path["jobId"].lower())
    if job is None:
        raise envelope(404)
    return {"job": _without_work(job)}


def list_bulk_jobs(call: Call) -> Json:
    """Answer List Bulk Jobs, the newest first."""
    newest = list(reversed(call.site.jobs.values()))[:LISTED_JOBS]
    return {"jobs": [_without_work(job) for job in newest]}
