"""From a theme to the custom properties of `static/formapp.css`, each of them readable.

What a theme leaves out follows from what it says: hover, edges, soft text and errors are mixed from
the given colours until their contrast is that of WCAG AA.
"""

from collections.abc import Mapping

from formapp.forms.definition.colours import (
    SHAPE_RATIO,
    TEXT_RATIO,
    best_on,
    contrast,
    is_dark,
    mix,
    readable,
)
from formapp.forms.definition.theme import Palette, Theme, ground_and_ink

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
"""What `static/formapp.css` has, light and dark: a scheme keeps it where a theme is silent."""

_EASY = 7.0
"""With more contrast than this, text that matters less may be softer than the rest."""


def style_of(theme: Theme) -> str:
    """Return the style sheet: custom properties alone."""
    only = theme.only_scheme
    light = _properties(theme, dark=only == "dark")
    dark = _properties(_dark(theme), dark=True) if only is None else light
    rules = {name: _pair(name, light, dark) for name in OWN if name in light | dark}
    if theme.radius is not None:
        rules["--radius"] = theme.radius
    if theme.font is not None:
        rules["--font"] = theme.font
    if only:
        rules["color-scheme"] = only
    sheet = _rule(":root", rules)
    # A ground of the form's own fills the frame, and keeps its distance from the edge.
    if "--frame" in rules:
        sheet += _rule(".embed main", {"padding": "1.25rem"})
    return sheet


def _dark(theme: Theme) -> Palette:
    dark = theme.dark or Palette()
    return dark.model_copy(update={"accent": dark.accent or theme.accent})


def _pair(name: str, light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    one, other = light.get(name, OWN[name][0]), dark.get(name, OWN[name][1])
    return one if one == other else f"light-dark({one}, {other})"


def _rule(selector: str, properties: Mapping[str, str]) -> str:
    return f"{selector} {{ " + "".join(f"{n}: {v}; " for n, v in properties.items()) + "}\n"


def _properties(palette: Palette, *, dark: bool) -> dict[str, str]:
    ground, ink = ground_and_ink(palette, dark=dark)
    found: dict[str, str] = {}
    if palette.text or palette.background:
        found = _grounds(ground, ink)
        danger = readable(OWN["--danger"][is_dark(ground)], ground, ink)
        found |= {"--danger": danger, "--danger-ground": ground}
    if palette.background:
        found["--frame"] = ground
    if accent := palette.accent:
        on = best_on(accent, "#ffffff", "#000000")
        found |= {
            "--accent": accent,
            "--on-accent": on,
            "--accent-strong": _stronger(accent, on),
            "--link": readable(accent, ground, ink),
        }
    elif found:
        found["--link"] = ink
    return found


def _grounds(ground: str, ink: str) -> dict[str, str]:
    soft = mix(ink, ground, 0.25) if contrast(ink, ground) > _EASY else ink
    return {
        "--ink": ink,
        "--paper": ground,
        "--ground": ground,
        "--well": ground,
        "--soft": readable(soft, ground, ink, TEXT_RATIO),
        "--edge": readable(mix(ground, ink, 0.4), ground, ink, SHAPE_RATIO),
        "--line": mix(ground, ink, 0.15),
    }


def _stronger(accent: str, on: str) -> str:
    """Return the accent under the pointer: further away from what stands on it."""
    return mix(accent, "#000000" if on == "#ffffff" else "#ffffff", 0.25)
