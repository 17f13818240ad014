"""Find Duplicate Contact, step by step of CONTRACT.md section 11.3, and forms of a phone."""

import json
from typing import Any

import pytest
from responses import RequestsMock

from formapp.wix import DuplicateMatch, Person, ServerError, WixContacts, normalise_email
from formapp.wix.duplicates import e164, phone_forms

URL = "https://www.wixapis.com/contacts/v4/contacts/query"


def row(
    ident: str, email: str | None = None, phone: str | None = None, **more: Any
) -> dict[str, Any]:
    primary = {"email": email, "phone": phone}
    return {
        "id": ident,
        "revision": 3,
        "createdDate": "2025-01-01T00:00:00Z",
        "primaryInfo": {key: value for key, value in primary.items() if value},
        **more,
    }


def finds(api: RequestsMock, *rows: dict[str, Any]) -> None:
    api.post(URL, json={"contacts": rows, "pagingMetadata": {"total": len(rows)}})


def asked(api: RequestsMock) -> Any:
    """The one query that was made."""
    assert len(api.calls) == 1
    return json.loads(api.calls[0].request.body or "")["query"]


def test_email_is_looked_up_trimmed_in_lower_case_oldest_first_and_full(
    api: RequestsMock, wix: WixContacts
) -> None:
    finds(api, row("a", "ines@example.com"))
    match = wix.find_duplicate(Person(email="ines@example.com"))
    assert asked(api) == {
        "filter": {"primaryInfo.email": {"$eq": "ines@example.com"}},
        "sort": [{"fieldName": "createdDate", "order": "ASC"}],
        "paging": {"limit": 10, "offset": 0},
        "fieldsets": ["FULL"],
    }
    assert match.contact is not None
    assert (match.contact.id, match.contact.revision) == ("a", 3)
    assert (match.matched_by, match.others) == ("email", ())


@pytest.mark.parametrize(
    ("email", "typed", "condition"),
    [
        ("a@example.com", "A@Example.com", {"$in": ["a@example.com", "A@Example.com"]}),
        ("a@example.com", " A@Example.com ", {"$in": ["a@example.com", "A@Example.com"]}),
        (" A@Example.com", None, {"$in": ["a@example.com", "A@Example.com"]}),
        (None, "A@example.com", {"$in": ["a@example.com", "A@example.com"]}),
        ("a@example.com", "a@example.com", {"$eq": "a@example.com"}),
        ("a@example.com", " a@example.com ", {"$eq": "a@example.com"}),
        ("a@example.com", "", {"$eq": "a@example.com"}),
    ],
)
def test_the_typed_form_is_looked_up_too_where_it_differs(
    api: RequestsMock,
    wix: WixContacts,
    email: str | None,
    typed: str | None,
    condition: dict[str, Any],
) -> None:
    finds(api)
    wix.find_duplicate(Person(email=email, typed_email=typed))
    assert asked(api)["filter"] == {"primaryInfo.email": condition}


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_without_email_and_phone_no_call_is_made(
    api: RequestsMock, wix: WixContacts, blank: str | None
) -> None:
    found = wix.find_duplicate(Person(email=blank, typed_email=blank, phone=blank, country="PT"))
    assert found == DuplicateMatch()
    assert len(api.calls) == 0


def test_a_phone_without_a_digit_is_no_phone(api: RequestsMock, wix: WixContacts) -> None:
    assert wix.find_duplicate(Person(phone="none", country="PT")) == DuplicateMatch()
    assert len(api.calls) == 0


def test_a_phone_alone_is_looked_up_raw_in_e164_and_in_national_digits(
    api: RequestsMock, wix: WixContacts
) -> None:
    finds(api, row("a", phone="020 7946 0018"))
    match = wix.find_duplicate(Person(phone=" 020 7946-0018 ", country="GB"))
    forms = ["020 7946-0018", "+442079460018", "02079460018"]
    assert asked(api)["filter"] == {"primaryInfo.phone": {"$in": forms}}
    assert asked(api)["paging"]["limit"] == 10
    assert match.contact is not None
    assert (match.contact.id, match.matched_by) == ("a", "phone")


def test_of_several_hits_the_oldest_wins_and_ties_go_to_the_smallest_id(
    api: RequestsMock, wix: WixContacts
) -> None:
    same = "a@example.com"
    finds(
        api,
        row("d", same, createdDate=None),
        row("c", same, createdDate="2025-01-01T00:00:00.000Z"),
        row("b", same, createdDate="2025-01-01T00:00:00.000Z"),
        row("a", same, createdDate="2025-02-01T00:00:00.000Z"),
    )
    match = wix.find_duplicate(Person(email=same))
    assert match.contact is not None
    assert match.contact.id == "b"
    assert len(match.others) == 3
    assert match.others == ("c", "a", "d")


def test_a_row_whose_email_is_another_after_normalisation_is_dropped(
    api: RequestsMock, wix: WixContacts
) -> None:
    finds(
        api,
        row("stale", "somebody@example.com", createdDate="2020-01-01T00:00:00Z"),
        row("none"),
        row("good", " A@EXAMPLE.com "),
    )
    match = wix.find_duplicate(Person(email="a@example.com"))
    assert match.contact is not None
    assert (match.contact.id, match.others) == ("good", ())


def phone_row(ident: str, phone: str, number: str | None, country: str | None) -> dict[str, Any]:
    item = {"phone": phone, "e164Phone": number, "countryCode": country, "primary": True}
    return row(ident, phone=phone, info={"phones": {"items": [item]}})


@pytest.mark.parametrize(
    ("stored", "is_match"),
    [
        (phone_row("a", "912 000 111", "+351912000111", "PT"), True),
        (phone_row("a", "00351912000111", "+351912000111", None), True),
        (phone_row("a", "912000111", None, "PT"), True),
        (phone_row("a", "912-000-111", None, None), True),
        (phone_row("a", "912000111", "+34912000111", "ES"), False),
        (phone_row("a", "912000111", None, "ES"), False),
        (phone_row("a", "912 000 112", None, None), False),
        (row("a", phone="+351912000111"), True),
        (row("a", phone="+34912000111"), False),
        (row("a"), False),
    ],
)
def test_phones_are_the_same_by_e164_where_both_have_one_else_by_their_digits(
    api: RequestsMock, wix: WixContacts, stored: dict[str, Any], *, is_match: bool
) -> None:
    finds(api, stored)
    match = wix.find_duplicate(Person(phone="912 000 111", country="PT"))
    assert (match.contact is not None) is is_match


def test_both_are_asked_for_in_one_call_and_the_phones_owner_is_never_the_match(
    api: RequestsMock, wix: WixContacts
) -> None:
    finds(
        api,
        row("old-phone", "x@example.com", "912 000 111", createdDate="2020-01-01T00:00:00Z"),
        row("email", "a@example.com"),
        row("twin", "A@example.com", "912 000 111", createdDate="2025-06-01T00:00:00Z"),
        row("neither", "y@example.com", "913 000 000"),
    )
    match = wix.find_duplicate(Person(email="a@example.com", phone="912 000 111", country="PT"))
    query = asked(api)
    assert query["filter"] == {
        "$or": [
            {"primaryInfo.email": {"$eq": "a@example.com"}},
            {"primaryInfo.phone": {"$in": ["912 000 111", "+351912000111", "912000111"]}},
        ]
    }
    assert query["paging"] == {"limit": 50, "offset": 0}
    assert query["fieldsets"] == ["FULL"]
    assert match.contact is not None
    assert (match.contact.id, match.matched_by) == ("email", "email")
    assert match.others == ("twin", "old-phone")


def test_a_phone_that_others_have_is_reported_although_no_email_matches(
    api: RequestsMock, wix: WixContacts
) -> None:
    finds(api, row("phone", "x@example.com", "912 000 111"))
    match = wix.find_duplicate(Person(email="a@example.com", phone="912 000 111"))
    assert match == DuplicateMatch(others=("phone",))


@pytest.mark.parametrize(
    ("known", "field"),
    [({"email": "a@example.com"}, "primaryInfo.email"), ({"phone": "912"}, "primaryInfo.phone")],
)
def test_with_only_one_of_both_the_other_is_not_looked_for(
    api: RequestsMock, wix: WixContacts, known: dict[str, Any], field: str
) -> None:
    finds(api)
    wix.find_duplicate(Person(**known))
    assert list(asked(api)["filter"]) == [field]
    assert asked(api)["paging"]["limit"] == 10


def test_a_query_that_fails_is_an_error_and_not_an_absence(
    api: RequestsMock, wix: WixContacts
) -> None:
    api.post(URL, status=503)
    with pytest.raises(ServerError):
        wix.find_duplicate(Person(email="a@example.com"))


def test_normalised_emails() -> None:
    assert normalise_email("  Ines.Okafor@Example.COM\t") == "ines.okafor@example.com"


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("912 000 111", "PT", ("912 000 111", "+351912000111", "912000111")),
        ("912000111", "pt", ("912000111", "+351912000111")),
        ("+351 912 000 111", None, ("+351 912 000 111", "+351912000111", "912000111")),
        ("+351912000111", "GB", ("+351912000111", "912000111")),
        ("912 000 111", None, ("912 000 111",)),
        ("912 000 111", "XX", ("912 000 111",)),
        ("12", "PT", ("12",)),
        ("n/a", "PT", ()),
        ("", "PT", ()),
    ],
)
def test_forms_of_a_phone(number: str, country: str | None, expected: tuple[str, ...]) -> None:
    assert phone_forms(number, country) == expected


@pytest.mark.parametrize(
    ("number", "typed", "expected"),
    [
        ("+351912000111 ext. 11", "912 000 111 x11", ("+351912000111 ext. 11", "912 000 111 x11")),
        ("+351912000111 ext. 11", "", ("+351912000111 ext. 11",)),
        ("+351912000111", "912 000 111", ("+351912000111", "912000111", "912 000 111")),
        ("+351912000111", "ask me", ("+351912000111", "912000111")),
    ],
)
def test_a_number_with_an_extension_has_no_form_without_it(
    number: str, typed: str, expected: tuple[str, ...]
) -> None:
    assert phone_forms(number, "PT", typed) == expected
    assert (e164(number, "PT") is None) == ("ext" in number)


def test_a_blank_country_is_no_country() -> None:
    assert e164("912 000 111", "") is None


def test_several_people_and_contacts_are_looked_up_in_one_query(
    api: RequestsMock, wix: WixContacts
) -> None:
    finds(
        api, row("c", "A@example.com"), row("a", phone="020 7946 0018"), row("d", "a@example.com")
    )
    ann, bob, eve = (
        Person(email="a@example.com", typed_email="A@Example.com"),
        Person(phone="+442079460018", country="GB"),
        Person(email="e@example.com", phone="+442079460018", country="GB"),
    )
    found = wix.find_candidates([ann, bob, eve], ["c", "x"])
    assert asked(api)["filter"] == {
        "$or": [
            {"id": {"$in": ["c", "x"]}},
            {"primaryInfo.email": {"$in": ["a@example.com", "A@Example.com", "e@example.com"]}},
            {"primaryInfo.phone": {"$in": ["+442079460018", "02079460018"]}},
        ]
    }
    assert asked(api)["paging"] == {"limit": 1000, "offset": 0}
    assert found.complete
    assert sorted(found.by_id) == ["a", "c", "d"]
    matches = [found.match(person) for person in (ann, bob, eve)]
    assert [match.contact and match.contact.id for match in matches] == ["c", "a", None]
    assert [match.others for match in matches] == [("d",), (), ("a",)]


def test_no_condition_has_more_than_a_hundred_values(api: RequestsMock, wix: WixContacts) -> None:
    finds(api)
    persons = [Person(email=f"{number}@example.com") for number in range(201)]
    wix.find_candidates(persons)
    sizes = [
        len(values) if operator == "$in" else 1
        for part in asked(api)["filter"]["$or"]
        for operator, values in part["primaryInfo.email"].items()
    ]
    assert sizes == [100, 100, 1]


def test_a_full_page_is_not_complete(api: RequestsMock, wix: WixContacts) -> None:
    finds(api, *(row(f"{number}", "a@example.com") for number in range(1000)))
    assert not wix.find_candidates([Person(email="a@example.com")]).complete
