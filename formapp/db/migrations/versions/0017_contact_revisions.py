"""The revision of a cached contact: what Wix's search shows may be older."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column."""
    op.add_column("contacts", sa.Column("revision", sa.BigInteger))
