"""Incidents that were reported to the owner, so that each is reported once."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_FAILED = sa.text("state = 'failed'")


def upgrade() -> None:
    """Add the table of open incidents, and an index that finds failed deliveries at once."""
    op.create_table(
        "incidents",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "site", name="pk_incidents"),
    )
    failed: dict[str, Any] = {"sqlite_where": _FAILED, "postgresql_where": _FAILED}
    op.create_index("ix_deliveries_failed_site", "deliveries", ["site"], **failed)
