"""Contacts and leads for property tests, from small pools, so that they often meet."""

from typing import Any

from hypothesis import strategies as st

from formapp.lead import Address, ExtendedField, Lead, Merge, Phone, Text
from tests.support.leads import EMAIL, items, lead

NAMES = ["Ines", "ines ", "Bob", "Okafor", "Lee", "Ó"]
# E.164 to the forms in which people type it.
NUMBERS = {
    "+442079460018": ["020 7946 0018", "(020) 7946-0018", "+442079460018"],
    "+442079460019": ["02079460019", "+44 20 7946 0019"],
    "+442079460111": ["0207 946 0111", "+442079460111"],
}
FORMS = [(e164, typed) for e164, forms in NUMBERS.items() for typed in forms]
TAGS = ["UNTAGGED", "HOME", "WORK"]
LINES = ["1 High Street", "1  HIGH street", "Rua 12", "2 Low Road"]
CITIES = ["Leeds", "LEEDS", "Porto"]
FIELDS = ["Budget", "Site", "Visits"]
LABELS = ["Newsletter", "Vip", "Lead"]

merges = st.sampled_from(list(Merge))


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _texts(merge: st.SearchStrategy[Merge]) -> st.SearchStrategy[Text | None]:
    return _maybe(st.builds(Text, value=st.sampled_from(NAMES), merge=merge))


def _phones(merge: st.SearchStrategy[Merge]) -> st.SearchStrategy[tuple[Phone, ...]]:
    one = st.builds(
        lambda form, **more: Phone(e164=form[0], typed=form[1], **more),
        st.sampled_from(FORMS),
        country=st.sampled_from([None, "GB"]),
        tag=st.sampled_from(TAGS),
        merge=merge,
    )
    return st.lists(one, max_size=3).map(tuple)


def _addresses(merge: st.SearchStrategy[Merge]) -> st.SearchStrategy[tuple[Address, ...]]:
    one = st.builds(
        Address,
        tag=st.sampled_from(TAGS),
        merge=merge,
        line=st.sampled_from(LINES),
        city=st.sampled_from(CITIES),
        country=st.sampled_from([None, "GB"]),
    )
    return st.lists(one, max_size=2).map(tuple)


def _fields(merge: st.SearchStrategy[Merge]) -> st.SearchStrategy[tuple[ExtendedField, ...]]:
    text = st.builds(
        ExtendedField, name=st.just("Budget"), value=st.sampled_from(["s", "l"]), merge=merge
    )
    number = st.builds(
        ExtendedField,
        name=st.just("Visits"),
        data_type=st.just("NUMBER"),
        value=st.sampled_from([0, 1, 8.5]),
        merge=merge,
    )
    site = st.builds(
        ExtendedField,
        name=st.just("Site"),
        data_type=st.just("URL"),
        value=st.sampled_from(["example.com", "https://example.com", "https://example.org"]),
        merge=merge,
    )
    return st.lists(text | number | site, max_size=4).map(tuple)


def leads(merge: st.SearchStrategy[Merge] = merges) -> st.SearchStrategy[Lead]:
    """Leads of one person, known by the e-mail."""
    texts = _texts(merge)
    return st.builds(
        lead,
        st.just(EMAIL),
        first_name=texts,
        last_name=texts,
        company=texts,
        job_title=texts,
        birthdate=_maybe(st.builds(Text, value=st.just("1990-02-28"), merge=merge)),
        locale=_maybe(st.builds(Text, value=st.sampled_from(["pt-PT", "en"]), merge=merge)),
        phones=_phones(merge),
        addresses=_addresses(merge),
        labels=st.lists(st.sampled_from(LABELS), max_size=3).map(tuple),
        extended_fields=_fields(merge),
    )


fill_leads = leads(st.just(Merge.FILL))


@st.composite
def contact_infos(draw: st.DrawFn) -> dict[str, Any]:
    """The `info` of a contact that holds the person's e-mail, with whatever else."""
    text = st.sampled_from([None, "", " ", *NAMES])
    emails = [{"id": "e1", "tag": "MAIN", "email": EMAIL, "primary": True}]
    if draw(st.booleans()):
        emails.append({"id": "e2", "tag": "WORK", "email": "other@example.com", "primary": False})
    return {
        "name": {"first": draw(text), "last": draw(text)},
        "company": draw(text),
        "jobTitle": draw(text),
        "birthdate": draw(st.sampled_from([None, "1980-01-01"])),
        "locale": draw(st.sampled_from([None, "pt-PT"])),
        "emails": items(*emails),
        "phones": items(*draw(_held_phones())),
        "addresses": items(*draw(_held_addresses())),
        "labelKeys": items(
            *draw(st.lists(st.sampled_from(["custom.vip", "custom.odd"]), unique=True, max_size=2))
        ),
        "extendedFields": {"items": draw(_held_fields())},
    }


def _held_phones() -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.builds(
        lambda form, computed, **more: {
            "phone": form[1],
            "unknownKey": "stays",
            **({"e164Phone": form[0], "countryCode": "GB"} if computed else {}),
            **more,
        },
        st.sampled_from(FORMS),
        st.booleans(),
        id=st.uuids().map(str),
        tag=st.sampled_from(TAGS),
    )

    def with_primary(phones: list[dict[str, Any]]) -> list[dict[str, Any]]:
        last = len(phones) - 1
        return [phone | {"primary": index == last} for index, phone in enumerate(phones)]

    return st.lists(one, max_size=3).map(with_primary)


def _held_addresses() -> st.SearchStrategy[list[dict[str, Any]]]:
    street = st.sampled_from([{"addressLine": line} for line in LINES])
    parted = st.just({"streetAddress": {"number": "1", "name": "High Street"}})
    return st.lists(
        st.builds(
            lambda tag, line, city: {"tag": tag, "address": {**line, "city": city}},
            st.sampled_from(TAGS),
            street | parted,
            st.sampled_from(CITIES),
        ),
        max_size=2,
    )


def _held_fields() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "custom.budget": st.sampled_from(["s", "m", ""]),
            "custom.visits": st.sampled_from([0, 3]),
            "custom.site": st.sampled_from(["https://example.com", "https://example.net"]),
            "custom.untouched": st.sampled_from(["stays", 7, {"odd": 1}]),
            "members.membershipStatus": st.sampled_from(["NOT_SET", "APPROVED"]),
        },
    )
