"""Charts as SVG, drawn on the server: their colours are of the style sheet, light and dark."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 720, 200
_TOP, _BOTTOM, _LEFT = 10, 24, 34
FUNNEL_LINE = 14
KINDS = 6
"""How many kinds have a colour of their own; the rest share the last one."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars of days; `lines` are (height on the chart, number), `ticks` (place, text).

    `shapes` are all bars of one colour, as the data of an SVG path: (number of the colour, data).
    """

    shapes: Sequence[tuple[int, str]]
    lines: Sequence[tuple[float, int]]
    ticks: Sequence[tuple[float, str]]
    kinds: Sequence[str]


def stacked(days: Mapping[date, Mapping[str, int]]) -> Chart:
    """Return the chart of how many there were of each kind on each day."""
    totals = Counter[str]()
    for counts in days.values():
        totals.update(counts)
    kinds = sorted(totals, key=lambda kind: (-totals[kind], kind))
    highest = _round_up(max((sum(counts.values()) for counts in days.values()), default=0))
    step, unit = (WIDTH - _LEFT) / max(len(days), 1), (HEIGHT - _TOP - _BOTTOM) / highest
    width = f"{step - 2:.1f}"
    shapes: dict[int, list[str]] = {}
    ticks = []
    for index, (day, counts) in enumerate(days.items()):
        x, y = _LEFT + index * step, float(HEIGHT - _BOTTOM)
        for number, kind in enumerate(kinds):
            if count := counts.get(kind, 0):
                y -= count * unit
                bar = f"M{x + 1:.1f} {y:.1f}h{width}v{count * unit:.1f}h-{width}z"
                shapes.setdefault(min(number, KINDS - 1), []).append(bar)
        if index % 7 == len(days) % 7:
            ticks.append((x, f"{day.day} {day:%b}"))
    lines = [(HEIGHT - _BOTTOM - number * unit, number) for number in (0, highest // 2, highest)]
    drawn = [(kind, "".join(bars)) for kind, bars in sorted(shapes.items())]
    return Chart(drawn, lines, ticks, kinds)


def funnel(steps: Sequence[int]) -> list[tuple[float, float]]:
    """Return a bar for each step, as (height on the chart, width); the longest fills the width."""
    longest = max(*steps, 1)
    return [(index * FUNNEL_LINE, WIDTH * count / longest) for index, count in enumerate(steps)]


def _round_up(number: int) -> int:
    """Return the next even number that people read at once, such as 2, 4, 10, 20 or 40."""
    bound = 1
    while True:
        for factor in (2, 4, 10):
            if number <= bound * factor:
                return bound * factor
        bound *= 10
