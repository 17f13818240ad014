"""The tables. The row is the record and the queue.

One schema serves SQLite and PostgreSQL; the migrations beside this module build it. Ids of
submissions are UUIDv7 as text; deliveries count up, so that their order is the order in which leads
came.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    or_,
    text,
)

REVISION = "0008"
"""The newest migration; a test holds it to the folder's head."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; naive ones are refused. SQLite stores sortable text, no offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite's driver takes times only without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Restore the offset."""
        if value is None or dialect.name == "sqlite":
            return value and value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


def is_over(column: Any, now: datetime, longest: timedelta) -> ColumnElement[bool]:
    """Whether a stored time has passed.

    One further ahead than `longest`, which no writer exceeds, was stored by a clock that was ahead:
    it counts as passed, too.
    """
    return or_(column <= now, column > now + longest)


_Id = BigInteger().with_variant(Integer, "sqlite")
_Json = JSON(none_as_null=True)


def _partial_index(table: Table, name: str, condition: str, *columns: str) -> None:
    where = text(condition)
    chosen = (table.c[column] for column in columns)
    Index(f"ix_{table.name}_{name}", *chosen, sqlite_where=where, postgresql_where=where)


submissions = Table(
    "submissions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("form", String(64), nullable=False),
    Column("form_version", String(12), nullable=False),
    Column("status", String(16), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("answers", _Json, nullable=False),
    Column("consents", _Json, nullable=False),
    Column("meta", _Json, nullable=False),
    Column("lead", _Json, nullable=False),
    # Remarks on how it was read (`formapp.forms.notes`), and by their names the texts of fields
    # that the form doesn't know; NULL where there are none.
    Column("notes", _Json),
    Column("unknown", _Json),
    # The visitor's address, if the form file has `keep_ip`.
    Column("address", String(45)),
    # The token's nonce, the Idempotency-Key or `_id`: the same key and answers, the same receipt.
    Column("key", String(200)),
    Column("digest", String(64), nullable=False),
    # Days that the answers stay after delivery, by the form file at the time of receipt; NULL: by
    # the setting.
    Column("keep_days", Integer),
    # When the answers were erased; the row itself stays.
    Column("erased_at", UtcDateTime),
    UniqueConstraint("form", "key"),
    CheckConstraint(
        "status IN ('accepted', 'quarantined', 'unconfirmed', 'spam')",
        name="status",
    ),
)
Index(None, submissions.c.received_at)
_partial_index(submissions, "kept", "erased_at IS NULL", "keep_days", "received_at")
_partial_index(submissions, "quarantined", "status = 'quarantined'", "form", "received_at")

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("submission_id", ForeignKey(submissions.c.id, ondelete="CASCADE"), nullable=False),
    Column("form", String(64)),
    Column("site", String(64), nullable=False),
    Column("email", String(320)),
    Column("phone", String(50)),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("lease_until", UtcDateTime),
    Column("fence", Integer, nullable=False, server_default="0"),
    # Stored before a call that writes: operation, contact_id, revision, at.
    Column("intent", _Json),
    Column("outcome", String(16)),
    Column("contact_id", String(36)),
    Column("flags", _Json),
    Column("reason", Text),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("submission_id"),
    CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
)
_partial_index(deliveries, "pending_due_at", "state = 'pending'", "due_at")
_partial_index(deliveries, "pending_email", "state = 'pending'", "site", "email")
_partial_index(deliveries, "pending_phone", "state = 'pending'", "site", "phone")
_partial_index(deliveries, "pending_form", "state = 'pending'", "form", "id")
_partial_index(deliveries, "failed_site", "state = 'failed'", "site")
_partial_index(deliveries, "email", "email IS NOT NULL", "email")
_partial_index(deliveries, "phone", "phone IS NOT NULL", "phone")

attempts = Table(
    "attempts",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("delivery_id", ForeignKey(deliveries.c.id, ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("result", String(16), nullable=False),
    Column("operation", String(40)),
    Column("status", Integer),
    Column("code", String(80)),
    Column("request_id", String(80)),
    Column("duration_ms", Integer, nullable=False),
    # The calls to Wix in their order: operation, status, code, request_id, ms.
    Column("calls", _Json, nullable=False),
)
Index(None, attempts.c.delivery_id)

contacts = Table(
    "contacts",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("identity", String(320), primary_key=True),
    Column("contact_id", String(36), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

wix_keys = Table(
    "wix_keys",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("name", String(180), primary_key=True),
    Column("key", String(80), nullable=False),
    Column("data_type", String(8)),
    CheckConstraint("kind IN ('label', 'field')", name="kind"),
)

# The pause of a site, and how many it had in a row: see `formapp.delivery.sites`.
pauses = Table(
    "pauses",
    metadata,
    Column("site", String(64), primary_key=True),
    Column("paused_until", UtcDateTime),
    Column("reason", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
)

wix_calls = Table(
    "wix_calls",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("site", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
Index(None, wix_calls.c.site, wix_calls.c.at)

# Erased persons, as keyed hashes: the table itself names no person.
erasures = Table(
    "erasures",
    metadata,
    Column("hash", String(64), primary_key=True),
    # A public name of the key that made it.
    Column("key", String(16), nullable=False),
    Column("erased_at", UtcDateTime, nullable=False),
)

# Incidents that were reported to the owner; a row is deleted when its incident is over.
incidents = Table(
    "incidents",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("site", String(64), primary_key=True),
    Column("opened_at", UtcDateTime, nullable=False),
)

# When each form last had its turn: see `formapp.delivery.claims`.
turns = Table(
    "turns",
    metadata,
    Column("form", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

# The durable queue: see `formapp.jobs.queue`.
jobs = Table(
    "jobs",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=True),
    Column("submission_id", ForeignKey(submissions.c.id, ondelete="CASCADE")),
    Column("kind", String(32), nullable=False),
    # At most one waiting job of a kind has the same key.
    Column("key", String(200)),
    Column("content", _Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    UniqueConstraint("kind", "key"),
)
Index(None, jobs.c.due_at)
Index(None, jobs.c.submission_id)

# Counts of a limit that several processes share; the hash is keyed, so that it names no address.
counts = Table(
    "counts",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
Index(None, counts.c.expires_at)
