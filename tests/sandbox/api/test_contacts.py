"""Create and Get Contact (CONTRACT.md sections 5, 7.1 and 7.2)."""

from __future__ import annotations

from typing import Any

import pytest

EMAIL = {"emails": {"items": [{"email": "ines@example.com"}]}}
NAME = {"name": {"first": "Ines"}}


def create(api: Any, info: Any, **more: Any) -> Any:
    return api.ok("POST", "/contacts", {"info": info, **more})["contact"]


def test_a_created_contact_has_revision_one_and_all_derived_parts(api: Any) -> None:
    phone = {"countryCode": "PT", "phone": "912 000 111", "tag": "MOBILE"}
    contact = create(api, {**NAME, **EMAIL, "phones": {"items": [phone]}})
    assert contact["revision"] == 1
    assert contact["createdDate"] == contact["updatedDate"] == "2025-03-04T09:20:00.000Z"
    assert contact["source"] == {"sourceType": "OTHER"}
    assert contact["lastActivity"]["activityType"] == "CONTACT_CREATED"
    assert contact["primaryInfo"] == {"email": "ines@example.com", "phone": "912 000 111"}
    assert contact["primaryEmail"]["subscriptionStatus"] == "NOT_SET"
    assert contact["primaryPhone"] == {
        "phone": "912 000 111",
        "countryCode": "PT",
        "e164Phone": "+351912000111",
        "formattedPhone": "+351 912 000 111",
        "subscriptionStatus": "NOT_SET",
    }
    assert contact["info"]["extendedFields"]["items"] == {
        "emailSubscriptions.subscriptionStatus": "NOT_SET",
        "emailSubscriptions.effectiveEmail": "ines@example.com",
    }


def test_the_first_item_becomes_primary_if_none_is_marked(api: Any) -> None:
    emails = {"items": [{"email": "a@example.com"}, {"email": "b@example.com"}]}
    items = create(api, {"emails": emails})["info"]["emails"]["items"]
    assert [item["primary"] for item in items] == [True, False]
    assert [item["tag"] for item in items] == ["UNTAGGED", "UNTAGGED"]


def test_the_marked_item_is_primary_and_mirrored(api: Any) -> None:
    emails = {"items": [{"email": "a@example.com"}, {"email": "b@example.com", "primary": True}]}
    assert create(api, {"emails": emails})["primaryInfo"]["email"] == "b@example.com"


@pytest.mark.parametrize(
    "phone",
    [
        {"phone": "912 000 111"},
        {"phone": "+351912000111"},
        {"phone": "1", "countryCode": "PT"},
        {"phone": "912 000 111", "countryCode": "ZZ"},
        {"phone": "call me", "countryCode": "PT"},
    ],
)
def test_a_phone_has_e164_only_with_a_valid_number_and_country(api: Any, phone: Any) -> None:
    contact = create(api, {"phones": {"items": [phone]}})
    assert "e164Phone" not in contact["info"]["phones"]["items"][0]
    assert contact["primaryPhone"]["subscriptionStatus"] == "NO_SUBSCRIPTION_STATUS"


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"company": "Alone"},
        {"birthdate": "1990-02-28"},
        {"name": {"first": ""}},
        {"emails": {"items": []}},
    ],
)
def test_a_contact_needs_a_name_an_email_or_a_phone(api: Any, info: Any) -> None:
    refused = api.refused("POST", "/contacts", {"info": info})
    assert refused == (400, "INSUFFICIENT_CONTACT_DATA")


def test_two_primary_emails_are_refused(api: Any) -> None:
    item = {"primary": True}
    emails = {"items": [{**item, "email": "a@example.com"}, {**item, "email": "b@example.com"}]}
    refused = api.refused("POST", "/contacts", {"info": {"emails": emails}})
    assert refused == (400, "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO")


@pytest.mark.parametrize(
    ("info", "field", "rule"),
    [
        ({"name": {"first": "x" * 1001}}, "info.name.first", "MAX_LENGTH"),
        ({"name": {"last": 5}}, "info.name.last", "OTHER"),
        ({"name": "Ines"}, "info.name", "OTHER"),
        ({"emails": {"items": [{"email": "no"}]}}, "info.emails.items[0].email", "FORMAT"),
        ({"emails": {"items": [{"email": " a@b.co"}]}}, "info.emails.items[0].email", "FORMAT"),
        ({"emails": {"items": [{}]}}, "info.emails.items[0].email", "REQUIRED_FIELD"),
        ({"emails": {"items": [{"email": ""}]}}, "info.emails.items[0].email", "MIN_LENGTH"),
        ({"emails": {"items": [None]}}, "info.emails.items[0]", "OTHER"),
        ({"emails": {"items": [{"email": "a@b.co"}] * 51}}, "info.emails.items", "MAX_SIZE"),
        ({"emails": {"items": {}}}, "info.emails.items", "OTHER"),
        ({"emails": [{"email": "a@b.co"}]}, "info.emails", "OTHER"),
        ({"phones": {"items": [{"phone": "1" * 51}]}}, "info.phones.items[0].phone", "MAX_LENGTH"),
        (
            {"phones": {"items": [{"phone": "1", "countryCode": "pt"}]}},
            "info.phones.items[0].countryCode",
            "FORMAT",
        ),
        (
            {"phones": {"items": [{"phone": "1", "tag": "CAR"}]}},
            "info.phones.items[0].tag",
            "OTHER",
        ),
        (
            {"addresses": {"items": [{"address": {"addressLine": "x", "streetAddress": {}}}]}},
            "info.addresses.items[0].address",
            "OTHER",
        ),
        (
            {"addresses": {"items": [{"address": {"postalCode": "1" * 101}}]}},
            "info.addresses.items[0].address.postalCode",
            "MAX_LENGTH",
        ),
        ({"birthdate": "1990-02-30"}, "info.birthdate", "FORMAT"),
        ({"birthdate": "28.02.1990"}, "info.birthdate", "FORMAT"),
        ({"locale": "!"}, "info.locale", "FORMAT"),
        ({"locations": {"items": ["x"]}}, "info.locations.items[0]", "FORMAT"),
        ({"labelKeys": {"items": ["x" * 81]}}, "info.labelKeys.items[0]", "MAX_LENGTH"),
        ({"picture": {"image": {"width": "wide"}}}, "info.picture.image.width", "OTHER"),
    ],
)
def test_a_limit_of_a_field_is_a_violation(api: Any, info: Any, field: str, rule: str) -> None:
    assert (field, rule) in api.violations("POST", "/contacts", {"info": {**NAME, **info}})


def test_all_violations_are_answered_at_once(api: Any) -> None:
    body = {"info": {"company": 1, "birthdate": "x"}, "allowDuplicates": "yes"}
    fields = [field for field, _ in api.violations("POST", "/contacts", body)]
    assert fields == ["info.company", "info.birthdate", "allowDuplicates"]


def test_a_missing_info_is_a_violation(api: Any) -> None:
    assert api.violations("POST", "/contacts", {}) == [("info", "REQUIRED_FIELD")]


def test_a_label_must_exist_and_nothing_is_applied_otherwise(api: Any) -> None:
    info = {**NAME, "labelKeys": {"items": ["contacts.customers", "custom.unknown"]}}
    found = api.violations("POST", "/contacts", {"info": info})
    assert found == [("info.labelKeys.items[1]", "OTHER")]
    assert api.query() == []


def test_labels_ride_along_and_are_kept_once(api: Any) -> None:
    key = api.label("Spring Regatta")
    contact = create(api, {**NAME, "labelKeys": {"items": [key, key]}})
    assert contact["info"]["labelKeys"]["items"] == [key]


def test_read_only_and_unknown_fields_are_ignored(api: Any) -> None:
    emails = {"items": [{"email": "a@example.com", "id": "my-own", "e164Phone": "x"}]}
    body = {"info": {"emails": emails, "nonsense": 1}, "revision": 9, "id": "x"}
    contact = api.ok("POST", "/contacts", body)["contact"]
    assert contact["revision"] == 1
    assert contact["info"]["emails"]["items"][0]["id"] != "my-own"
    assert "nonsense" not in contact["info"]


def test_a_contact_of_an_app_names_its_app(api: Any) -> None:
    app_id = "b4d0c1de-7a3f-4f0b-8a66-2c1d9a2f7e50"
    body = {
        "grant_type": "client_credentials",
        "client_id": app_id,
        "client_secret": "s",
        "instance_id": "one",
    }
    token = api.call("POST", "/oauth2/token", body).get_json()["access_token"]
    made = api.call("POST", "/contacts/v4/contacts", {"info": NAME}, Authorization=token)
    assert made.get_json()["contact"]["source"] == {"sourceType": "WIX_APP", "appId": app_id}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", None),
        ("?fieldsets=FULL", None),
        ("?fieldsets=BASIC", {"primaryInfo", "info.name"}),
        (
            "?fieldsets=COMMUNICATION_DETAILS",
            {"primaryInfo", "info.name", "info.emails", "info.phones"},
        ),
        ("?fieldsets=EXTENDED", {"primaryInfo", "info.name", "info.extendedFields"}),
        ("?fieldsets=BASIC,EXTENDED", {"primaryInfo", "info.name", "info.extendedFields"}),
        (
            "?fieldsets=BASIC&fieldsets=EXTENDED",
            {"primaryInfo", "info.name", "info.extendedFields"},
        ),
        ("?fields=info.company,createdDate", {"info.company", "createdDate"}),
        ("?fields=info.company&fieldsets=BASIC", {"info.company", "primaryInfo", "info.name"}),
        ("?fields=nonsense", set()),
    ],
)
def test_fields_and_fieldsets_choose_what_is_shown(api: Any, query: str, shown: Any) -> None:
    phones = {"items": [{"phone": "1234"}]}
    contact = create(api, {**NAME, **EMAIL, "phones": phones, "company": "Barco"})
    found = api.ok("GET", f"/contacts/{contact['id']}{query}")
    assert found["responseType"] == "REGULAR"
    if shown is None:
        assert found["contact"] == contact
    else:
        info = found["contact"].pop("info", {})
        paths = set(found["contact"]) | {f"info.{name}" for name in info}
        assert paths == {"id", "revision"} | shown


@pytest.mark.parametrize(
    "query",
    [
        "fieldsets=ALL",
        "fields=" + "x" * 101,
        "fields=" + ",".join("a" * 101),
        "fieldsets=" + ",".join(["BASIC"] * 11),
    ],
)
def test_bad_projections_are_refused(api: Any, query: str) -> None:
    assert api.violations("GET", f"/contacts/{create(api, NAME)['id']}?{query}")


def test_an_unknown_contact_is_not_found(api: Any) -> None:
    for contact_id in ("2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21", "no-guid"):
        for method in ("GET", "DELETE"):
            refused = api.refused(method, f"/contacts/{contact_id}")
            assert refused == (404, "CONTACT_NOT_FOUND")


def test_an_id_is_found_in_capitals_too(api: Any) -> None:
    contact = create(api, NAME)
    assert api.get(contact["id"].upper())["id"] == contact["id"]


def test_a_site_does_not_see_another_site(api: Any) -> None:
    contact = create(api, NAME)
    other = api.other_site()
    assert other.refused("GET", f"/contacts/{contact['id']}") == (404, "CONTACT_NOT_FOUND")
    assert other.query() == []
