"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# A migration keeps its own copy of the types: it describes the schema of its day.
_TIME = sa.DateTime(timezone=True)
_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON(none_as_null=True)
_WHERE = sa.text("state = 'pending'")
_PENDING: dict[str, Any] = {"sqlite_where": _WHERE, "postgresql_where": _WHERE}


def upgrade() -> None:
    """Make all tables."""
    _create_submissions()
    _create_deliveries()
    _create_attempts()
    _create_memory()
    _create_lanes()


def _create_submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("form_version", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("answers", _JSON, nullable=False),
        sa.Column("consents", _JSON, nullable=False),
        sa.Column("meta", _JSON, nullable=False),
        sa.Column("lead", _JSON, nullable=False),
        sa.Column("address", sa.String(length=45)),
        sa.Column("key", sa.String(length=200)),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "status IN ('accepted', 'quarantined', 'unconfirmed', 'spam')",
            name=op.f("ck_submissions_status"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sa.UniqueConstraint("form", "key", name="uq_submissions_form_key"),
    )
    op.create_index("ix_submissions_received_at", "submissions", ["received_at"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("submission_id", sa.String(length=36), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320)),
        sa.Column("phone", sa.String(length=50)),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", _TIME),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("intent", _JSON),
        sa.Column("outcome", sa.String(length=16)),
        sa.Column("contact_id", sa.String(length=36)),
        sa.Column("flags", _JSON),
        sa.Column("reason", sa.Text()),
        sa.Column("finished_at", _TIME),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'failed')", name=op.f("ck_deliveries_state")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name="fk_deliveries_submission_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("submission_id", name="uq_deliveries_submission_id"),
    )
    op.create_index("ix_deliveries_pending_due_at", "deliveries", ["due_at"], **_PENDING)
    op.create_index("ix_deliveries_pending_email", "deliveries", ["site", "email"], **_PENDING)
    op.create_index("ix_deliveries_pending_phone", "deliveries", ["site", "phone"], **_PENDING)


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("operation", sa.String(length=40)),
        sa.Column("status", sa.Integer()),
        sa.Column("code", sa.String(length=80)),
        sa.Column("request_id", sa.String(length=80)),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("calls", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name="fk_attempts_delivery_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_delivery_id", "attempts", ["delivery_id"])


def _create_memory() -> None:
    op.create_table(
        "contacts",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("identity", sa.String(length=320), nullable=False),
        sa.Column("contact_id", sa.String(length=36), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("site", "identity", name="pk_contacts"),
    )
    op.create_table(
        "wix_keys",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=180), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("data_type", sa.String(length=8)),
        sa.CheckConstraint("kind IN ('label', 'field')", name=op.f("ck_wix_keys_kind")),
        sa.PrimaryKeyConstraint("site", "kind", "name", name="pk_wix_keys"),
    )


def _create_lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("paused_until", _TIME),
        sa.Column("reason", sa.Text()),
        sa.Column("strikes", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("site", name="pk_lanes"),
    )
    op.create_table(
        "wix_calls",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_wix_calls"),
    )
    op.create_index("ix_wix_calls_site_at", "wix_calls", ["site", "at"])
