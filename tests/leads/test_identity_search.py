"""Finding e-mail addresses and telephone numbers in what people type."""

from collections.abc import Collection

import pytest

from formapp.leads.identity_search import InvalidIdentityError, find_identities, parse_identities
from tests.support.leads import EMAIL, PHONE


def _found(text: str, numbers: Collection[str] = ()) -> set[str]:
    return {identity for identity, _, _ in find_identities(text, numbers)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", set()),
        ("no one @ all, or a@b", set()),
        ("write to Ada@Example.com.", {"ada@example.com"}),
        ("'ada@example.com'", {"ada@example.com", "'ada@example.com"}),
        ("https://x.example/?to=ada%40example.com#top", {"ada@example.com"}),
        ("ada@müller.example", {"ada@xn--mller-kva.example"}),
        ("a@x.example,b@x.example;c@x.example", {f"{x}@x.example" for x in "abc"}),
        ("+44 20 7946 0018", {PHONE}),
        ("ring +442079460018 or not", {PHONE}),
        ("order 20794600", set()),
    ],
)
def test_addresses_and_numbers_are_found_in_texts(text: str, found: set[str]) -> None:
    assert _found(text) == found


def test_a_number_without_its_country_is_read_as_the_persons_other_numbers() -> None:
    assert PHONE not in _found("ring 020 7946 0018")
    assert PHONE in _found("ring 020 7946 0018", {"+442079460999"})


def test_a_long_text_is_searched_in_no_time() -> None:
    assert _found("a" * 60_000 + "@") == set()
    assert _found("%40" * 20_000) == set()
    assert _found("x@" * 30_000) == set()


def test_numbers_are_left_out_where_only_an_address_is_searched_for() -> None:
    found = find_identities(f"{EMAIL} or {PHONE}", phones=False)
    assert [identity for identity, _, _ in found] == [EMAIL]


def test_what_an_owner_typed_is_normalized() -> None:
    assert parse_identities(f" {EMAIL.upper()} ", "0044 20 7946 0018") == {EMAIL, PHONE}
    assert parse_identities(None, "020 7946 0018", {"GB", None}) == {PHONE}


@pytest.mark.parametrize(
    ("email", "phone", "reason"),
    [
        ("ines", None, "no e-mail address"),
        (None, "ines", "country code"),
        (None, "020 7946 0018", "country code"),
    ],
)
def test_what_is_no_identity_is_refused(email: str | None, phone: str | None, reason: str) -> None:
    with pytest.raises(InvalidIdentityError, match=reason):
        parse_identities(email, phone)
