"""Totals of leads, visits of forms, what became of notifications, and what Wix has defined."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Add the tables."""
    _create_numbers()
    _create_notified()
    _create_definitions()


def _create_numbers() -> None:
    op.create_table(
        "lead_totals",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counted_at", _TIME, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lead_totals"),
    )
    op.create_table(
        "form_visits",
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("shown", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("form", "day", name="pk_form_visits"),
    )


def _create_notified() -> None:
    op.create_table(
        "notified",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=36), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("to", sa.String(length=320)),
        sa.Column("result", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name="fk_notified_submission_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notified"),
        sa.CheckConstraint("result IN ('sent', 'failed', 'withheld')", name="result"),
    )
    op.create_index("ix_notified_submission_id", "notified", ["submission_id"])


def _create_definitions() -> None:
    op.create_table(
        "wix_definitions",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("read_at", _TIME, nullable=False),
        sa.Column("labels", _JSON),
        sa.Column("fields", _JSON),
        sa.Column("fault", sa.Text()),
        sa.PrimaryKeyConstraint("site", name="pk_wix_definitions"),
    )
