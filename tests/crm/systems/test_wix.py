"""Wix as a side of a book, against the sandbox: what is written to its contacts."""

from typing import Any

import pytest

from formapp.crm.system import (
    AlreadyExistsError,
    GoneError,
    RefusedError,
    StaleError,
    UnavailableError,
    Write,
)
from tests.crm.wix_book import ADDRESS, Open, add_contact, emails_of, get_wix, phones_of
from tests.support.clock import TurnedClock
from tests.support.wixsite import WixSite


def test_a_record_has_the_mapped_fields_and_what_matches_it(
    opened: Open, wix_site: WixSite
) -> None:
    label = wix_site.label("Boat owner")
    address = {"addressLine": "Rua dos Exemplos 12", "city": "Lisboa", "postalCode": "1100-148"}
    made = add_contact(
        wix_site,
        emails=emails_of("Ines@Example.com", "ines@home.test"),
        phones=phones_of("912 000 111"),
        addresses={"items": [{"address": {**address, "subdivision": "PT-11", "country": "PT"}}]},
        company="Barco",
        labelKeys={"items": [label]},
        extendedFields={"items": {wix_site.field("Budget", "NUMBER"): 8.0}},
    )
    record = get_wix(opened(), made)
    assert record.values == {
        "name.first": "Ines",
        "company": "Barco",
        "email": "ines@example.com",
        "emails": ("ines@example.com", "ines@home.test"),
        "phone": "+351912000111",
        "phones": ("+351912000111",),
        "addresses": (ADDRESS,),
        "extended.Budget": "8",
    }
    assert record.labels == {"Boat owner"}
    assert (record.emails, record.phones) == (
        ("ines@example.com", "ines@home.test"),
        ("+351912000111",),
    )
    assert "Ines" not in repr(record)


def test_what_is_created_can_be_found_by_its_key_and_is_whole(
    opened: Open, wix_site: WixSite
) -> None:
    system = opened()
    values: dict[str, Any] = {
        "name.first": "Ines",
        "emails": ("a@example.com", "b@example.com"),
        "phone": "912 000 111",
        "addresses": (ADDRESS,),
        "extended.Budget": "much",
        "birthdate": "1990-02-28",
    }
    made = system.create(Write(values, frozenset({"Boat owner"}), key="crm-1"))
    info = wix_site.info_of(made.id)
    assert info["name"] == {"first": "Ines"}
    assert info["phones"]["items"][0]["e164Phone"] == "+351912000111"
    assert (made.key, *made.labels) == ("crm-1", "Boat owner")
    assert made.values["emails"] == ("a@example.com", "b@example.com")
    assert [each.id for each in system.find(key="crm-1")] == [made.id]
    assert [each.id for each in system.find(email="B@example.com")] == [made.id]
    assert [each.id for each in system.find(phone="+351912000111")] == [made.id]
    assert system.find(key="crm-2") == []
    with pytest.raises(AlreadyExistsError) as caught:
        system.create(Write({"email": "a@example.com"}, key="crm-2"))
    assert caught.value.record_id == made.id


def test_an_e_mail_is_found_where_the_site_refuses_to_search_other_ones(
    opened: Open, wix_site: WixSite
) -> None:
    made = add_contact(wix_site, emails=emails_of("ines@example.com"))
    wix_site.set(refuse_optional_filters=True)
    assert [each.id for each in opened().find(email="ines@example.com")] == [made]


def test_an_update_sends_whole_lists_and_keeps_the_rest(opened: Open, wix_site: WixSite) -> None:
    wix_site.set(extended_fields="replace")
    other = wix_site.field("Other")
    made = add_contact(
        wix_site,
        emails=emails_of("ines@example.com", "old@example.com"),
        phones=phones_of("912 000 111"),
        extendedFields={"items": {other: "stays"}},
        jobTitle="Buyer",
    )
    system = opened()
    values: dict[str, Any] = {
        "name.last": "Okafor",
        "emails": ("ines@example.com", "new@example.com"),
        "phone": "+351912000222",
        "company": None,
    }
    written = system.update(get_wix(system, made), Write(values, key="crm-1"))
    info = wix_site.info_of(made)
    assert info["name"] == {"first": "Ines", "last": "Okafor"}
    assert [(e["email"], e["tag"]) for e in info["emails"]["items"]] == [
        ("ines@example.com", "WORK"),
        ("new@example.com", "UNTAGGED"),
    ]
    assert [(p["phone"], p["tag"]) for p in info["phones"]["items"]] == [
        ("+351912000222", "MOBILE")
    ]
    assert info["extendedFields"]["items"][other] == "stays"
    assert info["jobTitle"] == "Buyer"
    assert (written.key, written.values["name.last"]) == ("crm-1", "Okafor")
    with pytest.raises(RefusedError):
        system.update(written, Write(key="crm-2"))


def test_a_phone_in_another_spelling_is_no_change(opened: Open, wix_site: WixSite) -> None:
    system = opened("phones")
    record = get_wix(system, add_contact(wix_site, phones=phones_of("912 000 111")))
    spellings = system.normalise("phones", ("+351 912-000-111", "00351912000111"))
    assert spellings == record.values["phones"]
    system.update(record, Write({"phones": spellings}))
    assert wix_site.contacts()[0]["info"]["phones"]["items"][0]["phone"] == "912 000 111"


def test_labels_are_added_and_removed_by_their_names(opened: Open, wix_site: WixSite) -> None:
    old, other = wix_site.label("Old"), wix_site.label("Other")
    made = add_contact(wix_site, labelKeys={"items": [old, other]})
    system = opened()
    record = get_wix(system, made)
    wix_site.forget_calls()
    write = Write(add_labels=frozenset({"New"}), remove_labels=frozenset({"Old"}))
    written = system.update(record, write)
    assert written.labels == {"New", "Other"}
    assert wix_site.calls() == ["findOrCreateLabel", "labelContact", "unlabelContact"]
    assert written.revision == get_wix(system, made).revision


WRITES = {
    "fields": Write({"company": "Barco"}),
    "a label": Write(add_labels=frozenset({"Third"})),
    "no label": Write(remove_labels=frozenset({"First"})),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_whose_answer_has_a_label_that_can_t_be_read_may_be_in_place(
    opened: Open, wix_site: WixSite, turned_clock: TurnedClock, write: Write
) -> None:
    made, system = add_contact(wix_site), opened()
    wix_site.label("Third")
    get_wix(system, made)
    for name in ("First", "Second"):  # the second one comes too soon to be learned
        wix_site.api("POST", f"/contacts/{made}/labels", {"labelKeys": [wix_site.label(name)]})
        record = get_wix(system, made)
    turned_clock.turn(61)
    wix_site.fault("status", "listLabels")
    with pytest.raises(UnavailableError) as failed:
        system.update(record, write)
    assert failed.value.maybe_applied
    info = wix_site.contact()["info"]
    assert info.get("company") == write.values.get("company")
    assert len(info["labelKeys"]["items"]) == 2 + len(write.add_labels) - len(write.remove_labels)


def test_what_fails_after_a_contact_was_labelled_may_be_in_place(
    opened: Open, wix_site: WixSite
) -> None:
    made = add_contact(wix_site, labelKeys={"items": [wix_site.label("Old")]})
    system = opened()
    record = get_wix(system, made)
    wix_site.fault("status", "unlabelContact", status=429)
    with pytest.raises(UnavailableError) as failed:
        system.update(record, Write(add_labels=frozenset({"New"}), remove_labels=record.labels))
    assert failed.value.maybe_applied


def test_a_label_that_was_deleted_since_is_created_again(opened: Open, wix_site: WixSite) -> None:
    key, made = wix_site.label("News"), add_contact(wix_site)
    system = opened()
    record = get_wix(system, made)
    wix_site.api("DELETE", f"/labels/{key}")
    assert system.update(record, Write(add_labels=frozenset({"News"}))).labels == {"News"}


def test_an_edit_that_a_label_s_answer_shows_is_not_taken_for_our_own(
    opened: Open, wix_site: WixSite
) -> None:
    made = add_contact(wix_site)
    system = opened()
    record = get_wix(system, made)
    wix_site.edit(made, company="Barco")
    written = system.update(record, Write(add_labels=frozenset({"News"})))
    assert "company" not in written.values
    assert written.labels == {"News"}
    assert written.revision != get_wix(system, made).revision


def test_a_stale_revision_is_refused_and_nothing_written(opened: Open, wix_site: WixSite) -> None:
    made = add_contact(wix_site)
    system = opened()
    record = get_wix(system, made)
    wix_site.edit(made, company="Barco")
    with pytest.raises(StaleError):
        system.update(record, Write({"name.first": "Eva"}, frozenset({"News"})))
    with pytest.raises(StaleError):
        system.delete(record)
    assert wix_site.info_of(made)["name"] == {"first": "Ines"}
    assert not wix_site.info_of(made).get("labelKeys", {}).get("items")


def test_a_contact_that_is_gone_is_none_and_deleting_it_no_error(
    opened: Open, wix_site: WixSite
) -> None:
    made = add_contact(wix_site)
    system = opened()
    record = get_wix(system, made)
    wix_site.delete(made)
    assert system.get(made) is None
    system.delete(record)
    with pytest.raises(GoneError):
        system.update(record, Write({"company": "Barco"}))


def test_a_merged_contact_answers_as_the_one_it_was_merged_into(
    opened: Open, wix_site: WixSite
) -> None:
    source, target = add_contact(wix_site, "Ines"), add_contact(wix_site, "Eva")
    system = opened()
    merged = system.merge(get_wix(system, target), get_wix(system, source))
    assert merged.id == target
    assert get_wix(system, source).id == target
    assert wix_site.calls()[-2:] == ["mergeContacts", "getContact"]


def test_a_member_keeps_e_mail_and_can_be_neither_deleted_nor_merged_away(
    opened: Open, wix_site: WixSite
) -> None:
    made, other = (
        add_contact(wix_site, emails=emails_of("ines@example.com")),
        add_contact(wix_site, "Eva"),
    )
    wix_site.make_member(made)
    system = opened()
    record = get_wix(system, made)
    for write in (
        lambda: system.update(record, Write({"email": "eva@example.com"})),
        lambda: system.delete(record),
        lambda: system.merge(get_wix(system, other), record),
    ):
        with pytest.raises(RefusedError) as caught:
            write()
        assert "example.com" not in str(caught.value)


def test_another_contact_s_e_mail_holds_the_update(opened: Open, wix_site: WixSite) -> None:
    add_contact(wix_site, emails=emails_of("eva@example.com"))
    system = opened()
    record = get_wix(system, add_contact(wix_site))
    with pytest.raises(RefusedError):
        system.update(record, Write({"email": "eva@example.com"}))
