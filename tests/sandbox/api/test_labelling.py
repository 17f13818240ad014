"""Label, Unlabel and bulk labelling (CONTRACT.md sections 7.6 and 7.7)."""

from __future__ import annotations

from typing import Any

import pytest

BULK = "/bulk/contacts/add-remove-labels"
JOBS = "/bulk/contact/jobs"


def held(contact: Any) -> list[str]:
    keys: list[str] = contact["info"].get("labelKeys", {}).get("items", [])
    return keys


def test_labelling_is_additive_and_raises_the_revision_only_on_a_change(api: Any) -> None:
    news, vip = api.label("News"), api.label("Vip")
    contact = api.contact(labelKeys={"items": [news]})
    path = f"/contacts/{contact['id']}/labels"
    labelled = api.ok("POST", path, {"labelKeys": [vip, news]})["contact"]
    assert held(labelled) == [news, vip]
    assert labelled["revision"] == 2
    assert api.ok("POST", path, {"labelKeys": [vip]})["contact"] == labelled


def test_unlabelling_takes_keys_from_body_query_or_both(api: Any) -> None:
    keys = [api.label(name) for name in ("A", "B", "C", "D")]
    contact = api.contact(labelKeys={"items": keys})
    path = f"/contacts/{contact['id']}/labels"
    one = api.ok("DELETE", path, {"labelKeys": ["custom.a"]})["contact"]
    assert held(one) == ["custom.b", "custom.c", "custom.d"]
    two = api.ok("DELETE", f"{path}?labelKeys=custom.b", {"labelKeys": ["custom.c"]})["contact"]
    assert held(two) == ["custom.d"]
    three = api.ok("DELETE", f"{path}?labelKeys=custom.d&labelKeys=custom.a")["contact"]
    assert held(three) == []
    assert three["revision"] == 4
    assert api.ok("DELETE", f"{path}?labelKeys=custom.d")["contact"]["revision"] == 4


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({}, "labelKeys", "REQUIRED_FIELD"),
        ({"labelKeys": []}, "labelKeys", "MIN_SIZE"),
        ({"labelKeys": ["contacts.customers"] * 101}, "labelKeys", "MAX_SIZE"),
        ({"labelKeys": "contacts.customers"}, "labelKeys", "OTHER"),
        ({"labelKeys": ["contacts.customers", "custom.no"]}, "labelKeys[1]", "OTHER"),
        ({"labelKeys": [""]}, "labelKeys[0]", "MIN_LENGTH"),
    ],
)
def test_bad_label_keys_are_violations_and_nothing_is_applied(
    api: Any, method: str, body: Any, field: str, rule: str
) -> None:
    contact = api.contact()
    found = api.violations(method, f"/contacts/{contact['id']}/labels", body)
    assert found == [(field, rule)]
    assert api.get(contact["id"]) == contact


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_labelling_an_unknown_contact_is_not_found(api: Any, method: str) -> None:
    body = {"labelKeys": ["contacts.customers"]}
    assert api.refused(method, "/contacts/x/labels", body) == (404, "CONTACT_NOT_FOUND")


def test_a_bulk_job_labels_what_the_filter_finds(api: Any) -> None:
    news, vip = api.label("News"), api.label("Vip")
    hits = [api.contact(name={"last": "Okafor"}, labelKeys={"items": [news]}) for _ in range(3)]
    other = api.contact()
    body = {
        "filter": {"info.name.last": "Okafor"},
        "labelKeysToAdd": [vip],
        "labelKeysToRemove": [news],
    }
    job_id = api.ok("POST", BULK, body)["jobId"]
    job = api.ok("GET", f"{JOBS}/{job_id}")["job"]
    assert job == {
        "id": job_id,
        "type": "ADD_REMOVE_LABELS",
        "status": "COMPLETED",
        "startedDate": "2025-03-04T09:20:00.000Z",
        "finishedDate": "2025-03-04T09:20:00.000Z",
        "totalItems": 3,
        "successTotal": 3,
        "failedTotal": 0,
        "errors": [],
    }
    assert all(held(api.get(one["id"])) == [vip] for one in hits)
    assert api.get(other["id"]) == other


def test_a_bulk_job_takes_a_search(api: Any) -> None:
    contact = api.contact("a@example.com")
    api.ok("POST", BULK, {"search": "a@example.com", "labelKeysToAdd": ["contacts.customers"]})
    assert held(api.get(contact["id"])) == ["contacts.customers"]
    history = api.control("GET", f"/sites/{api.site}/contacts")["contacts"][0]["history"]
    assert history[-1]["operation"] == "bulkLabelAndUnlabelContacts"


def test_a_job_runs_until_it_is_due_and_counts_what_is_gone(api: Any, clock: Any) -> None:
    api.settings(job_delay=10)
    kept, gone = api.contact(), api.contact()
    body = {"filter": {}, "labelKeysToAdd": ["contacts.customers"]}
    path = f"{JOBS}/{api.ok('POST', BULK, body)['jobId']}"
    running = api.ok("GET", path)["job"]
    assert (running["status"], running["totalItems"]) == ("RUNNING", 2)
    assert "finishedDate" not in running
    api.ok("DELETE", f"/contacts/{gone['id']}")
    clock.advance(10)
    assert held(api.get(kept["id"])) == ["contacts.customers"]
    job = api.ok("GET", path)["job"]
    assert (job["status"], job["successTotal"], job["failedTotal"]) == ("COMPLETED", 1, 1)
    assert job["errors"][0]["code"] == "CONTACT_NOT_FOUND"


def test_jobs_are_listed_latest_first_up_to_a_hundred(api: Any) -> None:
    body = {"filter": {}, "labelKeysToRemove": ["contacts.customers"]}
    ids = [api.ok("POST", BULK, body)["jobId"] for _ in range(101)]
    jobs = api.ok("GET", JOBS)["jobs"]
    assert [job["id"] for job in jobs] == ids[:0:-1]
    assert {job["type"] for job in jobs} == {"REMOVE_LABELS"}


def test_a_bulk_job_needs_a_filter_or_a_search(api: Any) -> None:
    body = {"labelKeysToAdd": ["contacts.customers"]}
    assert api.refused("POST", BULK, body) == (400, "NEITHER_FILTER_NOR_SEARCH")


def test_a_bulk_job_is_checked_before_it_starts(api: Any) -> None:
    assert api.violations("POST", BULK, {"filter": {}}) == [("labelKeysToAdd", "REQUIRED_FIELD")]
    unknown = {"filter": {}, "labelKeysToAdd": ["custom.no"]}
    assert api.violations("POST", BULK, unknown) == [("labelKeysToAdd[0]", "OTHER")]
    many = {"filter": {}, "labelKeysToRemove": ["contacts.customers"] * 101}
    assert api.violations("POST", BULK, many) == [("labelKeysToRemove", "MAX_SIZE")]
    wrong = {"filter": {"no": 1}, "labelKeysToAdd": ["contacts.customers"]}
    assert api.refused("POST", BULK, wrong) == (400, "UNSUPPORTED_FILTER_FIELD_UNKNOWN")
    assert api.ok("GET", JOBS)["jobs"] == []


def test_an_unknown_job_is_not_found(api: Any) -> None:
    assert api.refused("GET", f"{JOBS}/nonsense") == (404, None)
