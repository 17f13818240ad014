"""Submissions keep what formapp couldn't place, and notes for the owner."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; older submissions have none of it."""
    for name in ("notes", "unknown"):
        op.add_column("submissions", sa.Column(name, sa.JSON(none_as_null=True)))
