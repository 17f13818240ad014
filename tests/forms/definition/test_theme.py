"""A form's look: what may be said, what can be read, and what follows from it."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from formapp.forms.definition.colours import COLOUR_NAMES, contrast, parse_colour, readable_on
from formapp.forms.definition.theme import (
    DARK_INK,
    DARK_PAPER,
    LIGHT_INK,
    LIGHT_PAPER,
    OWN,
    Theme,
    style_of,
    unreadable,
)
from formapp.resources import STATIC

FaultsOf = Callable[..., list[str]]
EMAIL = '\n[[fields]]\nname = "email"\ntype = "email"\nlabel = "E-mail"\nto = "email"\n'
CSS = (STATIC / "formapp.css").read_text("utf-8")
COLOURS = st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize(
    ("text", "colour"),
    [
        ("#0B6274", "#0b6274"),
        ("#f60", "#ff6600"),
        (" Ivory ", "#fffff0"),
        ("rebeccapurple", "#663399"),
        ("#ffff", None),
        ("#0b62741a", None),
        ("0b6274", None),
        ("rgb(0,0,0)", None),
        ("transparent", None),
        ("currentcolor", None),
        ("var(--x)", None),
        ("url(//evil.example)", None),
        ("red;}", None),
        ("#0b6274\n", "#0b6274"),
        ("", None),
    ],
)
def test_a_colour_is_hex_or_a_name_of_css(text: str, colour: str | None) -> None:
    assert parse_colour(text) == colour


@pytest.mark.browser
def test_the_names_are_those_of_the_browser(browser: Browser) -> None:
    page = browser.new_page()
    shown = page.evaluate(
        """(names) => names.map((name) => {
            document.body.style.color = "";
            document.body.style.color = name;
            return getComputedStyle(document.body).color;
        })""",
        list(COLOUR_NAMES),
    )
    page.close()
    rgb = [tuple(int(digits[n : n + 2], 16) for n in (0, 2, 4)) for digits in COLOUR_NAMES.values()]
    assert shown == [f"rgb{one}" for one in rgb]


@pytest.mark.parametrize(
    "table",
    [
        "",
        'accent = "gold"\nradius = "0"\nfont = "Georgia, \'Times New Roman\', serif"',
        'background = "black"',
        'text = "white"',
        'background = "#808080"',
        'text = "#222"\nbackground = "ivory"\nradius = "1.5rem"\n[theme.dark]\nbackground = "navy"',
    ],
)
def test_a_good_theme_has_no_fault(faults_of: FaultsOf, table: str) -> None:
    assert faults_of(f'title = "X"\n[theme]\n{table}\n{EMAIL}') == []


def test_the_font_is_a_list_of_names_and_nothing_else() -> None:
    theme = Theme(font="Gill Sans, 'Times New Roman', SERIF")
    assert theme.font == '"Gill Sans", "Times New Roman", SERIF'


def test_the_colours_known_here_are_those_of_the_style_sheet() -> None:
    root = CSS[CSS.index(":root {") : CSS.index("}", CSS.index(":root {"))]
    found = dict(re.findall(r"(--[a-z-]+): light-dark\(([^)]+)\);", root))
    found |= {"--link": found["--accent"], "--frame": "transparent, transparent"}
    assert {name: ", ".join(pair) for name, pair in OWN.items()} == found
    assert "--link: var(--accent);" in root
    assert "--frame: transparent;" in root
    assert OWN["--ink"] == (LIGHT_INK, DARK_INK)
    assert (parse_colour(OWN["--paper"][0]), OWN["--paper"][1]) == (LIGHT_PAPER, DARK_PAPER)


def mixed(match: re.Match[str]) -> str:
    """What a browser makes of `color-mix(in srgb, …)`."""
    one, other = ([int(match[n][i : i + 2], 16) for i in (1, 3, 5)] for n in (1, 3))
    share = int(match[2]) / 100
    pairs = zip(one, other, strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def pairs(sheet: str) -> dict[str, tuple[str, str]]:
    """The colours that a sheet sets, light and dark, and those that it leaves."""
    sheet = re.sub(r"color-mix\(in srgb, (#\w{6}) (\d+)%, (#\w{6})\)", mixed, sheet)
    assert "color-mix" not in sheet
    both = re.findall(r"(--[a-z-]+): light-dark\((.+?)\);", sheet)
    found = {name: tuple(pair.split(", ")) for name, pair in both}
    same = {name: (v, v) for name, v in re.findall(r"(--[a-z-]+): (#[0-9a-f]+);", sheet)}
    only = re.search(r"color-scheme: (light|dark)", sheet)
    known = {name: _six(pair) for name, pair in (OWN | found | same).items() if name != "--frame"}
    if only:
        side = only[1] == "dark"
        known = {name: (pair[side], pair[side]) for name, pair in known.items()}
    return known


def _six(pair: tuple[str, ...]) -> tuple[str, str]:
    light, dark = (parse_colour(colour) or "" for colour in pair)
    return light, dark


PALETTES = st.fixed_dictionaries(
    {}, optional={"accent": COLOURS, "text": COLOURS, "background": COLOURS}
)


@given(PALETTES, st.none() | PALETTES)
def test_whatever_can_be_said_can_be_read(
    light: dict[str, str], dark: dict[str, str] | None
) -> None:
    theme = Theme.model_validate(light | ({"dark": dark} if dark is not None else {}))
    if unreadable(theme):
        return
    known = pairs(style_of(theme))
    for side in (0, 1):
        colour = {name: pair[side] for name, pair in known.items()}
        for ink, ground in (
            ("--ink", "--paper"),
            ("--ink", "--well"),
            ("--soft", "--paper"),
            ("--link", "--paper"),
            ("--danger", "--paper"),
            ("--danger", "--danger-ground"),
            ("--on-accent", "--accent"),
            ("--on-accent", "--accent-strong"),
        ):
            assert contrast(colour[ink], colour[ground]) >= 4.5, (ink, ground, side)
        assert contrast(colour["--edge"], colour["--paper"]) >= 3, side


@given(COLOURS, COLOURS)
def test_black_or_white_can_be_read_on_anything(ground: str, colour: str) -> None:
    assert contrast(readable_on(ground, colour), ground) >= 4.5


def test_an_empty_theme_changes_nothing() -> None:
    assert style_of(Theme()) == ":root { }\n"
