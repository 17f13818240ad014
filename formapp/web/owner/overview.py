"""The overview: how many leads, how they ended, how quickly, what pauses now, and CRM books."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar

from flask import Response

from formapp.leads.statistics import overview
from formapp.leads.totals import DAYS
from formapp.monitoring.crm_books import read_books
from formapp.web.owner.charts import FUNNEL_LINE, HEIGHT, WIDTH, funnel, stacked
from formapp.web.owner.inbox import blueprint, inbox_settings, may_see_form, now, page
from formapp.web.owner.sign_in import current_user
from formapp.web.services import services

REFRESH_SECONDS = 30
Value = TypeVar("Value")


@blueprint.get("/overview", endpoint="overview")
def show_overview() -> Response:
    # What this process has counted is part of it.
    services().visits.store()
    settings, sites = inbox_settings(), current_user().sites
    found = overview(services().database, sites, now(), settings.rate_limits)
    with services().database.read() as connection:
        books = read_books(connection, now())
    if sites is not None:
        books = [each for each in books if settings.book_sites.get(each.book) in sites]
    return page(
        "overview.html",
        connects=True,
        found=found,
        refused=sorted(_visible(found.refused).items(), key=lambda pair: -pair[1]),
        conversions=sorted(_visible(found.conversions).items(), key=lambda pair: -pair[1].sent),
        books=books,
        chart=stacked(found.days),
        funnel=funnel,
        width=WIDTH,
        height=HEIGHT,
        funnel_line=FUNNEL_LINE,
        days=DAYS,
        seconds=REFRESH_SECONDS,
        format_duration=format_duration,
    )


def _visible(by_form: Mapping[str, Value]) -> dict[str, Value]:
    return {form: value for form, value in by_form.items() if may_see_form(form)}


def format_duration(duration: timedelta | None) -> str:
    """Return a duration in a few characters: `0.8 s`, `12 s`, `3 min`, `2 h`, `4 d`."""
    if duration is None:
        return "—"
    seconds = duration.total_seconds()
    if seconds < 10:  # noqa: PLR2004 - a second has a decimal where it matters
        return f"{max(seconds, 0):.1f} s"
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
