"""Cards: what is read of them, and which lines of them a write changes."""

import pytest

from formapp.crm.system import Value, Write
from formapp.crm.systems.card_fields import CardFields
from formapp.crm.systems.vcard import Card, UnreadableCardError

NAMES = frozenset(
    {
        "given_name",
        "family_name",
        "full_name",
        "org",
        "title",
        "birthday",
        "email",
        "phone",
        "emails",
        "phones",
        "addresses",
        "note",
        "x.COLOUR",
    }
)
FIELDS = CardFields(NAMES, "GB")
FULL = """BEGIN:VCARD
VERSION:3.0
UID:a
FN:Ada Lovelace
N:Lovelace;Ada;;;
ORG:Acme\\, Inc.;Engines
TITLE:Countess
CATEGORIES:News\\, daily,VIP
CATEGORIES:Third
item1.EMAIL;TYPE=INTERNET:a@x.example
item1.X-ABLabel:_$!<Other>!$_
EMAIL;TYPE=INTERNET,pref:B@x.example
TEL;TYPE=HOME:020 7946 0018
TEL;TYPE=CELL,pref:tel:+44-7700-900123
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsL
 DBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQ==
GENDER:F;she
X-EVOLUTION-BLOB;P="q;:x":a;b\\,c
X-COLOUR:blue\\, or\\ngreen
ADR;TYPE=HOME:;Flat 2;12 St James's Square;London;England;SW1Y 4LE;United Kingdom
BDAY:18151210
NOTE:one\\ntwo \\\\ three
REV:20200101T000000Z
END:VCARD
"""


def read(text: str) -> dict[str, object]:
    return dict(FIELDS.record(text, "a.vcf", "1").values)


def changed(text: str, **write: object) -> tuple[set[str], set[str]]:
    """The lines that a write removes, and those that it adds."""
    card = Card.parse(text)
    FIELDS.apply(card, Write(**write))  # type: ignore[arg-type]
    before, after = set(Card.parse(text).text().splitlines()), set(card.text().splitlines())
    return before - after, after - before


def test_every_field_is_read() -> None:
    record = FIELDS.record(FULL, "a.vcf", "1")
    assert record.values == {
        "given_name": "Ada",
        "family_name": "Lovelace",
        "full_name": "Ada Lovelace",
        "org": "Acme, Inc.",
        "title": "Countess",
        "birthday": "1815-12-10",
        "email": "b@x.example",
        "emails": ("a@x.example", "b@x.example"),
        "phone": "+447700900123",
        "phones": ("+442079460018", "+447700900123"),
        "addresses": ("12 St James's Square\nFlat 2\nLondon\nSW1Y 4LE\nGB-ENG\nGB",),
        "note": "one\ntwo \\ three",
        "x.COLOUR": "blue, or\ngreen",
    }
    assert record.labels == {"News, daily", "VIP", "Third"}
    assert record.key is None


@pytest.mark.parametrize(
    ("values", "gone", "new"),
    [
        ({"given_name": "Ada"}, set(), set()),
        (
            {"given_name": "Eva"},
            {"N:Lovelace;Ada;;;", "FN:Ada Lovelace"},
            {"N:Lovelace;Eva;;;", "FN:Eva Lovelace"},
        ),
        ({"full_name": "A. L."}, {"FN:Ada Lovelace"}, {"FN:A. L."}),
        ({"org": "Babbage; Co"}, {"ORG:Acme\\, Inc.;Engines"}, {"ORG:Babbage\\; Co;Engines"}),
        ({"title": None}, {"TITLE:Countess"}, set()),
        ({"birthday": "1815-12-10"}, set(), set()),
        ({"birthday": "1815-12-11"}, {"BDAY:18151210"}, {"BDAY:1815-12-11"}),
        (
            {"email": "c@x.example"},
            {"EMAIL;TYPE=INTERNET,pref:B@x.example"},
            {"EMAIL;TYPE=INTERNET,pref:c@x.example"},
        ),
        ({"email": "b@x.example"}, set(), set()),
        (
            {"email": "a@x.example"},
            {"EMAIL;TYPE=INTERNET,pref:B@x.example", "item1.EMAIL;TYPE=INTERNET:a@x.example"},
            {"EMAIL;TYPE=INTERNET:B@x.example", "item1.EMAIL;TYPE=INTERNET;TYPE=pref:a@x.example"},
        ),
        (
            {"emails": ("b@x.example", "c@x.example")},
            {"item1.EMAIL;TYPE=INTERNET:a@x.example", "item1.X-ABLabel:_$!<Other>!$_"},
            {"EMAIL:c@x.example"},
        ),
        ({"phones": ("+442079460018", "+447700900123")}, set(), set()),
        ({"phones": ("+447700900123",)}, {"TEL;TYPE=HOME:020 7946 0018"}, set()),
        ({"note": "a\r\nb;c"}, {"NOTE:one\\ntwo \\\\ three"}, {"NOTE:a\\nb\\;c"}),
        ({"x.COLOUR": "red\x00\x1b"}, {"X-COLOUR:blue\\, or\\ngreen"}, {"X-COLOUR:red"}),
        (
            {"addresses": ("12 St James's Square\nFlat 2\nLondon\nSW1Y 4LE\nGB-ENG\nGB",)},
            set(),
            set(),
        ),
        (
            {"title": "x\nEND:VCARD\nBEGIN:VCARD"},
            {"TITLE:Countess"},
            {"TITLE:x\\nEND:VCARD\\nBEGIN:VCARD"},
        ),
    ],
)
def test_a_write_changes_its_own_lines_alone(
    values: dict[str, object], gone: set[str], new: set[str]
) -> None:
    assert changed(FULL, values=values) == (gone, new)


def test_a_name_that_a_person_wrote_is_not_made_anew() -> None:
    text = FULL.replace("FN:Ada Lovelace", "FN:The Enchantress of Number")
    assert changed(text, values={"given_name": "Eva"}) == (
        {"N:Lovelace;Ada;;;"},
        {"N:Lovelace;Eva;;;"},
    )


def test_labels_of_several_lines_become_one_line_when_they_change() -> None:
    gone, new = changed(FULL, add_labels=frozenset({"New"}), remove_labels=frozenset({"VIP"}))
    assert gone == {"CATEGORIES:News\\, daily,VIP", "CATEGORIES:Third"}
    assert new == {"CATEGORIES:News\\, daily,Third,New"}
    assert changed(FULL, add_labels=frozenset({"VIP"})) == (set(), set())


def test_a_card_always_has_a_name_to_show() -> None:
    for values, shown in (
        ({"org": "Acme"}, "Acme"),
        ({"email": "a@x.example"}, "a@x.example"),
        ({}, "No name"),
        ({"given_name": "Ada", "org": "Acme"}, "Ada"),
    ):
        card = Card.new("a")
        FIELDS.apply(card, Write(values))
        assert read(card.text())["full_name"] == shown


def test_what_is_written_is_read_again() -> None:
    values: dict[str, Value | None] = {
        "given_name": "Ada; B",
        "addresses": ("Rua 1, A\n\nLisboa\n1100\nPT-11\nPT",),
        "note": "a\\nb\n" + "ü" * 200,
        "emails": ("a@x.example", "b@x.example"),
    }
    card = Card.new("a")
    FIELDS.apply(card, Write(values))
    assert read(card.text()).items() >= values.items()
    assert max(len(line.encode()) for line in card.text().splitlines()) <= 75


@pytest.mark.parametrize(
    ("version", "text", "expected"),
    [
        ("2.1", "TEL;HOME;VOICE:020 7946 0018", {"phone": "+442079460018"}),
        (
            "2.1",
            "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller=0D=0Aand",
            {"note": "Müller\nand"},
        ),
        ("4.0", "BDAY:--1210", {}),
        ("4.0", "BDAY:1815-12-10T00:00:00Z", {"birthday": "1815-12-10"}),
        ("4.0", "EMAIL;PREF=1:B@x.example", {"email": "b@x.example"}),
        ("3.0", "EMAIL:", {}),
        ("3.0", "TEL:ask Charles", {}),
        ("3.0", "ADR:;;;;;;", {}),
    ],
)
def test_other_versions_and_odd_lines_are_read(
    version: str, text: str, expected: dict[str, str]
) -> None:
    found = read(f"BEGIN:VCARD\nVERSION:{version}\nFN:A\n{text}\nEND:VCARD\n")
    assert found.items() >= expected.items()
    assert expected or found.keys() == {"full_name"}


@pytest.mark.parametrize(
    "text", ["", "hello", "BEGIN:VCARD\nFN:A", FULL + FULL, "BEGIN:VCARD\n???\nEND:VCARD", "\0"]
)
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(UnreadableCardError):
        Card.parse(text)
