"""Colours: reading them, and whether one can be read on another.

A colour is `#` and six hex digits. Contrast is that of WCAG 2.2 (relative luminance), from 1 to 21.
"""

import re

from formapp.forms.definition.colour_names import COLOUR_NAMES

TEXT_RATIO = 4.5
"""The least contrast of text (WCAG 2.2, success criterion 1.4.3)."""

SHAPE_RATIO = 3.0
"""The least contrast of a control's edge (success criterion 1.4.11)."""

_HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_STEPS = 20


def parse_colour(text: str) -> str | None:
    """Return the colour that a hex notation or a CSS name stands for; None for anything else."""
    given = text.strip().lower()
    if given in COLOUR_NAMES:
        return f"#{COLOUR_NAMES[given]}"
    if not _HEX.fullmatch(given):
        return None
    digits = given[1:]
    return "#" + (digits if len(digits) == 6 else "".join(2 * digit for digit in digits))  # noqa: PLR2004 - two digits for each of three


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mix(colour: str, other: str, share: float) -> str:
    """Return `colour` with a share (0 to 1) of another one."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable(colour: str, on: str, towards: str, ratio: float = TEXT_RATIO) -> str:
    """Return the colour, with as much of `towards` as it needs to have this contrast on `on`.

    Where not even `towards` has it, that is what is returned.
    """
    for step in range(_STEPS):
        mixed = mix(colour, towards, step / _STEPS)
        if contrast(mixed, on) >= ratio:
            return mixed
    return towards


def best_on(ground: str, *candidates: str) -> str:
    """Return the first candidate that can be read on a ground, else black or white, which can."""
    for colour in candidates:
        if contrast(colour, ground) >= TEXT_RATIO:
            return colour
    return max(("#000000", "#ffffff"), key=lambda colour: contrast(colour, ground))


def is_dark(colour: str) -> bool:
    """Say whether white reads better on this colour than black does."""
    return contrast("#ffffff", colour) > contrast("#000000", colour)


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def _luminance(colour: str) -> float:
    parts = [channel / 255 for channel in _channels(colour)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - the definition of sRGB
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
