"""The overview: how many leads, how they ended, how quickly, and what pauses now."""

from datetime import timedelta

from flask import Response

from formapp.leads.statistics import DAYS, overview
from formapp.web.owner.charts import HEIGHT, WIDTH, stacked
from formapp.web.owner.inbox import blueprint, may_see_form, now, page
from formapp.web.owner.session import current_user
from formapp.web.services import services

REFRESH_SECONDS = 30


@blueprint.get("/overview", endpoint="overview")
def show_overview() -> Response:
    """Show the numbers of the sites that the user may see."""
    found = overview(services().database, current_user().sites, now())
    for name in [name for name in found.refused if not may_see_form(name)]:
        del found.refused[name]
    return page(
        "overview.html",
        connects=True,
        found=found,
        chart=stacked(found.days),
        width=WIDTH,
        height=HEIGHT,
        days=DAYS,
        seconds=REFRESH_SECONDS,
        format_duration=format_duration,
    )


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
