"""How many leads wait, have failed and are in quarantine: totals that the database keeps.

Triggers bring them up to date (migration 0019): to read them takes as long for a thousand leads as
for ten million. The states are `pending`, `failed` and `quarantined`; of the latter, erased leads
aren't counted.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, func, select

from formapp.db.tables import state_counts

_number = func.sum(state_counts.c.number)


def count_by_site(connection: Connection, state: str) -> dict[str, int]:
    """Return how many are in a state, by site; sites without one are left out."""
    return _count_by(connection, state_counts.c.site, state)


def count_by_form(connection: Connection, state: str) -> dict[str, int]:
    """Return how many are in a state, by form; forms without one are left out."""
    return _count_by(connection, state_counts.c.form, state)


def list_places(connection: Connection, state: str) -> list[tuple[str, str]]:
    """Return each site and form with at least one in a state; the form may be empty."""
    site, form = state_counts.c.site, state_counts.c.form
    query = select(site, form).where(state_counts.c.state == state).group_by(site, form)
    rows = connection.execute(query.having(_number > 0).order_by(site, form))
    return [(row.site, row.form) for row in rows]


def count_states(
    connection: Connection,
    states: Collection[str],
    forms: Sequence[str] = (),
    sites: Sequence[str] | None = None,
) -> int:
    """Return how many are in these states, of some forms (empty: all) and sites (None: all)."""
    query = select(_number).where(state_counts.c.state.in_(states))
    if forms:
        query = query.where(state_counts.c.form.in_(forms))
    if sites is not None:
        query = query.where(state_counts.c.site.in_(sites))
    return int(connection.execute(query).scalar() or 0)


def _count_by(connection: Connection, by: ColumnElement[str], state: str) -> dict[str, int]:
    query = select(by, _number).where(state_counts.c.state == state).group_by(by)
    return {row[0]: int(row[1]) for row in connection.execute(query.having(_number != 0))}
