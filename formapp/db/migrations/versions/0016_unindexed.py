"""Search terms are indexed after the visitor's commit; one index of persons instead of two."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the list of what is to be indexed, and change the indexes of deliveries."""
    op.create_table(
        "unindexed",
        sa.Column("submission_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name="fk_unindexed_submission_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("submission_id", name="pk_unindexed"),
        sqlite_with_rowid=False,
    )
    # Ids are in the order of receipt, too.
    op.drop_index("ix_submissions_received_at", "submissions")
    for identity in ("email", "phone"):
        op.drop_index(f"ix_deliveries_pending_{identity}", "deliveries")
        op.drop_index(f"ix_deliveries_{identity}", "deliveries")
        where = sa.text(f"{identity} IS NOT NULL")
        op.create_index(
            f"ix_deliveries_{identity}",
            "deliveries",
            [identity, "site", "state"],
            sqlite_where=where,
            postgresql_where=where,
        )
