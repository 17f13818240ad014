"""The service's own duplicate check (CONTRACT.md sections 7.1 and 11.4)."""

from __future__ import annotations

from typing import Any

import pytest

DUPLICATE = (409, "DUPLICATE_CONTACT_EXISTS")


def emails(*values: Any) -> Any:
    return {"items": [{"email": one} if isinstance(one, str) else one for one in values]}


def phones(*values: Any) -> Any:
    return {"items": [{"phone": one} if isinstance(one, str) else one for one in values]}


def create(api: Any, **info: Any) -> Any:
    return api.call("POST", "/contacts/v4/contacts", {"info": info})


def test_the_answer_names_the_other_contact_and_its_stored_email(api: Any) -> None:
    contact = api.contact("Ines.Okafor@Example.com")
    answer = create(api, emails=emails("ines.okafor@example.com"))
    assert answer.status_code == 409
    message = "A contact with the same primary email or phone already exists."
    assert answer.get_json() == {
        "message": message,
        "details": {
            "applicationError": {
                "code": "DUPLICATE_CONTACT_EXISTS",
                "description": message,
                "data": {
                    "duplicateContactId": contact["id"],
                    "duplicateEmail": "Ines.Okafor@Example.com",
                },
            }
        },
    }


def test_duplicates_may_be_allowed(api: Any) -> None:
    api.contact("a@example.com")
    body = {"info": {"emails": emails("a@example.com")}, "allowDuplicates": True}
    assert api.ok("POST", "/contacts", body)["contact"]["revision"] == 1


def test_names_are_not_compared(api: Any) -> None:
    api.contact(name={"first": "Ines"})
    assert create(api, name={"first": "Ines"}).status_code == 200


def test_a_phone_is_not_looked_at_if_there_is_an_email(api: Any) -> None:
    api.contact(phones=phones("912 000 111"))
    made = create(api, emails=emails("a@example.com"), phones=phones("912 000 111"))
    assert made.status_code == 200


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("912 000 111", "912-000-111"),
        (
            {"phone": "912 000 111", "countryCode": "PT"},
            {"phone": "00351912000111", "countryCode": "PT"},
        ),
        ({"phone": "912 000 111", "countryCode": "PT"}, "912000111"),
    ],
)
def test_phones_are_equal_by_e164_or_digits(api: Any, stored: Any, sent: Any) -> None:
    contact = api.contact(phones=phones(stored))
    answer = create(api, phones=phones(sent))
    data = answer.get_json()["details"]["applicationError"]["data"]
    assert data == {"duplicateContactId": contact["id"], "duplicatePhone": "912 000 111"}


def test_phones_with_e164_differ_by_it_whatever_their_digits(api: Any) -> None:
    api.contact(phones=phones({"phone": "912 000 111", "countryCode": "PT"}))
    answer = create(api, phones=phones({"phone": "912 000 111", "countryCode": "ES"}))
    assert answer.status_code == 200
    assert answer.get_json()["contact"]["primaryPhone"]["e164Phone"] == "+34912000111"


def test_phones_without_digits_are_never_equal(api: Any) -> None:
    api.contact(phones=phones("call me"))
    assert create(api, phones=phones("ring")).status_code == 200


def test_only_the_primary_email_counts_unless_switched(api: Any) -> None:
    api.contact(emails=emails("a@example.com", "b@example.com"))
    assert create(api, emails=emails("b@example.com")).status_code == 200
    api.settings(any_email_duplicates=True)
    api.contact(emails=emails("x@example.com", "y@example.com"))
    answer = create(api, emails=emails("Y@example.com"))
    data = answer.get_json()["details"]["applicationError"]["data"]
    assert data["duplicateEmail"] == "y@example.com"


def test_only_the_primary_email_of_the_request_counts(api: Any) -> None:
    api.contact("a@example.com")
    sent = emails("a@example.com", {"email": "new@example.com", "primary": True})
    assert create(api, emails=sent).status_code == 200


def test_of_several_matches_the_oldest_is_named(api: Any, clock: Any) -> None:
    oldest = api.contact("a@example.com")
    clock.advance(1)
    api.contact("a@example.com")
    data = create(api, emails=emails("a@example.com")).get_json()
    assert data["details"]["applicationError"]["data"]["duplicateContactId"] == oldest["id"]


def test_of_equally_old_matches_the_smallest_id_is_named(api: Any) -> None:
    ids = [api.contact("a@example.com")["id"] for _ in range(5)]
    data = create(api, emails=emails("a@example.com")).get_json()
    assert data["details"]["applicationError"]["data"]["duplicateContactId"] == min(ids)


def test_an_update_to_an_email_of_another_contact_is_refused(api: Any) -> None:
    api.contact("a@example.com")
    contact = api.contact("b@example.com")
    body = {"revision": 1, "info": {"emails": emails("A@example.com")}}
    path = f"/contacts/{contact['id']}"
    assert api.refused("PATCH", path, body) == DUPLICATE
    assert api.ok("PATCH", path, {**body, "allowDuplicates": True})["contact"]["revision"] == 2


def test_an_update_that_keeps_the_email_is_not_checked(api: Any) -> None:
    api.contact("a@example.com")
    twin = api.contact("a@example.com")
    assert api.update(twin, company="Barco")["revision"] == 2
    again = {"revision": 2, "info": {"emails": emails("A@EXAMPLE.com")}}
    assert api.ok("PATCH", f"/contacts/{twin['id']}", again)["contact"]["revision"] == 3


def test_an_update_of_a_phone_is_checked_only_without_an_email(api: Any) -> None:
    api.contact(phones=phones("912 000 111"))
    with_email, without = api.contact("a@example.com"), api.contact()
    assert api.update(with_email, phones=phones("912 000 111"))["revision"] == 2
    body = {"revision": 1, "info": {"phones": phones("912 000 111")}}
    assert api.refused("PATCH", f"/contacts/{without['id']}", body) == DUPLICATE


def test_the_check_sees_what_the_query_does_not_see_yet(api: Any, clock: Any) -> None:
    api.settings(query_delay=2)
    contact = api.contact("a@example.com")
    assert api.query({"primaryInfo.email": "a@example.com"}) == []
    assert create(api, emails=emails("a@example.com")).status_code == 409
    clock.advance(2)
    found = api.query({"primaryInfo.email": "a@example.com"})
    assert [one["id"] for one in found] == [contact["id"]]


def test_a_blind_window_lets_two_creates_pass(api: Any, clock: Any) -> None:
    api.settings(duplicate_blind_window=1)
    for _ in range(2):
        assert create(api, emails=emails("a@example.com")).status_code == 200
    clock.advance(1)
    assert create(api, emails=emails("a@example.com")).status_code == 409


def test_a_deleted_contact_is_no_duplicate(api: Any) -> None:
    contact = api.contact("a@example.com")
    api.ok("DELETE", f"/contacts/{contact['id']}")
    assert create(api, emails=emails("a@example.com")).status_code == 200
