"""Books, links, cursors, conflicts and events of the synchronization with another system."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    """Add the tables."""
    _create_books()
    _create_events()
    _create_links()
    _create_conflicts()


def _create_books() -> None:
    op.create_table(
        "crm_books",
        sa.Column("book", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("record", sa.String(length=3)),
        sa.Column("planned_at", _TIME),
        sa.Column("last_pass_at", _TIME),
        sa.Column("due_at", _TIME),
        sa.Column("sweep_at", _TIME),
        sa.Column("run_at", _TIME),
        sa.Column("blocked_until", _TIME),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", _TIME),
        sa.CheckConstraint(
            "state IN ('new', 'loading', 'running')", name=op.f("ck_crm_books_state")
        ),
        sa.PrimaryKeyConstraint("book", name="pk_crm_books"),
    )
    op.create_table(
        "crm_cursors",
        sa.Column("book", sa.String(length=64), nullable=False),
        sa.Column("side", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("position", sa.Text()),
        sa.Column("started_at", _TIME),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("book", "side", "kind", name="pk_crm_cursors"),
    )


def _create_events() -> None:
    op.create_table(
        "crm_events",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("source", sa.String(length=70), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("entity", sa.String(length=500), nullable=False),
        sa.Column("target", sa.String(length=500)),
        sa.Column("revision", sa.String(length=200)),
        sa.Column("sequence", sa.String(length=40)),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("content", _JSON),
        sa.CheckConstraint(
            "kind IN ('created', 'updated', 'deleted', 'merged', 'erased')",
            name=op.f("ck_crm_events_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_crm_events"),
        sa.UniqueConstraint("source", "event_id", name="uq_crm_events_source_event_id"),
    )
    op.create_index("ix_crm_events_received_at", "crm_events", ["received_at"])
    op.create_index("ix_crm_events_source_entity", "crm_events", ["source", "entity"])


def _create_links() -> None:
    op.create_table(
        "crm_links",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("book", sa.String(length=64), nullable=False),
        sa.Column("wix_id", sa.String(length=36)),
        sa.Column("crm_id", sa.String(length=500)),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("wix_revision", sa.String(length=200)),
        sa.Column("crm_revision", sa.String(length=200)),
        sa.Column("wix_base", _JSON),
        sa.Column("crm_base", _JSON),
        sa.Column("linked_at", _TIME),
        sa.Column("gone_at", _TIME),
        sa.Column("gone_allowed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("due_at", _TIME),
        sa.Column("hints", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", _TIME),
        sa.Column("intent", _JSON),
        sa.CheckConstraint(
            "state IN ('new', 'linked', 'held', 'wix_gone', 'crm_gone', 'merged_into', 'erasing', "
            "'erased', 'unlinked')",
            name=op.f("ck_crm_links_state"),
        ),
        sa.PrimaryKeyConstraint("id", name="pk_crm_links"),
        sa.UniqueConstraint("book", "crm_id", name="uq_crm_links_book_crm_id"),
        sa.UniqueConstraint("book", "wix_id", name="uq_crm_links_book_wix_id"),
    )
    for name in ("due", "gone"):
        is_set = sa.text(f"{name}_at IS NOT NULL")
        op.create_index(
            f"ix_crm_links_{name}",
            "crm_links",
            ["book", f"{name}_at"],
            sqlite_where=is_set,
            postgresql_where=is_set,
        )


def _create_conflicts() -> None:
    op.create_table(
        "crm_tombstones",
        sa.Column("book", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("book", "digest", name="pk_crm_tombstones"),
    )
    op.create_table(
        "crm_conflicts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("link_id", _ID, nullable=False),
        sa.Column("field", sa.String(length=200), nullable=False),
        sa.Column("side", sa.String(length=3), nullable=False),
        sa.Column("value", _JSON),
        sa.Column("kept", _JSON),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.Column("chosen", sa.String(length=3)),
        sa.Column("persons", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["link_id"], ["crm_links.id"], name="fk_crm_conflicts_link_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_crm_conflicts"),
    )
    op.create_index("ix_crm_conflicts_at", "crm_conflicts", ["at"])
    op.create_index("ix_crm_conflicts_link_id", "crm_conflicts", ["link_id"])
