"""Keys of labels and extended fields: asked for once, found anew when they are gone."""

import pytest

from formapp.delivery.find import KeyCache
from tests.support.leads import EMAIL, SITE, field, items, lead
from tests.support.world import World

GIVEN = lead(labels=("Lead",), extended_fields=(field("Budget", "small"),))
AGAIN = lead("bob@example.com", labels=("Lead",), extended_fields=(field("Budget", "small"),))


@pytest.mark.parametrize("suffixes", [False, True])
@pytest.mark.parametrize("kind", ["labels", "extended-fields"])
@pytest.mark.parametrize("known", [False, True])
def test_what_was_deleted_at_wix_is_made_anew_once(
    world: World, kind: str, *, suffixes: bool, known: bool
) -> None:
    world.site.set(random_key_suffixes=suffixes)
    world.bring(GIVEN)
    kinds = {"labels": "label", "extended-fields": "field"}
    cached = KeyCache(world.database).cached(SITE)
    (key,) = [key for (of, _), (key, _) in cached.items() if of == kinds[kind]]
    world.site.api("DELETE", f"/{kind}/{key}")
    world.site.forget_calls()
    row = world.bring(GIVEN if known else AGAIN)
    assert (row["state"], row["attempts"]) == ("delivered", 1)
    info = world.site.info_of(row["contact_id"])
    assert len(info["labelKeys"]["items"]) == 1
    assert "small" in info["extendedFields"]["items"].values()
    calls = world.site.calls()
    assert calls.count("findOrCreateLabel") == 1
    assert calls.count("findOrCreateExtendedField") == 1
    assert len(calls) <= 7


def test_what_was_renamed_at_wix_is_made_anew_and_the_old_one_kept(world: World) -> None:
    world.bring(GIVEN)
    world.site.api("PATCH", "/labels/custom.lead", {"label": {"displayName": "Renamed"}})
    row = world.bring(AGAIN)
    # The key holds, so nothing has to be asked: the label goes by its new name.
    assert world.site.info_of(row["contact_id"])["labelKeys"]["items"] == ["custom.lead"]


def test_somebody_elses_label_that_goes_between_read_and_write_stops_nothing(world: World) -> None:
    """Lists go whole: a label that was deleted meanwhile would be sent back."""
    theirs = world.site.label("Theirs")
    world.site.add(emails=items({"email": EMAIL}), labelKeys=items(theirs))
    world.once("updateContact", lambda: world.site.api("DELETE", f"/labels/{theirs}"))
    row = world.bring(GIVEN)
    assert row["outcome"] == "updated"
    assert world.site.info()["labelKeys"]["items"] == ["custom.lead"]


def test_a_field_that_has_another_data_type_at_wix_fails_with_a_clear_reason(world: World) -> None:
    world.site.field("Budget", "NUMBER")
    submission_id = world.keep(GIVEN)
    world.drain()
    row = world.row(submission_id)
    assert row["state"] == "failed"
    assert row["reason"] == (
        'the extended field "Budget" has the data type NUMBER at Wix, the form says TEXT: correct '
        "data_type in the form file, or use another field, then retry"
    )
    assert world.attempts(submission_id)[0]["code"] == "WRONG_DATA_TYPE"
    assert world.site.contacts() == []


def test_a_field_that_was_made_anew_with_the_right_type_is_taken(world: World) -> None:
    key = world.site.field("Budget", "NUMBER")
    world.bring(GIVEN)
    world.site.api("DELETE", f"/extended-fields/{key}")
    assert world.bring(GIVEN)["state"] == "delivered"


def test_a_refusal_that_has_nothing_to_do_with_keys_fails_at_once(world: World) -> None:
    world.site.fault("status", "createContact", status=400, code="SOMETHING_ELSE")
    row = world.bring(GIVEN)
    assert row["state"] == "failed"
    assert "SOMETHING_ELSE" in row["reason"]
    assert world.site.calls().count("createContact") == 1


@pytest.mark.parametrize(
    ("quota", "code"),
    [("labels_quota", "LABELS_QUOTA_REACHED"), ("fields_quota", "FIELDS_QUOTA_EXCEEDED")],
)
def test_a_full_quota_fails_with_wixs_reason_and_pauses_nothing(
    world: World, quota: str, code: str
) -> None:
    world.site.set(**{quota: 0})
    row = world.bring(GIVEN)
    assert row["state"] == "failed"
    assert code in row["reason"]
    assert world.pause() == {}


def test_a_404_without_a_code_to_an_update_is_looked_into(world: World) -> None:
    """It may mean the contact, or a label or field (contract section 3.1)."""
    first = world.bring(lead())["contact_id"]
    world.site.fault("status", "updateContact", status=404, times=1)
    world.once("updateContact", lambda: world.site.delete(first))
    row = world.bring(lead(first_name="Ines"))
    assert row["outcome"] == "created"
    assert len(world.site.contacts()) == 1
