"""Merge and Preview Merge (CONTRACT.md section 7.5)."""

from __future__ import annotations

from typing import Any

import pytest


def merge(api: Any, target: Any, *sources: Any, preview: bool = False) -> Any:
    body = {"sourceContactIds": [one["id"] for one in sources]}
    if preview:
        return api.ok("POST", f"/contacts/{target['id']}/preview-merge", body)["contact"]
    body = {**body, "targetContactRevision": target["revision"]}
    return api.ok("POST", f"/contacts/{target['id']}/merge", body)["contact"]


def test_a_merge_appends_lists_and_fills_blanks_without_overwriting(api: Any) -> None:
    api.field("Boat"), api.field("Page")
    target = api.contact(
        "a@example.com",
        name={"first": "Ines"},
        company="Barco",
        labelKeys={"items": ["contacts.customers"]},
        extendedFields={"items": {"custom.boat": "mine"}},
    )
    one = api.contact(
        emails={"items": [{"email": "A@example.com"}, {"email": "b@example.com"}]},
        phones={"items": [{"phone": "1111"}]},
        name={"first": "X", "last": "Okafor"},
        company="Other",
        jobTitle="First",
        extendedFields={"items": {"custom.boat": "theirs", "custom.page": "one"}},
    )
    two = api.contact(
        "b@example.com",
        phones={"items": [{"phone": "11-11"}, {"phone": "2222"}]},
        jobTitle="Second",
        labelKeys={"items": ["contacts.customers", "contacts.contacted-me"]},
        addresses={"items": [{"address": {"city": "Lisboa"}}]},
    )
    preview = merge(api, target, one, two, preview=True)
    assert preview["revision"] == 1
    assert api.get(target["id"]) == target
    merged = merge(api, target, one, two)
    info = merged["info"]
    assert merged["revision"] == 2
    assert merged["lastActivity"]["activityType"] == "CONTACT_MERGED"
    assert info == preview["info"]
    assert info["name"] == {"first": "Ines", "last": "Okafor"}
    assert (info["company"], info["jobTitle"]) == ("Barco", "First")
    emails = [(item["email"], item["primary"]) for item in info["emails"]["items"]]
    assert emails == [("a@example.com", True), ("b@example.com", False)]
    phones = [(item["phone"], item["primary"]) for item in info["phones"]["items"]]
    assert phones == [("1111", True), ("2222", False)]
    assert info["labelKeys"]["items"] == ["contacts.customers", "contacts.contacted-me"]
    assert len(info["addresses"]["items"]) == 1
    fields = info["extendedFields"]["items"]
    assert (fields["custom.boat"], fields["custom.page"]) == ("mine", "one")


def test_a_merged_id_leads_to_the_survivor_in_get_alone(api: Any) -> None:
    first, second, third = (api.contact() for _ in range(3))
    merge(api, second, first)
    found = api.ok("GET", f"/contacts/{first['id']}")
    assert found["responseType"] == "MERGED"
    assert found["contact"]["id"] == second["id"]
    merge(api, third, second)
    assert api.get(first["id"])["id"] == third["id"]
    body = {"revision": 1, "info": {"company": "X"}}
    for method, sent in (("PATCH", body), ("DELETE", None)):
        refused = api.refused(method, f"/contacts/{first['id']}", sent)
        assert refused == (404, "CONTACT_NOT_FOUND")
    assert [one["id"] for one in api.query()] == [third["id"]]


@pytest.mark.parametrize("operation", ["merge", "preview-merge"])
def test_an_illegal_merge_is_refused(api: Any, operation: str) -> None:
    target, source = api.contact(), api.contact()
    for ids in ([], [target["id"]], [source["id"], source["id"]]):
        body = {"targetContactRevision": 1, "sourceContactIds": ids}
        refused = api.refused("POST", f"/contacts/{target['id']}/{operation}", body)
        assert refused == (400, "ILLEGAL_MERGE")


@pytest.mark.parametrize("operation", ["merge", "preview-merge"])
def test_a_merge_needs_its_parties(api: Any, operation: str) -> None:
    target, source = api.contact(), api.contact()
    unknown = "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21"
    body = {"targetContactRevision": 1, "sourceContactIds": [source["id"]]}
    missing = (404, "CONTACT_NOT_FOUND")
    assert api.refused("POST", f"/contacts/{unknown}/{operation}", body) == missing
    body["sourceContactIds"] = [unknown]
    assert api.refused("POST", f"/contacts/{target['id']}/{operation}", body) == missing
    for ids, field in (
        (None, "sourceContactIds"),
        (["x"], "sourceContactIds[0]"),
        ([unknown] * 6, "sourceContactIds"),
    ):
        body = {"targetContactRevision": 1, "sourceContactIds": ids}
        found = api.violations("POST", f"/contacts/{target['id']}/{operation}", body)
        assert found[0][0] == field


def test_a_merge_needs_the_revision_of_the_target(api: Any) -> None:
    target, source = api.contact(), api.contact()
    path = f"/contacts/{target['id']}/merge"
    body = {"sourceContactIds": [source["id"]]}
    assert api.violations("POST", path, body)[0][0] == "targetContactRevision"
    stale = {**body, "targetContactRevision": 9}
    assert api.refused("POST", path, stale) == (428, "FAILED_PRECONDITION")
    assert api.get(source["id"]) == source


def test_a_member_may_be_the_target_but_no_source(api: Any) -> None:
    member, other = api.contact(), api.contact()
    api.control(
        "POST", "/members", {"site": api.site, "contact_id": member["id"], "role": "member"}
    )
    body = {"targetContactRevision": 1, "sourceContactIds": [member["id"]]}
    refused = api.refused("POST", f"/contacts/{other['id']}/merge", body)
    assert refused == (428, "FAILED_PRECONDITION")
    assert merge(api, member, other)["revision"] == 2
