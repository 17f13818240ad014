"""Properties of `decide`, whatever the contact holds and whatever a form sends."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp.delivery.decide import Create, Found, Keys, Nothing, decide
from formapp.lead import Lead, Merge, Text
from tests.support.applying import Ways, applied, as_contact
from tests.support.strategies import FIELDS, LABELS, contact_infos, fill_leads, leads

pytestmark = pytest.mark.slow

KEYS = Keys(
    labels={name: f"custom.{name.lower()}" for name in LABELS},
    fields={name: f"custom.{name.lower()}" for name in FIELDS},
)
TEXTS = {
    "company": "company",
    "jobTitle": "job_title",
    "birthdate": "birthdate",
    "locale": "locale",
}
NAME = {"first": "first_name", "last": "last_name"}
ways = st.builds(Ways, st.booleans(), st.booleans(), st.booleans())
matches = st.sampled_from(["email", "phone"])


def after(info: Any, lead: Lead, how: Ways, matched_by: Any = "email") -> Any:
    """The contact's `info` after the lead."""
    decision = decide(lead, Found(as_contact(info), matched_by), KEYS)
    assert not isinstance(decision, Create)
    return info if isinstance(decision, Nothing) else applied(info, dict(decision.info), how)


def fields(info: Any) -> dict[str, Any]:
    items: dict[str, Any] = info["extendedFields"]["items"]
    return items


def overwrites(text: Text | None) -> bool:
    return text is not None and text.merge is Merge.OVERWRITE


def held(value: str | None) -> bool:
    return bool(value and value.strip())


@given(contact_infos(), leads(), ways, matches)
def test_applied_to_its_own_result_there_is_nothing_to_do(
    info: Any, lead: Lead, how: Ways, matched_by: Any
) -> None:
    once = after(info, lead, how, matched_by)
    assert isinstance(decide(lead, Found(as_contact(once), matched_by), KEYS), Nothing)


@given(leads(), ways)
def test_after_a_create_there_is_nothing_to_do(lead: Lead, how: Ways) -> None:
    decision = decide(lead, Found(), KEYS)
    assert isinstance(decision, Create)
    info = applied({}, dict(decision.info), how)
    assert isinstance(decide(lead, Found(as_contact(info), "email"), KEYS), Nothing)


@given(contact_infos(), leads(), ways, matches)
def test_no_text_is_lost_or_changed_unless_its_own_field_overwrites(
    info: Any, lead: Lead, how: Ways, matched_by: Any
) -> None:
    result = after(info, lead, how, matched_by)
    for key, part in TEXTS.items():
        if held(info[key]) and not overwrites(getattr(lead, part)):
            assert result[key] == info[key]
    for key, part in NAME.items():
        if held(info["name"][key]) and not overwrites(getattr(lead, part)):
            assert result["name"][key] == info["name"][key]


@given(contact_infos(), leads(), ways, matches)
def test_no_email_and_no_label_is_ever_lost_or_changed(
    info: Any, lead: Lead, how: Ways, matched_by: Any
) -> None:
    result = after(info, lead, how, matched_by)
    assert result["emails"] == info["emails"]
    before = info["labelKeys"]["items"]
    assert result["labelKeys"]["items"][: len(before)] == before
    assert set(result["labelKeys"]["items"]) == {*before, *(KEYS.labels[n] for n in lead.labels)}


@given(contact_infos(), leads(), ways, matches)
def test_no_extended_field_is_lost_or_changed_unless_it_overwrites(
    info: Any, lead: Lead, how: Ways, matched_by: Any
) -> None:
    result = fields(after(info, lead, how, matched_by))
    may_change = {
        KEYS.fields[each.name] for each in lead.extended_fields if each.merge is Merge.OVERWRITE
    }
    for key, value in fields(info).items():
        if key not in may_change and value != "":
            assert result[key] == value


@given(contact_infos(), leads(), ways, matches)
def test_no_phone_and_no_address_is_lost_or_changed_unless_one_of_its_tag_overwrites(
    info: Any, lead: Lead, how: Ways, matched_by: Any
) -> None:
    result = after(info, lead, how, matched_by)
    for key, given_items in (("phones", lead.phones), ("addresses", lead.addresses)):
        overwritten = {each.tag for each in given_items if each.merge is Merge.OVERWRITE}
        after_ = [_without_e164(item) for item in result[key]["items"]]
        for item in info[key]["items"]:
            assert _without_e164(item) in after_ or item["tag"] in overwritten


def _without_e164(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "e164Phone"}


@given(contact_infos(), leads(), ways, matches)
def test_the_primary_place_in_a_list_stays(
    info: Any, lead: Lead, how: Ways, matched_by: Any
) -> None:
    result = after(info, lead, how, matched_by)
    places = [item.get("primary") for item in info["phones"]["items"]]
    assert [item.get("primary") for item in result["phones"]["items"]][: len(places)] == places


@given(contact_infos(), leads(), ways)
def test_a_match_by_phone_or_of_a_member_leaves_all_personal_fields(
    info: Any, lead: Lead, how: Ways
) -> None:
    member = info | {
        "extendedFields": {"items": {**fields(info), "members.membershipStatus": "APPROVED"}}
    }
    for start, matched_by in ((info, "phone"), (member, "email")):
        result = after(start, lead, how, matched_by)
        for key in ("name", *TEXTS, "emails", "phones", "addresses"):
            assert result[key] == start[key]


def compete(one: Lead, two: Lead, part: str) -> bool:
    """Whether both give the part, and differently."""
    first, second = getattr(one, part), getattr(two, part)
    return bool(first and second and first.value != second.value)


@given(contact_infos(), fill_leads, fill_leads, ways)
def test_the_order_of_two_leads_matters_only_where_both_give_a_blank_part_differently(
    info: Any, one: Lead, two: Lead, how: Ways
) -> None:
    """With `fill` alone, and for what stands by itself (names and lists have tests of their own).

    The same parts are filled either way. A part that one of them gives, or both alike, ends up the
    same. A part that both give differently holds what the first one gave.
    """
    there, back = (
        after(after(info, first, how), second, how) for first, second in ((one, two), (two, one))
    )
    for key, part in TEXTS.items():
        assert held(there[key]) == held(back[key])
        if not compete(one, two, part):
            assert there[key] == back[key]
    assert set(there["labelKeys"]["items"]) == set(back["labelKeys"]["items"])
    assert fields(there).keys() == fields(back).keys()
    for key, value in fields(there).items():
        given_by = [
            {each.value for each in lead.extended_fields if KEYS.fields[each.name] == key}
            for lead in (one, two)
        ]
        if not all(given_by) or (given_by[0] == given_by[1] and len(given_by[0]) == 1):
            assert fields(back)[key] == value


@given(contact_infos(), fill_leads, fill_leads, ways)
def test_the_order_of_two_leads_that_agree_on_the_name_does_not_matter_to_it(
    info: Any, one: Lead, two: Lead, how: Ways
) -> None:
    """Two that disagree are two names: the first one stays whole, and nothing is mixed into it."""
    there, back = (
        after(after(info, first, how), second, how) for first, second in ((one, two), (two, one))
    )
    if not (compete(one, two, "first_name") or compete(one, two, "last_name")):
        assert _folded(there["name"]) == _folded(back["name"])


def _folded(name: dict[str, str | None]) -> dict[str, str]:
    return {key: (value or "").strip().casefold() for key, value in name.items()}


@given(contact_infos(), fill_leads, fill_leads, ways)
def test_the_first_lead_with_a_phone_or_address_fills_an_empty_list_and_the_second_adds_nothing(
    info: Any, one: Lead, two: Lead, how: Ways
) -> None:
    once = after(info, one, how)
    twice = after(once, two, how)
    for key in ("phones", "addresses"):
        if once[key]["items"]:
            assert twice[key] == once[key]
