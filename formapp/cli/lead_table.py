"""Lists of leads as people read them: a table that fits the terminal."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any

import click

from formapp.cli.output import Screen, Span, cells, fit
from formapp.leads.summary import LeadSummary, format_age
from formapp.printable import printable

_GAP = "  "
_COLORS = {
    "pending": "yellow",
    "delivered": "green",
    "failed": "red",
    "quarantined": "magenta",
    "unconfirmed": "cyan",
    "spam": "bright_black",
}
_SAMPLE = 500
"""So many rows decide how wide the columns are; the others follow, in constant memory."""


@dataclass(frozen=True, slots=True)
class _Column:
    """`least` and `most` columns wide; those without are never cut."""

    title: str
    least: int | None = None
    most: int | None = None


_AGE, _NAME, _EMAIL = _Column("AGE"), _Column("NAME", 10, 28), _Column("E-MAIL", 12, 36)
_SITE, _FORM = _Column("SITE", 6, 20), _Column("FORM", 8, 24)
_STATE, _ID = _Column("STATE"), _Column("ID")
_LEFT_OUT_FIRST = (_SITE, _EMAIL, _FORM)
"""What a narrow terminal leaves out, in this order."""


def echo_leads(leads: Iterable[LeadSummary], now: datetime, out: Screen) -> None:
    """Print the table, with a heading; erased ones say so in place of a name."""
    rows = iter(leads)
    sample = list(islice(rows, _SAMPLE))
    several = len({lead.site for lead in sample}) > 1
    columns = [_AGE, _NAME, _EMAIL, *([_SITE] if several else []), _FORM, _STATE, _ID]
    widths = _widths(columns, [_texts(lead, now) for lead in sample], out.width)
    shown = list(widths)
    _echo_row(out, [(column.title, "bright_black") for column in shown], widths)
    for lead in chain(sample, rows):
        texts = _texts(lead, now)
        if _EMAIL in shown and texts[_NAME].casefold() == texts[_EMAIL].casefold():
            # A lead without a name is called by its address.
            texts[_NAME] = ""
        spans = [
            (texts[column], _COLORS.get(lead.state) if column is _STATE else None)
            for column in shown
        ]
        _echo_row(out, spans, widths)


def _texts(lead: LeadSummary, now: datetime) -> dict[_Column, str]:
    texts = {
        _AGE: format_age(lead.received_at, now),
        _NAME: "(erased)" if lead.erased else lead.name,
        _EMAIL: lead.email or lead.phone or "",
        _SITE: lead.site,
        _FORM: lead.form,
        _STATE: lead.state,
        _ID: lead.short_id,
    }
    return {column: printable(text) for column, text in texts.items()}


def _widths(
    columns: Sequence[_Column], rows: Sequence[dict[_Column, str]], width: int | None
) -> dict[_Column, int]:
    """Return each column's width; without a terminal, as wide as the widest text."""
    wanted = {
        column: max([cells(column.title), *(cells(row[column]) for row in rows)])
        for column in columns
    }
    if width is None:
        return wanted
    wanted = {column: min(each, column.most or each) for column, each in wanted.items()}
    for column in _LEFT_OUT_FIRST:
        if _total({each: min(wide, each.least or wide) for each, wide in wanted.items()}) > width:
            wanted.pop(column, None)
    while _total(wanted) > width:
        spare = {each: wide - each.least for each, wide in wanted.items() if each.least}
        widest = max(spare, key=lambda each: spare[each], default=None)
        if widest is None or spare[widest] <= 0:
            break
        wanted[widest] -= 1
    return wanted


def _total(widths: dict[_Column, int]) -> int:
    return sum(widths.values()) + len(_GAP) * (len(widths) - 1)


def _echo_row(out: Screen, spans: Sequence[Span], widths: dict[_Column, int]) -> None:
    *rest, last = spans
    parts = [
        (fit(text, width) + _GAP, color)
        for (text, color), width in zip(rest, widths.values(), strict=False)
    ]
    out.echo(*parts, last)


_AGO = re.compile(r"(\d{1,6}) ?(min|h|d|w)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Since(click.ParamType[datetime]):
    """A time by how long ago it was (`90min`, `12h`, `7d`, `2w`), or a date, with time or not."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return an aware time; one without a zone is this machine's."""
        if isinstance(value, datetime):
            return value
        try:
            if ago := _AGO.fullmatch(value.strip()):
                return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
            return datetime.fromisoformat(value.strip()).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f'"{value}" is no time; write 12h, 7d or 2026-11-30', param, ctx)
