"""An index of what is in quarantine: seldom much of all that is kept, and counted often."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_HELD = sa.text("status = 'quarantined'")


def upgrade() -> None:
    """Add the index."""
    held: dict[str, Any] = {"sqlite_where": _HELD, "postgresql_where": _HELD}
    op.create_index("ix_submissions_quarantined", "submissions", ["form", "received_at"], **held)
