"""Places: the sites and forms that have submissions, and queries that are run at each of them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CTE, Select, Table, func, select, true

from formapp.db.database import Database
from formapp.db.tables import submissions


def _places() -> CTE:
    """Select each site with its forms, jumping from one to the next in their index.

    Each site also has a row whose form is NULL.
    """
    site, form = submissions.c.site, submissions.c.form
    # Ordered as their index is, so that no other will do: it would skip the forms of other sites.
    order = (form, submissions.c.status, submissions.c.id.nulls_first())
    first_form = select(form).order_by(*order).limit(1)
    sites = select(func.min(site).label("site")).cte("sites", recursive=True)
    next_site = select(func.min(site)).where(site > sites.c.site).scalar_subquery()
    sites = sites.union_all(select(next_site).where(sites.c.site.is_not(None)))
    form_of = first_form.where(site == sites.c.site).scalar_subquery()
    places = select(sites.c.site, form_of.label("form")).cte("places", recursive=True)
    next_form = first_form.where(site == places.c.site, form > places.c.form).scalar_subquery()
    return places.union_all(select(places.c.site, next_form).where(places.c.form.is_not(None)))


_PLACES = _places()


def list_sources(database: Database, sites: tuple[str, ...] | None = None) -> list[tuple[str, str]]:
    """Return each site with each form that has a submission to it."""
    query = select(_PLACES).where(_PLACES.c.form.is_not(None)).order_by(*_PLACES.c)
    with database.read() as connection:
        rows = connection.execute(query)
        return [(row.site, row.form) for row in rows if sites is None or row.site in sites]


def at_each_place(
    newest: Select[Any],
    table: Table,
    dialect: str,
    forms: Sequence[str],
    sites: Sequence[str] | None,
) -> Select[Any]:
    """Run a query of `id` in a table once for each form of each site, so that an index serves it.

    Of these forms (empty: all) and sites (None: all).
    """
    places = _PLACES.c
    here = (table.c.site == places.site, table.c.form == places.form)
    one = newest.where(*here).correlate(_PLACES)
    found: Any
    if dialect == "sqlite":
        # It has no LATERAL, but a table made of JSON may depend on the row before it.
        ids = select(func.json_group_array(one.subquery().c.id)).scalar_subquery()
        found = func.json_each(ids).table_valued("value")
    else:
        found = one.lateral()
    query = select(found.c[0].label("id")).select_from(_PLACES.join(found, true()))
    query = query.where(places.form.is_not(None))
    if forms:
        query = query.where(places.form.in_(forms))
    if sites is not None:
        query = query.where(places.site.in_(sites))
    return query
