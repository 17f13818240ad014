"""Forms take turns at each site: its worker reads no delivery to another one."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    """Put the site in front of the index of pending deliveries."""
    pending: dict[str, Any] = {"sqlite_where": _PENDING, "postgresql_where": _PENDING}
    op.drop_index("ix_deliveries_pending_form", "deliveries")
    columns = ["site", "form", "id"]
    op.create_index("ix_deliveries_pending_turn", "deliveries", columns, **pending)
