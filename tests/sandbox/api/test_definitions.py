"""Labels and extended fields (CONTRACT.md sections 9 and 10)."""

from __future__ import annotations

import re
from typing import Any

import pytest

KINDS = pytest.mark.parametrize(
    ("path", "one", "many"),
    [("/labels", "label", "labels"), ("/extended-fields", "field", "fields")],
)


def make(api: Any, path: str, name: str) -> Any:
    return api.ok("POST", path, {"displayName": name})


@KINDS
def test_it_is_created_once_and_found_by_its_exact_name(
    api: Any, path: str, one: str, many: str
) -> None:
    first = make(api, path, "Spring Regatta")
    assert first[f"new{one.capitalize()}"] is True
    assert first[one]["key"] == "custom.spring-regatta"
    assert first[one]["namespace"] == "custom"
    assert first[one]["createdDate"] == first[one]["updatedDate"]
    again = make(api, path, "Spring Regatta")
    assert again == {one: first[one], f"new{one.capitalize()}": False}
    other = make(api, path, "spring regatta")
    assert other[one]["key"] == "custom.spring-regatta-1"


@KINDS
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("  Boat Length ", "custom.boat-length"),
        ("boatLength", "custom.boatlength"),
        ("a_b/c & d!", "custom.a_b-c-d"),
        ("Größe", "custom.gr-e"),
        ("x" * 150, "custom." + "x" * 73),
    ],
)
def test_a_key_follows_the_rule(
    api: Any, *, path: str, one: str, many: str, name: str, key: str
) -> None:
    assert make(api, path, name)[one]["key"] == key


@KINDS
def test_a_name_without_letters_gets_a_random_key(api: Any, path: str, one: str, many: str) -> None:
    key = make(api, path, "日本")[one]["key"]
    assert re.fullmatch(r"custom\.[a-z]{8}", key)


@KINDS
def test_long_colliding_keys_stay_within_eighty_characters(
    api: Any, path: str, one: str, many: str
) -> None:
    keys = {make(api, path, "x" * 100 + str(i))[one]["key"] for i in range(12)}
    assert len(keys) == 12
    assert max(len(key) for key in keys) == 80


@KINDS
def test_a_switch_makes_unpredictable_keys(api: Any, path: str, one: str, many: str) -> None:
    api.settings(random_key_suffixes=True)
    for name in ("Boat", "x" * 150):
        key = make(api, path, name)[one]["key"]
        assert re.fullmatch(r"custom\.[a-z]+-[a-z]{19}", key)
        assert len(key) <= 80


@KINDS
@pytest.mark.parametrize(
    ("name", "rule"),
    [(None, "REQUIRED_FIELD"), ("", "MIN_LENGTH"), ("x" * 181, "MAX_LENGTH"), (5, "OTHER")],
)
def test_a_bad_name_is_a_violation(
    api: Any, *, path: str, one: str, many: str, name: Any, rule: str
) -> None:
    assert api.violations("POST", path, {"displayName": name}) == [("displayName", rule)]
    key = make(api, path, "Good")[one]["key"]
    found = api.violations("PATCH", f"{path}/{key}", {one: {"displayName": name}})
    assert found == [(f"{one}.displayName", rule)]


@KINDS
def test_a_rename_keeps_the_key_and_may_repeat_a_name(
    api: Any, clock: Any, path: str, one: str, many: str
) -> None:
    make(api, path, "Taken")
    before = make(api, path, "Boat")[one]
    clock.advance(60)
    renamed = api.ok("PATCH", f"{path}/{before['key']}", {one: {"displayName": "Taken"}})[one]
    assert renamed["key"] == before["key"]
    assert renamed["displayName"] == "Taken"
    assert renamed["createdDate"] == before["createdDate"] != renamed["updatedDate"]
    flat = api.ok("PATCH", f"{path}/{before['key']}", {"displayName": "Ship"})[one]
    assert api.ok("GET", f"{path}/{before['key']}") == {one: flat}
    assert flat["displayName"] == "Ship"


def test_a_field_is_renamed_by_name_too(api: Any) -> None:
    key = api.field("Boat")
    renamed = api.ok("PATCH", f"/extended-fields/{key}", {"name": "Ship"})["field"]
    assert renamed["displayName"] == "Ship"


@KINDS
def test_an_unknown_key_is_not_found_without_a_code(
    api: Any, path: str, one: str, many: str
) -> None:
    for method, body in (("GET", None), ("PATCH", {"displayName": "x"}), ("DELETE", None)):
        assert api.refused(method, f"{path}/custom.unknown", body) == (404, None)


@KINDS
def test_system_definitions_cannot_be_deleted(api: Any, path: str, one: str, many: str) -> None:
    for definition in api.ok("GET", path)[many]:
        assert definition[f"{one}Type"] == "SYSTEM"
        assert api.refused("DELETE", f"{path}/{definition['key']}") == (428, None)


def test_every_site_has_the_system_labels(api: Any) -> None:
    found = api.ok("GET", "/labels")["labels"]
    assert {one["key"]: one["displayName"] for one in found} == {
        "contacts.contacted-me": "Contacted Me",
        "contacts.customers": "Customers",
    }


def test_the_label_quota_is_reached_with_its_numbers_as_strings(api: Any) -> None:
    api.settings(labels_quota=2)
    api.label("One"), api.label("Two")
    answer = api.call("POST", "/contacts/v4/labels", {"displayName": "Three"})
    assert answer.status_code == 428
    error = answer.get_json()["details"]["applicationError"]
    assert error["code"] == "LABELS_QUOTA_REACHED"
    assert error["data"] == {"labelsQuota": "2", "labelsCurrentTotal": "2"}
    assert api.label("One") == "custom.one"


def test_the_field_quota_is_a_429_with_a_code(api: Any) -> None:
    for number in range(100):
        api.field(f"Field {number}")
    refused = api.refused("POST", "/extended-fields", {"displayName": "One more"})
    assert refused == (429, "FIELDS_QUOTA_EXCEEDED")


def test_a_field_has_the_type_it_was_created_with(api: Any) -> None:
    assert make(api, "/extended-fields", "Plain")["field"]["dataType"] == "TEXT"
    api.field("Boat", "NUMBER")
    body = {"displayName": "Boat", "dataType": "DATE"}
    assert api.ok("POST", "/extended-fields", body)["field"]["dataType"] == "NUMBER"
    wrong = {"displayName": "X", "dataType": "BLOB"}
    assert api.violations("POST", "/extended-fields", wrong) == [("dataType", "OTHER")]


@KINDS
def test_a_list_is_filtered_sorted_and_paged(
    api: Any, clock: Any, path: str, one: str, many: str
) -> None:
    for name in ("Beta", "alpha", "Bravo"):
        make(api, path, name)
        clock.advance(1)

    def listed(query: str) -> list[str]:
        return [one["displayName"] for one in api.ok("GET", f"{path}?{query}")[many]]

    custom = f"{one}Type=USER_DEFINED"
    assert listed(custom) == ["Beta", "alpha", "Bravo"]
    assert listed("namespace=custom&startsWith=B") == ["Beta", "Bravo"]
    assert listed(f"{custom}&startsWith=b") == []
    assert listed(f"{custom}&sort.fieldName=createdDate&sort.order=DESC")[0] == "Bravo"
    assert listed(f"{custom}&paging.limit=1&paging.offset=1") == ["alpha"]
    metadata = api.ok("GET", f"{path}?{custom}&paging.limit=2")["metadata"]
    assert metadata == {"count": 2, "offset": 0, "total": 3, "tooManyToCount": False}


@KINDS
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("namespace=ab", "namespace"),
        ("sort.fieldName=key", "sort.fieldName"),
        ("sort.order=UP", "sort.order"),
        ("paging.limit=0", "paging.limit"),
        ("paging.limit=x", "paging.limit"),
    ],
)
def test_a_bad_list_parameter_is_a_violation(
    api: Any, *, path: str, one: str, many: str, query: str, field: str
) -> None:
    assert api.violations("GET", f"{path}?{query}")[0][0] == field


def test_a_list_of_labels_has_at_most_two_thousand(api: Any) -> None:
    assert api.violations("GET", "/labels?paging.limit=2001") == [("paging.limit", "MAX")]


@KINDS
def test_a_query_shows_the_latest_first_and_metadata_under_both_names(
    api: Any, clock: Any, path: str, one: str, many: str
) -> None:
    for name in ("First", "Second"):
        make(api, path, name)
        clock.advance(1)
    found = api.ok("POST", f"{path}/query", {})
    assert [one["displayName"] for one in found[many]][:2] == ["Second", "First"]
    assert found["metadata"] == found["pagingMetadata"]


@KINDS
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"displayName": {"$startsWith": "al"}}, ["Alpha"]),
        ({"displayName": {"$in": ["Alpha", "Beta"]}, "namespace": "custom"}, ["Alpha", "Beta"]),
        ({"key": {"$ne": "custom.alpha"}, "namespace": {"$eq": "custom"}}, ["Beta"]),
        ({"createdDate": {"$gt": "2025-03-04T09:20:00.000Z"}}, ["Beta"]),
    ],
)
def test_a_query_filters(
    api: Any, clock: Any, *, path: str, one: str, many: str, condition: Any, expected: list[str]
) -> None:
    make(api, path, "Alpha")
    clock.advance(1)
    make(api, path, "Beta")
    sort = [{"fieldName": "displayName", "order": "ASC"}]
    found = api.ok("POST", f"{path}/query", {"query": {"filter": condition, "sort": sort}})
    assert [one["displayName"] for one in found[many]] == expected


def test_a_type_can_be_filtered(api: Any) -> None:
    api.field("Boat", "NUMBER"), api.label("News")
    body = {"query": {"filter": {"dataType": {"$ne": "TEXT"}, "fieldType": "USER_DEFINED"}}}
    assert len(api.ok("POST", "/extended-fields/query", body)["fields"]) == 1
    labels = {"query": {"filter": {"labelType": "SYSTEM"}}}
    assert len(api.ok("POST", "/labels/query", labels)["labels"]) == 2


@KINDS
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"sort": [{"fieldName": "key"}]}, "INVALID_SORT"),
        ({"sort": [{"fieldName": "displayName"}, {"fieldName": "createdDate"}]}, "INVALID_SORT"),
        ({"sort": [{"fieldName": "displayName", "order": "UP"}]}, "INVALID_SORT"),
        ({"sort": "displayName"}, "INVALID_SORT"),
        ({"filter": []}, "MALFORMED_FILTER"),
        ({"filter": {"nonsense": 1}}, "UNSUPPORTED_FILTER_FIELD"),
        ({"filter": {"key": {"$startsWith": "c"}}}, "UNSUPPORTED_FILTER_OPERATOR"),
        ({"filter": {"displayName": 5}}, "UNSUPPORTED_FILTER_VALUE"),
        ({"filter": {"createdDate": "x"}}, "UNSUPPORTED_FILTER_VALUE"),
    ],
)
def test_a_bad_query_is_refused_with_its_code(
    api: Any, *, path: str, one: str, many: str, query: Any, code: str
) -> None:
    assert api.refused("POST", f"{path}/query", {"query": query}) == (400, code)


@KINDS
def test_a_query_has_at_most_a_thousand(api: Any, path: str, one: str, many: str) -> None:
    body = {"query": {"paging": {"limit": 1001}}}
    assert api.violations("POST", f"{path}/query", body) == [("query.paging.limit", "MAX")]


def test_a_deleted_label_goes_from_all_contacts_without_a_new_revision(api: Any) -> None:
    key, other = api.label("News"), api.label("Vip")
    contact = api.contact(labelKeys={"items": [key, other]})
    lone = api.contact(labelKeys={"items": [key]})
    assert api.ok("DELETE", f"/labels/{key}") == {}
    found = api.get(contact["id"])
    assert found["info"]["labelKeys"]["items"] == [other]
    assert found["revision"] == 1
    assert "labelKeys" not in api.get(lone["id"])["info"]


def test_a_deleted_field_goes_from_all_contacts(api: Any) -> None:
    key = api.field("Boat")
    contact = api.contact(extendedFields={"items": {key: "small"}})
    assert api.ok("DELETE", f"/extended-fields/{key}") == {}
    assert key not in str(api.get(contact["id"]))
