"""Indexes of lists put site, form and state before the id: none skips what it isn't to show."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Replace four indexes.

    PostgreSQL locks both tables first: a worker locks them in the other order, and would else have
    the upgrade given up as a deadlock when most of it is done.
    """
    if op.get_bind().dialect.name == "postgresql":
        op.execute("LOCK TABLE submissions, deliveries IN ACCESS EXCLUSIVE MODE")
    op.drop_index("ix_submissions_site_form_id_status", "submissions")
    _add("submissions", "site_form_status_id", "site", "form", "status", "id")
    for table, name, condition, *columns in (
        ("submissions", "held", "status <> 'accepted'", "status", "id"),
        (
            *("deliveries", "undelivered", "state <> 'delivered'"),
            *("state", "site", "form", "submission_id"),
        ),
        (
            *("deliveries", "outcome", "outcome IS NOT NULL"),
            *("outcome", "site", "form", "submission_id"),
        ),
    ):
        op.drop_index(f"ix_{table}_{name}", table)
        where = sa.text(condition)
        _add(table, name, *columns, sqlite_where=where, postgresql_where=where)


def _add(table: str, name: str, *columns: str, **where: Any) -> None:
    # An id is never NULL, but PostgreSQL can't take the unique index of ids instead.
    order = {columns[-1]: "NULLS FIRST"}
    op.create_index(f"ix_{table}_{name}", table, [*columns], postgresql_ops=order, **where)
