"""The line of each table, key and list entry of a TOML text."""

import tomllib

import pytest

from formapp.forms.definition.lines import Location, find_lines

TEXT = (
    """\
title = "T"
# a comment = 1
origins = [
  "https://a.example",   # ]

  "https://b.example", "https://c.example",
]
thanks.title = "Thanks"

[spam]
quota = '''
[[fields]]
a = 1
'''
  [[fields]]
"name" = "a"
to = { property = "phone", tag = "HOME" }
options = [
    "a",
    { value = "b",  label = "B" }
]
[[fields]]
name = """
    '"""'
    """
b"""
    '"""'
    """
[fields.to]
property = "email"
[[fields.options]]
value = "1"
[[fields.options]]
value = "2"
[texts.de.fields]
a = { label = "A" }
[texts.de.fields.b]
label = "B"
"""
)
PLACES: list[tuple[Location, int]] = [
    (("title",), 1),
    (("origins",), 3),
    (("origins", 0), 4),
    (("origins", 1), 6),
    (("origins", 2), 6),
    (("thanks",), 8),
    (("thanks", "title"), 8),
    (("spam",), 10),
    (("spam", "quota"), 11),
    (("fields",), 15),
    (("fields", 0), 15),
    (("fields", 0, "name"), 16),
    (("fields", 0, "to"), 17),
    (("fields", 0, "to", "property"), 17),
    (("fields", 0, "to", "tag"), 17),
    (("fields", 0, "options"), 18),
    (("fields", 0, "options", 0), 19),
    (("fields", 0, "options", 1), 20),
    (("fields", 0, "options", 1, "value"), 20),
    (("fields", 0, "options", 1, "label"), 20),
    (("fields", 1), 22),
    (("fields", 1, "name"), 23),
    (("fields", 1, "to"), 25),
    (("fields", 1, "to", "property"), 26),
    (("fields", 1, "options"), 27),
    (("fields", 1, "options", 0), 27),
    (("fields", 1, "options", 0, "value"), 28),
    (("fields", 1, "options", 1), 29),
    (("fields", 1, "options", 1, "value"), 30),
    (("texts",), 31),
    (("texts", "de"), 31),
    (("texts", "de", "fields"), 31),
    (("texts", "de", "fields", "a"), 32),
    (("texts", "de", "fields", "a", "label"), 32),
    (("texts", "de", "fields", "b"), 33),
    (("texts", "de", "fields", "b", "label"), 34),
]


def test_everything_has_its_line() -> None:
    tomllib.loads(TEXT)
    assert find_lines(TEXT) == dict(PLACES)


@pytest.mark.parametrize("text", ["", "\n", "# nothing"])
def test_a_text_without_keys_has_none(text: str) -> None:
    assert find_lines(text) == {}
