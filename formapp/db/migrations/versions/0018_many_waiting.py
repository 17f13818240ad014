"""Indexes for many submissions: of what waits, of what was not accepted, of jobs by kind."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Replace three indexes and add two."""
    op.drop_index("ix_deliveries_pending_due_at", "deliveries")
    _add_partial("deliveries", "pending_due", "state = 'pending'", "site", "due_at")
    op.drop_index("ix_deliveries_pending_turn", "deliveries")
    columns = ("site", "form", "id", "created_at")
    _add_partial("deliveries", "pending_turn", "state = 'pending'", *columns)
    unaccepted = "status <> 'accepted' AND erased_at IS NULL"
    _add_partial("submissions", "unaccepted", unaccepted, "keep_days", "received_at")
    _add_partial("submissions", "unknown", "unknown IS NOT NULL", "form")
    op.drop_index("ix_jobs_due_at", "jobs")
    op.create_index("ix_jobs_kind_due_at_id", "jobs", ["kind", "due_at", "id"])


def _add_partial(table: str, name: str, condition: str, *columns: str) -> None:
    where = sa.text(condition)
    op.create_index(
        f"ix_{table}_{name}", table, [*columns], sqlite_where=where, postgresql_where=where
    )
