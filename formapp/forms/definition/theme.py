"""A form's look: colours, radius and font, as the form file or the page around says.

Whatever isn't on the list below can't be said, so that nothing else ever gets into a style sheet.
"""

import re
from typing import Annotated

from pydantic import AfterValidator

from formapp.forms.definition.colours import TEXT_RATIO, best_on, contrast, is_dark, parse_colour
from formapp.forms.definition.targets import Definition

LIGHT_PAPER, LIGHT_INK = "#ffffff", "#1c2125"
DARK_PAPER, DARK_INK = "#1b1f22", "#e8ebed"
"""The paper and the ink of `static/formapp.css`, where a theme says nothing."""

COLOURS = ("accent", "text", "background")
MAX_FONT = 200
_MAX_RADIUS = {"px": 32.0, "rem": 2.0}
_LENGTH = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)(px|rem)")
_FAMILY = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,60}")
_GENERIC = frozenset(
    (  # noqa: SIM905 - a list would take a line for each
        "serif sans-serif monospace cursive fantasy math fangsong system-ui ui-serif ui-sans-serif "
        "ui-monospace ui-rounded"
    ).split(" ")
)


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
    if len(text) > MAX_FONT or not all(map(_FAMILY.fullmatch, families)):
        raise ValueError(f'"{text}" is not a list of fonts; write it as Georgia, serif')
    # In quotes a name is nothing but a name.
    return ", ".join(one if one.lower() in _GENERIC else f'"{one}"' for one in families)


Colour = Annotated[str, AfterValidator(_colour)]
Radius = Annotated[str, AfterValidator(_radius)]
Font = Annotated[str, AfterValidator(_font)]


class Palette(Definition):
    """The colours of one scheme, each `#` and six hex digits; None leaves formapp's own."""

    accent: Colour | None = None
    text: Colour | None = None
    background: Colour | None = None


class Theme(Palette):
    """The `[theme]` table.

    Attributes:
        dark: the colours where dark is wanted. Without it the accent holds there too; text and
            background make the form light or dark for everybody.
    """

    radius: Radius | None = None
    font: Font | None = None
    dark: Palette | None = None

    @property
    def only_scheme(self) -> str | None:
        """`light` or `dark`, where the colours are those of one scheme alone."""
        if self.dark is not None or (self.text is None and self.background is None):
            return None
        if self.background is not None:
            return "dark" if is_dark(self.background) else "light"
        ink = self.text or LIGHT_INK
        return "light" if contrast(ink, LIGHT_PAPER) >= contrast(ink, DARK_PAPER) else "dark"


def ground_and_ink(palette: Palette, *, dark: bool) -> tuple[str, str]:
    """Return background and text of a palette; what it leaves out is chosen to fit the rest."""
    paper, ink = (DARK_PAPER, DARK_INK) if dark else (LIGHT_PAPER, LIGHT_INK)
    ground = palette.background or paper
    return ground, palette.text or best_on(ground, ink, LIGHT_INK, DARK_INK)


def unreadable(theme: Theme) -> list[tuple[str, str]]:
    """Return key and problem of each scheme whose text can't be read on its background."""
    schemes: list[tuple[str, Palette, bool]] = [("text", theme, theme.only_scheme == "dark")]
    if theme.dark is not None:
        schemes.append(("dark.text", theme.dark, True))
    return [
        (key, problem)
        for key, palette, dark in schemes
        if (problem := _problem(*ground_and_ink(palette, dark=dark)))
    ]


def _problem(ground: str, ink: str) -> str:
    if (ratio := contrast(ground, ink)) >= TEXT_RATIO:
        return ""
    return (
        f"{ink} can't be read on {ground}: their contrast is {ratio:.2f}, and {TEXT_RATIO} is the "
        "least; make one of them darker or lighter"
    )
