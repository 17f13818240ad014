"""The queue takes jobs without a submission; lanes become pauses, strikes failures."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

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
        *_more_columns(),
        _submission("jobs"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("kind", "key", name="uq_jobs_kind_key"),
    )
    op.create_index("ix_jobs_due_at", "jobs", ["due_at"])
    op.create_index("ix_jobs_submission_id", "jobs", ["submission_id"])
    op.execute(f"INSERT INTO jobs ({_COLUMNS}) SELECT {_COLUMNS} FROM errands ORDER BY id")  # noqa: S608 - our own names
    op.drop_table("errands")
    _create_pauses("pauses", "failures")
    op.execute(
        "INSERT INTO pauses (site, paused_until, reason, failures) "
        "SELECT site, paused_until, reason, strikes FROM lanes"
    )
    op.drop_table("lanes")


def downgrade() -> None:
    """Move them back; jobs that the older queue can't hold are dropped."""
    _create_pauses("lanes", "strikes")
    op.execute(
        "INSERT INTO lanes (site, paused_until, reason, strikes) "
        "SELECT site, paused_until, reason, failures FROM pauses"
    )
    op.drop_table("pauses")
    op.create_table(
        "errands",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        *_more_columns(),
        _submission("errands"),
        sa.PrimaryKeyConstraint("id", name="pk_errands"),
        sa.UniqueConstraint("submission_id", "kind", name="uq_errands_submission_id_kind"),
    )
    op.create_index("ix_errands_due_at", "errands", ["due_at"])
    first = (
        "SELECT min(id) FROM jobs WHERE submission_id IS NOT NULL AND length(kind) <= 16 "
        "GROUP BY submission_id, kind"
    )
    op.execute(
        f"INSERT INTO errands ({_COLUMNS}) "  # noqa: S608 - our own names
        f"SELECT {_COLUMNS} FROM jobs WHERE id IN ({first}) ORDER BY id"
    )
    op.drop_table("jobs")


def _more_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("content", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
    ]


def _submission(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["submission_id"],
        ["submissions.id"],
        name=f"fk_{table}_submission_id",
        ondelete="CASCADE",
    )


def _create_pauses(table: str, counter: str) -> None:
    op.create_table(
        table,
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("paused_until", _TIME),
        sa.Column("reason", sa.Text()),
        sa.Column(counter, sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("site", name=f"pk_{table}"),
    )
