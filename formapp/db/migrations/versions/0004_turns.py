"""Forms take turns, so that a flood through one of them doesn't hold up the others."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    """Store the form with each delivery, and when each form had its last turn."""
    op.add_column("deliveries", sa.Column("form", sa.String(length=64)))
    op.execute(
        "UPDATE deliveries SET form = "
        "(SELECT form FROM submissions WHERE submissions.id = deliveries.submission_id)",
    )
    pending: dict[str, Any] = {"sqlite_where": _PENDING, "postgresql_where": _PENDING}
    op.create_index("ix_deliveries_pending_form", "deliveries", ["form", "id"], **pending)
    op.create_table(
        "turns",
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("form", name="pk_turns"),
    )
