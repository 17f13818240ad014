"""A form's look: the `[theme]` table, its contrast check and the style sheet made from it.

Values outside these types are rejected, so that no other text ever gets into a style sheet.
"""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from formapp.forms.definition.base import Definition
from formapp.forms.definition.colours import (
    TEXT_RATIO,
    contrast,
    is_dark,
    parse_colour,
    readable_on,
)
from formapp.forms.reading.text import word_set

OWN = {
    "--accent": ("#0b6274", "#7fd0e2"),
    "--accent-strong": ("#084a58", "#b0e6f1"),
    "--on-accent": ("#fff", "#08262d"),
    "--link": ("#0b6274", "#7fd0e2"),
    "--ground": ("#f6f5f1", "#131618"),
    "--paper": ("#fff", "#1b1f22"),
    "--well": ("#fff", "#131618"),
    "--ink": ("#1c2125", "#e8ebed"),
    "--soft": ("#566068", "#a7b1b8"),
    "--edge": ("#7c868e", "#78838b"),
    "--line": ("#e3e1da", "#31373c"),
    "--danger": ("#b3261e", "#ffaba2"),
    "--danger-ground": ("#fdf3f1", "#33211f"),
    "--frame": ("transparent", "transparent"),
}
"""The custom properties of `static/formapp.css`, light and dark: defaults of every theme."""

LIGHT_PAPER, LIGHT_INK = "#ffffff", "#1c2125"
DARK_PAPER, DARK_INK = "#1b1f22", "#e8ebed"
"""The default background and text colours, light and dark."""

_MAX_FONT = 200
_MAX_RADIUS = {"px": 32.0, "rem": 2.0}
_LENGTH = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)(px|rem)")
_FAMILY = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,60}")
_GENERIC = word_set(
    "serif sans-serif monospace cursive fantasy math fangsong system-ui ui-serif ui-sans-serif "
    "ui-monospace ui-rounded"
)
_STRONG = 10.0
"""With this contrast, text mixed with a quarter of its background still has `TEXT_RATIO`, and an
edge of 60 % text colour has 3, the least for shapes (WCAG 2.2, success criterion 1.4.11)."""


def _colour(text: str) -> str:
    if (colour := parse_colour(text)) is None:
        raise ValueError(f'"{text}" is not a colour; write it as #0b6274, or by its name in CSS')
    return colour


def _radius(text: str) -> str:
    if text.strip() == "0":
        return "0"
    length = _LENGTH.fullmatch(text.strip())
    if not length or float(length[1]) > _MAX_RADIUS[length[2]]:
        raise ValueError(f'"{text}" is not a radius; use 0, up to 32px, or up to 2rem')
    return length[0]


def _font(text: str) -> str:
    families = [part.strip().strip("\"'") for part in text.split(",")]
    if len(text) > _MAX_FONT or not all(map(_FAMILY.fullmatch, families)):
        raise ValueError(f'"{text}" is not a list of fonts; write it as Georgia, serif')
    # CSS reads a quoted name as a name only.
    return ", ".join(one if one.lower() in _GENERIC else f'"{one}"' for one in families)


Colour = Annotated[str, AfterValidator(_colour)]


class Palette(Definition):
    """The colours of one scheme, each `#` and six hex digits; None means formapp's default."""

    accent: Colour | None = None
    text: Colour | None = None
    background: Colour | None = None

    def ground_and_ink(self, *, dark: bool) -> tuple[str, str]:
        """Return background and text; a missing one is chosen to be readable with the other."""
        paper, ink = (DARK_PAPER, DARK_INK) if dark else (LIGHT_PAPER, LIGHT_INK)
        ground = self.background or paper
        return ground, self.text or readable_on(ground, ink, LIGHT_INK, DARK_INK)


class Theme(Palette):
    """The `[theme]` table.

    Without the colours of `dark` the accent applies to both schemes, and a text or background
    colour makes the form light or dark in both.
    """

    radius: Annotated[str, AfterValidator(_radius)] | None = None
    font: Annotated[str, AfterValidator(_font)] | None = None
    dark: Palette | None = None

    @property
    def only_scheme(self) -> str | None:
        """`light` or `dark` if the colours fit one scheme only."""
        if self.dark is not None or (self.text is None and self.background is None):
            return None
        if self.background is not None:
            return "dark" if is_dark(self.background) else "light"
        ink = self.text or LIGHT_INK
        return "light" if contrast(ink, LIGHT_PAPER) >= contrast(ink, DARK_PAPER) else "dark"


def unreadable(theme: Theme) -> list[tuple[str, str]]:
    """Return key and problem of each scheme with too little contrast of text and background."""
    schemes: list[tuple[str, Palette, bool]] = [("text", theme, theme.only_scheme == "dark")]
    if theme.dark is not None:
        schemes.append(("dark.text", theme.dark, True))
    found = []
    for key, palette, dark in schemes:
        ground, ink = palette.ground_and_ink(dark=dark)
        if (ratio := contrast(ground, ink)) < TEXT_RATIO:
            problem = f"{ink} can't be read on {ground}: their contrast is {ratio:.2f}"
            advice = f"and {TEXT_RATIO} is the least; make one of them darker or lighter"
            found.append((key, f"{problem}, {advice}"))
    return found


def style_of(theme: Theme) -> str:
    """Return the style sheet of a theme: custom properties, all of them readable (WCAG AA)."""
    only = theme.only_scheme
    light = _properties(theme, dark=only == "dark")
    dark = light
    if only is None:
        own = theme.dark or Palette()
        accent = own.accent or theme.accent
        dark = _properties(own.model_copy(update={"accent": accent}), dark=True)
    rules = {name: _pair(name, light, dark) for name in OWN if name in light | dark}
    if theme.radius is not None:
        rules["--radius"] = theme.radius
    if theme.font is not None:
        rules["--font"] = theme.font
    if only:
        rules["color-scheme"] = only
    sheet = _rule(":root", rules)
    # A background of the form's own fills the frame, so the text needs a distance from its edge.
    if "--frame" in rules:
        sheet += _rule(".embed main", {"padding": "1.25rem"})
    return sheet


def _pair(name: str, light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    one, other = light.get(name, OWN[name][0]), dark.get(name, OWN[name][1])
    return one if one == other else f"light-dark({one}, {other})"


def _rule(selector: str, properties: Mapping[str, str]) -> str:
    return f"{selector} {{ " + "".join(f"{n}: {v}; " for n, v in properties.items()) + "}\n"


def _properties(palette: Palette, *, dark: bool) -> dict[str, str]:
    ground, ink = palette.ground_and_ink(dark=dark)
    found: dict[str, str] = {}
    if palette.text or palette.background:
        strong = contrast(ink, ground) >= _STRONG
        found = dict.fromkeys(("--paper", "--ground", "--well", "--danger-ground"), ground) | {
            "--ink": ink,
            "--soft": _mix(ink, 75, ground) if strong else ink,
            "--edge": _mix(ink, 60, ground) if strong else ink,
            "--line": _mix(ink, 15, ground),
            "--danger": readable_on(ground, OWN["--danger"][is_dark(ground)], ink),
            "--link": ink,
        }
    if palette.background:
        found["--frame"] = ground
    if accent := palette.accent:
        on_accent = readable_on(accent, "#ffffff", "#000000")
        # Under the pointer the accent moves away from the colour of the text on it.
        away = "#000000" if on_accent == "#ffffff" else "#ffffff"
        found |= {
            "--accent": accent,
            "--on-accent": on_accent,
            "--accent-strong": _mix(accent, 75, away),
            "--link": readable_on(ground, accent, ink),
        }
    return found


def _mix(colour: str, percent: int, other: str) -> str:
    return f"color-mix(in srgb, {colour} {percent}%, {other})"
