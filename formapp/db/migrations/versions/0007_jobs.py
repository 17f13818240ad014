"""The queue takes jobs without a submission; lanes become pauses, strikes failures."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_COLUMNS = "submission_id, kind, content, created_at, due_at, attempts"


def upgrade() -> None:
    """Move the rows to tables of the new names."""
    op.create_table(
        "jobs",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=36)),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=200)),
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name="fk_jobs_submission_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("kind", "key", name="uq_jobs_kind_key"),
    )
    op.create_index("ix_jobs_due_at", "jobs", ["due_at"])
    op.create_index("ix_jobs_submission_id", "jobs", ["submission_id"])
    op.execute(f"INSERT INTO jobs ({_COLUMNS}) SELECT {_COLUMNS} FROM errands ORDER BY id")  # noqa: S608 - our own names
    op.drop_table("errands")
    op.create_table(
        "pauses",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("paused_until", _TIME),
        sa.Column("reason", sa.Text()),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_pauses"),
    )
    op.execute(
        "INSERT INTO pauses (site, paused_until, reason, failures) "
        "SELECT site, paused_until, reason, strikes FROM lanes"
    )
    op.drop_table("lanes")
