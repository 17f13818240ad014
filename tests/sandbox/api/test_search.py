"""List and Query Contacts (CONTRACT.md section 8)."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def people(api: Any, clock: Any) -> dict[str, Any]:
    """Three contacts, a minute apart: ann, ben and cid."""
    length, visit = api.field("Boat Length", "NUMBER"), api.field("Visit", "DATE")
    api.field("Source"), api.field("Page", "URL")
    api.label("News"), api.label("Vip")
    infos = {
        "ann": {
            "name": {"first": "Ann", "last": "Okafor"},
            "emails": {"items": [{"email": "Ann@example.com"}, {"email": "ann@home.example"}]},
            "company": "Barco",
            "jobTitle": "Buyer",
            "birthdate": "1990-02-28",
            "locale": "pt-PT",
            "labelKeys": {"items": ["custom.news", "custom.vip"]},
            "extendedFields": {
                "items": {
                    length: 8.5,
                    visit: "2025-06-01",
                    "custom.source": "ad",
                    "custom.page": "example.com",
                }
            },
        },
        "ben": {
            "name": {"first": "Ben", "last": "Okafor"},
            "phones": {"items": [{"phone": "912 000 111", "countryCode": "PT"}]},
            "labelKeys": {"items": ["custom.news"]},
            "addresses": {
                "items": [
                    {
                        "address": {
                            "country": "PT",
                            "city": "Lisboa",
                            "subdivision": "PT-11",
                            "addressLine": "Rua 1",
                        }
                    },
                    {"address": {"streetAddress": {"number": "2", "name": "Avenida"}}},
                ]
            },
            "extendedFields": {"items": {length: 12, visit: "2025-07-01"}},
        },
        "cid": {
            "name": {"first": "Cid"},
            "locations": {"items": ["9a1e0f4c-3b6d-4a8f-8c2b-5e4d3c2b1a03"]},
        },
    }
    made = {}
    for name, info in infos.items():
        made[name] = api.contact(**info)
        clock.advance(60)
    return made


def names(found: list[Any]) -> str:
    return " ".join(one["info"]["name"]["first"].lower() for one in found)


CASES = [
    ({}, "ann ben cid"),
    ({"primaryInfo.email": "Ann@example.com"}, "ann"),
    ({"primaryInfo.email": "ann@example.com"}, ""),
    ({"primaryInfo.email": {"$startsWith": "ANN@"}}, "ann"),
    ({"primaryInfo.email": {"$begins": "ann@"}}, "ann"),
    ({"primaryInfo.email": {"$exists": False}}, "ben cid"),
    ({"primaryInfo.email": {"$ne": "Ann@example.com"}}, "ben cid"),
    ({"primaryInfo.phone": {"$in": ["+351912000111", "912 000 111"]}}, "ben"),
    ({"info.name.last": "Okafor", "info.name.first": {"$ne": "Ann"}}, "ben"),
    ({"info.name.last": {"$exists": True}}, "ann ben"),
    ({"$or": [{"info.company": "Barco"}, {"info.name.first": "Cid"}]}, "ann cid"),
    ({"$and": [{"info.name.last": "Okafor"}, {"info.jobTitle": {"$exists": False}}]}, "ben"),
    ({"$not": {"info.name.last": "Okafor"}}, "cid"),
    ({"info.labelKeys": {"$hasSome": ["custom.vip", "custom.none"]}}, "ann"),
    ({"info.labelKeys": {"$hasAll": ["custom.news", "custom.vip"]}}, "ann"),
    ({"info.locale": {"$in": ["pt-PT", "en"]}}, "ann"),
    ({"info.birthdate": {"$lt": "1991-01-01"}}, "ann"),
    ({"createdDate": {"$gte": "2025-03-04T09:21:00Z", "$lt": "2025-03-04T09:22:00.000Z"}}, "ben"),
    ({"updatedDate": {"$gt": "2025-03-04T10:21:00.000+01:00"}}, "cid"),
    ({"lastActivity.activityDate": {"$lte": "2025-03-04T09:20:00.000Z"}}, "ann"),
    ({"info.emails.email": "ann@home.example"}, "ann"),
    ({"info.phones.phone": {"$startsWith": "912"}}, "ben"),
    ({"info.phones.e164Phone": "+351912000111"}, "ben"),
    ({"info.addresses.street": "Avenida"}, "ben"),
    ({"info.addresses.city": {"$in": ["Lisboa"]}}, "ben"),
    ({"info.addresses.country": "PT", "info.addresses.subdivision": "PT-11"}, "ben"),
    ({"info.locations": {"$hasSome": ["9a1e0f4c-3b6d-4a8f-8c2b-5e4d3c2b1a03"]}}, "cid"),
    ({"info.extendedFields.custom.boat-length": {"$gt": 8.5}}, "ben"),
    ({"info.extendedFields.custom.boat-length": 8.5}, "ann"),
    ({"info.extendedFields.custom.visit": {"$lte": "2025-06-30"}}, "ann"),
    ({"info.extendedFields.custom.source": {"$startsWith": "A"}}, "ann"),
    ({"info.extendedFields.custom.page": "https://example.com"}, "ann"),
    ({"info.extendedFields.emailSubscriptions.effectiveEmail": {"$exists": True}}, "ann"),
    (
        {"info.extendedFields.emailSubscriptions.subscriptionStatus": {"$nin": ["NOT_SET"]}},
        "ben cid",
    ),
]


@pytest.mark.parametrize(("condition", "expected"), CASES)
def test_a_filter_finds_what_it_says(api: Any, people: Any, condition: Any, expected: str) -> None:
    assert names(api.query(condition)) == expected


def test_the_id_can_be_filtered(api: Any, people: Any) -> None:
    assert names(api.query({"id": {"$in": [people["ben"]["id"]]}})) == "ben"
    assert names(api.query({"id": {"$ne": people["ben"]["id"]}})) == "ann cid"


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("text", "MALFORMED_FILTER"),
        ([], "MALFORMED_FILTER"),
        ({"$and": {}}, "MALFORMED_FILTER"),
        ({"$or": []}, "MALFORMED_FILTER"),
        ({"$and": ["x"]}, "MALFORMED_FILTER"),
        ({"$not": 1}, "MALFORMED_FILTER"),
        ({"$nor": [{}]}, "MALFORMED_FILTER"),
        ({"primaryInfo.email": {}}, "MALFORMED_FILTER"),
        ({"primaryInfo.email": {"email": "x"}}, "MALFORMED_FILTER"),
        ({"info.nonsense": "x"}, "UNSUPPORTED_FILTER_FIELD_UNKNOWN"),
        ({"info.extendedFields.custom.no": "x"}, "UNSUPPORTED_FILTER_FIELD_UNKNOWN"),
        ({"primaryInfo.email": {"$gt": "x"}}, "UNSUPPORTED_FILTER_OPERATOR"),
        ({"primaryInfo.email": {"$like": "x"}}, "UNSUPPORTED_FILTER_OPERATOR"),
        ({"info.labelKeys": "custom.news"}, "UNSUPPORTED_FILTER_OPERATOR"),
        ({"info.extendedFields.members.mobile": "x"}, "UNSUPPORTED_FILTER_OPERATOR"),
        ({"createdDate": {"$gt": "yesterday"}}, "UNSUPPORTED_FILTER_VALUE"),
        ({"primaryInfo.email": None}, "UNSUPPORTED_FILTER_VALUE"),
        ({"primaryInfo.email": 5}, "UNSUPPORTED_FILTER_VALUE_TYPE"),
        ({"primaryInfo.email": {"$in": "x"}}, "UNSUPPORTED_FILTER_VALUE_TYPE"),
        ({"primaryInfo.email": {"$exists": "yes"}}, "UNSUPPORTED_FILTER_VALUE_TYPE"),
        ({"info.extendedFields.custom.boat-length": "8"}, "UNSUPPORTED_FILTER_VALUE_TYPE"),
    ],
)
def test_a_bad_filter_is_refused_with_its_code(
    api: Any, people: Any, condition: Any, code: str
) -> None:
    assert api.refused("POST", "/contacts/query", {"query": {"filter": condition}}) == (400, code)


def test_a_filter_that_is_nested_too_deep_is_refused(api: Any) -> None:
    condition: Any = {"info.company": "x"}
    for _ in range(30):
        condition = {"$not": condition}
    refused = api.refused("POST", "/contacts/query", {"query": {"filter": condition}})
    assert refused == (400, "UNSUPPORTED_FILTER")


def test_optional_fields_are_refused_by_a_switch(api: Any, people: Any) -> None:
    api.settings(refuse_optional_filters=True)
    body = {"query": {"filter": {"info.emails.email": "x"}}}
    expected = (400, "UNSUPPORTED_FILTER_FIELD_UNKNOWN")
    assert api.refused("POST", "/contacts/query", body) == expected
    assert names(api.query({"info.name.first": "Ann"})) == "ann"


@pytest.mark.parametrize(
    ("field", "ascending", "descending"),
    [
        ("createdDate", "ann ben cid", "cid ben ann"),
        ("info.name.first", "ann ben cid", "cid ben ann"),
        ("primaryInfo.email", "ann", "ann"),
        ("info.extendedFields.custom.boat-length", "ann ben cid", "ben ann cid"),
        ("info.extendedFields.custom.source", "ann", "ann"),
        ("info.extendedFields.emailSubscriptions.effectiveEmail", "ann", "ann"),
    ],
)
def test_a_sort_orders_and_puts_blanks_last(
    api: Any, people: Any, field: str, ascending: str, descending: str
) -> None:
    for order, expected in (("ASC", ascending), ("DESC", descending)):
        sort = {"fieldName": field, "order": order}
        for form in (sort, [sort]):
            assert names(api.query(sort=form)).startswith(expected)


def test_without_a_sort_the_oldest_comes_first(api: Any, people: Any) -> None:
    assert names(api.query()) == "ann ben cid"
    assert names(api.ok("GET", "/contacts")["contacts"]) == "ann ben cid"


@pytest.mark.parametrize(
    "field",
    [
        "updatedDate",
        "info.locale",
        "nonsense",
        "info.extendedFields.custom.no",
        "info.extendedFields.members.membershipStatus",
    ],
)
def test_other_sorts_are_refused(api: Any, field: str) -> None:
    expected = (400, "UNSUPPORTED_SORT_FIELD")
    body = {"query": {"sort": [{"fieldName": field}]}}
    assert api.refused("POST", "/contacts/query", body) == expected
    assert api.refused("GET", f"/contacts?sort.fieldName={field}") == expected


def test_a_second_sort_or_an_unknown_order_is_a_violation(api: Any) -> None:
    one = {"fieldName": "createdDate"}
    body = {"query": {"sort": [one, one]}}
    assert api.violations("POST", "/contacts/query", body) == [("query.sort", "MAX_SIZE")]
    wrong = {"query": {"sort": [{**one, "order": "UP"}]}}
    assert api.violations("POST", "/contacts/query", wrong) == [("query.sort[0].order", "OTHER")]


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_refused(api: Any, limit: int) -> None:
    body = {"query": {"paging": {"limit": limit}}}
    assert api.refused("POST", "/contacts/query", body) == (400, "ILLEGAL_LIMIT")
    assert api.refused("GET", f"/contacts?paging.limit={limit}") == (400, "ILLEGAL_LIMIT")


def test_a_limit_that_is_no_number_or_a_negative_offset_is_a_violation(api: Any) -> None:
    assert api.violations("GET", "/contacts?paging.limit=many") == [("paging.limit", "OTHER")]
    assert api.violations("GET", "/contacts?paging.offset=-1") == [("paging.offset", "MIN")]


def test_pages_cover_the_result_once(api: Any) -> None:
    ids = {api.contact()["id"] for _ in range(7)}
    seen: list[str] = []
    for offset in (0, 3, 6):
        page = api.ok("GET", f"/contacts?paging.limit=3&paging.offset={offset}")
        assert page["pagingMetadata"]["total"] == 7
        assert page["pagingMetadata"]["count"] == len(page["contacts"])
        assert page["pagingMetadata"]["tooManyToCount"] is False
        seen += [one["id"] for one in page["contacts"]]
    assert len(seen) == 7
    assert set(seen) == ids
    assert api.ok("GET", "/contacts?paging.offset=9")["pagingMetadata"]["count"] == 0


def test_the_default_limit_is_fifty(api: Any) -> None:
    for _ in range(51):
        api.contact()
    assert len(api.ok("GET", "/contacts")["contacts"]) == 50
    assert len(api.query()) == 50


def test_a_query_shows_what_was_asked_for(api: Any, people: Any) -> None:
    found = api.query({"info.name.first": "Ann"}, fieldsets=["BASIC"])[0]
    assert set(found) == {"id", "revision", "primaryInfo", "info"}
    found = api.query({"info.name.first": "Ann"}, fields=["info.company"])[0]
    assert found["info"] == {"company": "Barco"}
    assert api.query({"info.name.first": "Ann"})[0] == people["ann"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("okafor", "ann ben"),
        ("ANN", "ann"),
        ("Oka", ""),
        ("912 000 111", "ben"),
        ("ann@home.example", "ann"),
    ],
)
def test_a_search_is_an_exact_plain_text_match(
    api: Any, people: Any, text: str, expected: str
) -> None:
    assert names(api.ok("POST", "/contacts/query", {"search": text})["contacts"]) == expected


def test_a_search_of_more_than_a_hundred_characters_is_a_violation(api: Any) -> None:
    found = api.violations("POST", "/contacts/query", {"search": "x" * 101})
    assert found == [("search", "MAX_LENGTH")]


def test_the_query_index_lags_behind_changes_and_deletions(api: Any, clock: Any) -> None:
    api.settings(query_delay=5, list_delay=1)
    contact = api.contact(company="Old")
    clock.advance(5)
    api.update(contact, company="New")
    assert api.query()[0]["info"]["company"] == "Old"
    assert api.query()[0]["revision"] == 1
    clock.advance(1)
    assert api.ok("GET", "/contacts")["contacts"][0]["info"]["company"] == "New"
    assert api.query()[0]["info"]["company"] == "Old"
    clock.advance(4)
    assert api.query()[0]["info"]["company"] == "New"
    api.ok("DELETE", f"/contacts/{contact['id']}")
    assert len(api.query()) == 1
    clock.advance(5)
    assert api.query() == []


def test_get_is_never_late(api: Any) -> None:
    api.settings(query_delay=60, list_delay=60)
    contact = api.contact()
    assert api.get(contact["id"]) == contact
