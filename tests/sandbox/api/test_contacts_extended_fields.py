"""Values of extended fields on contacts (CONTRACT.md sections 7.3 and 10.4)."""

from __future__ import annotations

from typing import Any

import pytest


def values(contact: Any) -> Any:
    return contact["info"].get("extendedFields", {}).get("items", {})


@pytest.mark.parametrize(
    ("data_type", "sent", "stored"),
    [
        ("TEXT", "small", "small"),
        ("TEXT", "x" * 1000, "x" * 1000),
        ("NUMBER", 8.5, 8.5),
        ("NUMBER", 0, 0),
        ("DATE", "2024-02-29", "2024-02-29"),
        ("URL", "example.com/a", "https://example.com/a"),
        ("URL", "http://example.com", "http://example.com"),
    ],
)
def test_a_good_value_is_stored(api: Any, data_type: str, sent: Any, stored: Any) -> None:
    key = api.field("Boat", data_type)
    assert values(api.contact(extendedFields={"items": {key: sent}})) == {key: stored}


@pytest.mark.parametrize(
    ("data_type", "sent"),
    [
        ("TEXT", 5),
        ("TEXT", True),
        ("TEXT", "x" * 1001),
        ("TEXT", ["x"]),
        ("NUMBER", "8.5"),
        ("NUMBER", True),
        ("DATE", "2025-02-29"),
        ("DATE", "2025-2-1"),
        ("DATE", 20250201),
        ("URL", 5),
    ],
)
def test_a_bad_value_is_refused_with_its_key(api: Any, data_type: str, sent: Any) -> None:
    key = api.field("Boat", data_type)
    info = {"name": {"first": "I"}, "extendedFields": {"items": {key: sent}}}
    answer = api.call("POST", "/contacts/v4/contacts", {"info": info})
    error = answer.get_json()["details"]["applicationError"]
    assert (answer.status_code, error["code"]) == (400, "INVALID_EXTENDED_FIELD_VALUE")
    assert error["data"] == {"fieldKey": key}


def test_an_unknown_key_is_refused(api: Any) -> None:
    body = {"revision": 1, "info": {"extendedFields": {"items": {"custom.no": "x"}}}}
    refused = api.refused("PATCH", f"/contacts/{api.contact()['id']}", body)
    assert refused == (400, "INVALID_EXTENDED_FIELD_VALUE")


def test_read_only_fields_are_ignored(api: Any) -> None:
    sent = {
        "emailSubscriptions.subscriptionStatus": "SUBSCRIBED",
        "members.mobile": "1",
        "ecom.numOfPurchases": 5,
        "invoices.vatId": "PT1",
    }
    assert values(api.contact(extendedFields={"items": sent})) == {}


def test_an_update_merges_per_key_and_clears_with_null_or_blank(api: Any) -> None:
    for name in ("A", "B", "C"):
        api.field(name)
    sent = {"custom.a": "1", "custom.b": "2", "custom.c": "3"}
    contact = api.contact(extendedFields={"items": sent})
    changes = {"custom.a": "new", "custom.b": None, "custom.c": ""}
    updated = api.update(contact, extendedFields={"items": changes})
    assert values(updated) == {"custom.a": "new"}


def test_a_switch_replaces_all_custom_values_but_no_system_ones(api: Any) -> None:
    api.settings(extended_fields="replace")
    api.field("A"), api.field("B")
    contact = api.contact("a@example.com", extendedFields={"items": {"custom.a": "1"}})
    updated = api.update(contact, extendedFields={"items": {"custom.b": "2"}})
    assert values(updated) == {
        "custom.b": "2",
        "emailSubscriptions.subscriptionStatus": "NOT_SET",
        "emailSubscriptions.effectiveEmail": "a@example.com",
    }
    assert values(api.update(updated, company="X")) == values(updated)
