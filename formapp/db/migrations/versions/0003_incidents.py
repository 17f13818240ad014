"""Incidents that were reported to the owner, so that each is reported once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of open incidents, and an index that finds failed deliveries at once."""
    op.create_table(
        "incidents",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "site", name="pk_incidents"),
    )

    failed = sa.text("state = 'failed'")
    op.create_index(
        "ix_deliveries_failed_site",
        "deliveries",
        ["site"],
        sqlite_where=failed,
        postgresql_where=failed,
    )
