"""A fault hides no other: what depends on other parts is checked on those that are valid."""

import json
import random
import tomllib
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from formapp.resources import BUNDLED_FORMS
from tests.support.formfiles import faults_of

BASE = {
    "": 'title = "T"',
    "[thanks]": "",
    "[confirm]": "",
    "[theme]": "",
    "[spam]": "",
    "[texts.de]": 'title = "T"',
    "[texts.de.fields.email]": 'label = "E"',
    "[texts.de.fields.size]": 'label = "G"',
    "[texts.de.fields.topic]": 'label = "W"',
    "[[fields]] # email": (
        'name = "email"\ntype = "email"\nlabel = "E"\nrequired = true\nto = "email"'
    ),
    "[[fields]] # size": 'name = "size"\ntype = "number"\nlabel = "S"',
    "[[fields]] # topic": 'name = "topic"\ntype = "checkboxes"\nlabel = "W"',
    "[[fields]] # more": "",
}
OPTIONS = 'options = ["a", "b"]'
MORE = 'name = "more"\ntype = "hidden"\nvalue = "x"'

# Section, lines. These can't be read ...
UNREADABLE = [
    ("", 'origins = ["https://www.example.com", "b example"]'),
    ("", 'labels = ["ok", 5]'),
    ("", "zzz = 1"),
    ("[thanks]", "title = 5"),
    ("[confirm]", "subject = 5"),
    ("[theme]", 'accent = "bluish"'),
    ("[spam]", "difficulty = 0"),
    ("[texts.de]", "intro = 5"),
    ("[texts.de.fields.size]", "help = 5"),
    ("[texts.xx_yy_zz]", 'title = "T"'),
    ("[[fields]] # email", 'aliases = ["ok", 5]'),
    ("[[fields]] # email", "placeholder = 5"),
    ("[[fields]] # size", "min_lenght = 5"),
    ("[[fields]] # topic", 'options = ["a", { value = "x", labl = "y" }, "b"]'),
    ("[[fields]] # topic", OPTIONS + '\nto = { extended_field = "F", merge = "x" }'),
    ("[[fields]] # more", 'name = "more"\ntype = "txt"'),
    ("[[fields]] # more", 'name = "more"'),
    ("[[fields]] # more", 'type = "hidden"\nvalue = "x"'),
    ("[[fields]] # more", f'{MORE}\nto = "compny"'),
]
# ... and these are wrong only beside another part.
CONTRADICTIONS = [
    ("[thanks]", 'redirect = "https://elsewhere.example/x"'),
    ("", "keep_days = 3"),
    ("[theme]", 'text = "#777777"\nbackground = "#888888"'),
    ("[texts.de.fields.nope]", 'label = "x"'),
    ("[texts.de.fields.size]", "rows = 3"),
    ("[texts.DE]", 'title = "x"'),
    ("[texts.en]", 'title = "x"'),
    ("[[fields]] # size", "min = 5\nmax = 3"),
    ("[[fields]] # size", 'to = { extended_field = "E", data_type = "DATE" }'),
    ("[[fields]] # size", 'aliases = ["topic"]'),
    ("[[fields]] # topic", 'options = ["a", "b", "b"]'),
    ("[[fields]] # more", 'name = "size"\ntype = "hidden"\nvalue = "x"'),
    ("[[fields]] # more", f'{MORE}\nto = "birthdate"'),
    ("[[fields]] # more", 'name = "more"\ntype = "email"\nlabel = "E"\nto = "email"'),
]


def faults(*changes: tuple[str, str]) -> list[str]:
    sections = dict(BASE)
    for section, lines in changes:
        sections[section] = f"{sections.get(section, '')}\n{lines}"
    if "options" not in sections["[[fields]] # topic"]:
        sections["[[fields]] # topic"] += f"\n{OPTIONS}"
    sections["[[fields]] # more"] = sections["[[fields]] # more"].strip() or MORE
    return faults_of("\n".join(f"{head}\n{lines}" for head, lines in sections.items()))


def goes_together(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether no key would be there twice, and the other isn't the first one's consequence."""
    if "name" not in one[1] and "more" in one[0] and "nope" in other[0]:
        return False  # these may be the texts of the field without a name
    same_key = "options" in one[1] and "options" in other[1]
    return not same_key and (one[0] != other[0] or "more" not in one[0])


PAIRS = [pair for pair in product(UNREADABLE, CONTRADICTIONS) if goes_together(*pair)]
PAIRS += [pair for pair in product(UNREADABLE, UNREADABLE) if pair[0][0] < pair[1][0]]


def test_the_base_has_no_fault_and_every_change_has_one() -> None:
    assert faults() == []
    assert all(faults(change) for change in UNREADABLE + CONTRADICTIONS)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_faults_are_both_told(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert set(faults(one, other)) == {*faults(one), *faults(other)}


def test_a_redirect_to_an_origin_with_a_slip_is_no_fault_of_its_own() -> None:
    slips = (
        ("www.example.com", "is not an origin"),
        ("https://www.example.com/", "has more than an origin"),
    )
    for origin, said in slips:
        [fault] = faults(
            ("", f'origins = ["{origin}"]'),
            ("[thanks]", 'redirect = "https://www.example.com/thanks"'),
        )
        assert said in fault


JUNK: list[Any] = ["x", "", 5, True, 1.5, [], {}, [5], {"a": 1}, [[]], [{"x": 1}]]


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(each)}" for k, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, default=str)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.parametrize("seed", range(60))
def test_a_file_broken_at_random_is_told_in_full(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same files each time
    files = sorted(BUNDLED_FORMS.glob("*.toml"))
    data = tomllib.loads(chance.choice(files).read_text("utf-8"))
    for _ in range(chance.randint(1, 6)):
        holder, key = chance.choice(list(places(data)))
        if chance.random() < 0.3:
            del holder[key]
        elif isinstance(holder, dict) and chance.random() < 0.2:
            holder[chance.choice(["name", "title", "to", "typo"])] = holder.pop(key)
        else:
            holder[key] = chance.choice(JUNK)
    text = "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in data.items())
    assert len(set(faults_of(text))) == len(faults_of(text))
