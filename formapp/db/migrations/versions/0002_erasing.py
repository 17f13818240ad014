"""What erasing needs: when answers go and when they went, and who asked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add two columns, their indexes and the table of erasures."""
    op.add_column("submissions", sa.Column("keep_days", sa.Integer()))
    op.add_column("submissions", sa.Column("erased_at", _TIME))
    _index("ix_submissions_kept", "submissions", ["keep_days", "received_at"], "erased_at IS NULL")
    _index("ix_deliveries_email", "deliveries", ["email"], "email IS NOT NULL")
    _index("ix_deliveries_phone", "deliveries", ["phone"], "phone IS NOT NULL")
    op.create_table(
        "erasures",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("erased_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_erasures"),
    )


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
