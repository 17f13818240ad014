"""The tables. The row is the record and the queue.

One schema serves SQLite and PostgreSQL; the migrations beside this module build it. Ids of
submissions are UUIDv7 as text; deliveries count up, so that their order is the order in which leads
came.
"""

from typing import Any

import sqlalchemy as sa

from formapp.db import inbox_tables
from formapp.db.database import UtcDateTime
from formapp.db.schema import ID, JSON

REVISION = "0020"
"""The newest migration; a test holds it to the folder's head."""

# With the tables of the inbox.
metadata = inbox_tables.metadata


def _partial_index(table: sa.Table, name: str, condition: str, *columns: Any) -> None:
    where = sa.text(condition)
    chosen = (table.c[each] if isinstance(each, str) else each for each in columns)
    sa.Index(f"ix_{table.name}_{name}", *chosen, sqlite_where=where, postgresql_where=where)


def _in_order(column: sa.Column[Any]) -> Any:
    """The last column of an index for `formapp.leads.search`, whose lists are ordered by it.

    An id is never NULL. But as the order says where NULLs would be, PostgreSQL can't take the
    unique index of ids instead, and skip all that isn't to be shown.
    """
    return column.nulls_first()


submissions = sa.Table(
    "submissions",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("form", sa.String(64), nullable=False),
    # The site of its lead.
    sa.Column("site", sa.String(64), nullable=False, server_default=sa.text("''")),
    sa.Column("form_version", sa.String(12), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("answers", JSON, nullable=False),
    sa.Column("consents", JSON, nullable=False),
    sa.Column("meta", JSON, nullable=False),
    sa.Column("lead", JSON, nullable=False),
    # Remarks on how it was read (`formapp.forms.notes`), and by their names the texts of fields
    # that the form doesn't know; NULL where there are none.
    sa.Column("notes", JSON),
    sa.Column("unknown", JSON),
    # The visitor's address, if the form file has `keep_ip`.
    sa.Column("address", sa.String(45)),
    # The token's nonce, the Idempotency-Key or `_id`: the same key and answers, the same receipt.
    sa.Column("key", sa.String(200)),
    sa.Column("digest", sa.String(64), nullable=False),
    # Days that the answers stay after delivery, by the form file at the time of receipt; NULL: by
    # the setting.
    sa.Column("keep_days", sa.Integer),
    # When the answers were erased; the row itself stays.
    sa.Column("erased_at", UtcDateTime),
    sa.UniqueConstraint("form", "key"),
    sa.CheckConstraint(
        "status IN ('accepted', 'quarantined', 'unconfirmed', 'spam')",
        name="status",
    ),
)
_partial_index(submissions, "kept", "erased_at IS NULL", "keep_days", "received_at")
# For retention, doctor and lists: few, of many that were accepted.
_partial_index(
    submissions,
    *("unaccepted", "status <> 'accepted' AND erased_at IS NULL", "keep_days", "received_at"),
)
_partial_index(submissions, "unknown", "unknown IS NOT NULL", "form")
_partial_index(submissions, "quarantined", "status = 'quarantined'", "form", "received_at")
# For `formapp.leads.search`: lists are ordered by id, which begins with the time.
_partial_index(submissions, "held", "status <> 'accepted'", "status", _in_order(submissions.c.id))
sa.Index(
    "ix_submissions_site_form_status_id",
    *(submissions.c.site, submissions.c.form, submissions.c.status, _in_order(submissions.c.id)),
)
sa.Index("ix_submissions_short_id", sa.func.substr(submissions.c.id, sa.literal_column("29")))

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("submission_id", sa.ForeignKey(submissions.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("form", sa.String(64)),
    sa.Column("site", sa.String(64), nullable=False),
    sa.Column("email", sa.String(320)),
    sa.Column("phone", sa.String(50)),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", UtcDateTime),
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
    # Stored before a call that writes: operation, contact_id, revision, at.
    sa.Column("intent", JSON),
    sa.Column("outcome", sa.String(16)),
    sa.Column("contact_id", sa.String(36)),
    sa.Column("flags", JSON),
    # What the lead did to the contact, field by field: see `formapp.delivery.decide`. Erased with
    # the answers.
    sa.Column("changes", JSON),
    sa.Column("reason", sa.Text),
    sa.Column("finished_at", UtcDateTime),
    sa.UniqueConstraint("submission_id"),
    sa.CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
)
_partial_index(deliveries, "pending_due", "state = 'pending'", "site", "due_at")
_partial_index(deliveries, "pending_turn", "state = 'pending'", "site", "form", "id", "created_at")
_partial_index(deliveries, "failed_site", "state = 'failed'", "site")
_PLACE_AND_ID = ("site", "form", _in_order(deliveries.c.submission_id))
# For `formapp.leads.search`, too: the lists of one form of one site, which others are merged from.
_partial_index(deliveries, "undelivered", "state <> 'delivered'", "state", *_PLACE_AND_ID)
_partial_index(deliveries, "outcome", "outcome IS NOT NULL", "outcome", *_PLACE_AND_ID)
# One index serves claims and erasures: each is one more page that a commit has to write.
_partial_index(deliveries, "email", "email IS NOT NULL", "email", "site", "state")
_partial_index(deliveries, "phone", "phone IS NOT NULL", "phone", "site", "state")

# How many deliveries are pending and failed, and how many submissions are in quarantine. Triggers
# write it (migration 0019); on PostgreSQL a key has several rows, whose sum is the number.
state_counts = sa.Table(
    "state_counts",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("site", sa.String(64), nullable=False),
    sa.Column("form", sa.String(64), nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)
sa.Index(None, state_counts.c.state, state_counts.c.site, state_counts.c.form)

# What the owner's search finds a submission by: see `formapp.leads.search_index`. It is erased
# with the answers.
search_terms = sa.Table(
    "search_terms",
    metadata,
    sa.Column(
        "submission_id", sa.ForeignKey(submissions.c.id, ondelete="CASCADE"), primary_key=True
    ),
    # Ordered by its bytes on both databases, so that beginnings are ranges.
    sa.Column(
        "term",
        sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql"),
        primary_key=True,
    ),
    sqlite_with_rowid=False,
)
sa.Index(None, search_terms.c.term, search_terms.c.submission_id)

# Submissions without search terms as yet: see `formapp.leads.search_index`.
unindexed = sa.Table(
    "unindexed",
    metadata,
    sa.Column(
        "submission_id", sa.ForeignKey(submissions.c.id, ondelete="CASCADE"), primary_key=True
    ),
    sqlite_with_rowid=False,
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("delivery_id", sa.ForeignKey(deliveries.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("result", sa.String(16), nullable=False),
    sa.Column("operation", sa.String(40)),
    sa.Column("status", sa.Integer),
    sa.Column("code", sa.String(80)),
    sa.Column("request_id", sa.String(80)),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    # The calls to Wix in their order: operation, status, code, request_id, ms.
    sa.Column("calls", JSON, nullable=False),
)
sa.Index(None, attempts.c.delivery_id)

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("identity", sa.String(320), primary_key=True),
    sa.Column("contact_id", sa.String(36), nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    # Of the contact after that delivery: what Wix's search shows may be older.
    sa.Column("revision", sa.BigInteger),
)

wix_keys = sa.Table(
    "wix_keys",
    metadata,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("name", sa.String(180), primary_key=True),
    sa.Column("key", sa.String(80), nullable=False),
    sa.Column("data_type", sa.String(8)),
    sa.CheckConstraint("kind IN ('label', 'field')", name="kind"),
)

# The pause of a site, and how many it had in a row: see `formapp.delivery.sites`.
pauses = sa.Table(
    "pauses",
    metadata,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("paused_until", UtcDateTime),
    sa.Column("reason", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
)

wix_calls = sa.Table(
    "wix_calls",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("site", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
sa.Index(None, wix_calls.c.site, wix_calls.c.at)

# Erased persons, as keyed hashes: the table itself names no person.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    # A public name of the key that made it.
    sa.Column("key", sa.String(16), nullable=False),
    sa.Column("erased_at", UtcDateTime, nullable=False),
)

# Incidents that were reported to the owner; a row is deleted when its incident is over.
incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("opened_at", UtcDateTime, nullable=False),
)

# When each form last had its turn: see `formapp.delivery.claims`.
turns = sa.Table(
    "turns",
    metadata,
    sa.Column("form", sa.String(64), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

# The durable queue: see `formapp.jobs.queue`.
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("submission_id", sa.ForeignKey(submissions.c.id, ondelete="CASCADE")),
    sa.Column("kind", sa.String(32), nullable=False),
    # At most one waiting job of a kind has the same key.
    sa.Column("key", sa.String(200)),
    sa.Column("content", JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("kind", "key"),
)
sa.Index(None, jobs.c.kind, jobs.c.due_at, jobs.c.id)
sa.Index(None, jobs.c.submission_id)

# Counts of a limit that several processes share; the hash is keyed, so that it names no address.
counts = sa.Table(
    "counts",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)
sa.Index(None, counts.c.expires_at)

# How often each form refused an origin on a day: see `formapp.monitoring.refused_origins`.
refused_origins = sa.Table(
    "refused_origins",
    metadata,
    sa.Column("form", sa.String(64), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("origin", sa.String(300), primary_key=True),
    sa.Column("count", sa.Integer, nullable=False),
)

# Books of contacts that are synchronized with another system: see `formapp.crm`. A row is made by
# the first plan or start. It keeps no personal data.
crm_books = sa.Table(
    "crm_books",
    metadata,
    sa.Column("book", sa.String(64), primary_key=True),
    sa.Column("state", sa.String(8), nullable=False),
    # Paused: until the owner resumes it. The reason is that of the pause or of the last failure.
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("reason", sa.Text),
    # The system of record of the first load.
    sa.Column("record", sa.String(3)),
    sa.Column("planned_at", UtcDateTime),
    sa.Column("last_pass_at", UtcDateTime),
    # When both sides are next asked for changes, and next listed as a whole.
    sa.Column("due_at", UtcDateTime),
    sa.Column("sweep_at", UtcDateTime),
    # Since when deletions are counted for the brake.
    sa.Column("run_at", UtcDateTime),
    sa.Column("blocked_until", UtcDateTime),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", UtcDateTime),
    sa.CheckConstraint("state IN ('new', 'loading', 'running')", name="state"),
)

crm_links = sa.Table(
    "crm_links",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("book", sa.String(64), nullable=False),
    sa.Column("wix_id", sa.String(36)),
    sa.Column("crm_id", sa.String(500)),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("wix_revision", sa.String(200)),
    sa.Column("crm_revision", sa.String(200)),
    # Each field as this side last said it, as keyed digests: see `formapp.crm.bases`.
    sa.Column("wix_base", JSON),
    sa.Column("crm_base", JSON),
    sa.Column("linked_at", UtcDateTime),
    # When a side was first found without its record; NULL again once it is found.
    sa.Column("gone_at", UtcDateTime),
    # The owner has allowed this deletion past the brake.
    sa.Column("gone_allowed", sa.Boolean, nullable=False, server_default=sa.false()),
    # NULL: nothing is due. `hints` counts up with each hint, so that none is missed meanwhile.
    sa.Column("due_at", UtcDateTime),
    sa.Column("hints", sa.Integer, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_until", UtcDateTime),
    # Stored before a call that writes: see `formapp.crm.store.Intent`.
    sa.Column("intent", JSON),
    sa.UniqueConstraint("book", "wix_id"),
    sa.UniqueConstraint("book", "crm_id"),
    sa.CheckConstraint(
        "state IN ('new', 'linked', 'held', 'wix_gone', 'crm_gone', 'merged_into', 'erasing', "
        "'erased', 'unlinked')",
        name="state",
    ),
)
_partial_index(crm_links, "due", "due_at IS NOT NULL", "book", "due_at")
_partial_index(crm_links, "gone", "gone_at IS NOT NULL", "book", "gone_at")

# How far each side was read: kind is 'initial', 'changes', 'sweep' or 'events'.
crm_cursors = sa.Table(
    "crm_cursors",
    metadata,
    sa.Column("book", sa.String(64), primary_key=True),
    sa.Column("side", sa.String(3), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("position", sa.Text),
    sa.Column("started_at", UtcDateTime),
    sa.Column("done", sa.Integer, nullable=False, server_default="0"),
    sa.Column("total", sa.Integer, nullable=False, server_default="0"),
)

crm_conflicts = sa.Table(
    "crm_conflicts",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("link_id", sa.ForeignKey(crm_links.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("field", sa.String(200), nullable=False),
    sa.Column("side", sa.String(3), nullable=False),
    # The losing value and the other one; erased when the owner has resolved it.
    sa.Column("value", JSON),
    sa.Column("kept", JSON),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("resolved", sa.Boolean, nullable=False),
    # The side whose value the owner chose, until that is written.
    sa.Column("chosen", sa.String(3)),
    # Keyed digests of the person's e-mails and phones, so that erasing finds the row.
    sa.Column("persons", JSON, nullable=False),
)
sa.Index(None, crm_conflicts.c.link_id)
sa.Index(None, crm_conflicts.c.at)

# Persons who were erased at Wix, as keyed digests: they are never created there again.
crm_tombstones = sa.Table(
    "crm_tombstones",
    metadata,
    sa.Column("book", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

# Webhooks that were received: ids, no fields (but see `content`). One from Wix is for all books of
# its site, one from another system for its book.
crm_events = sa.Table(
    "crm_events",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("source", sa.String(70), nullable=False),
    sa.Column("event_id", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("entity", sa.String(500), nullable=False),
    # Of a merge: the record that it was merged into.
    sa.Column("target", sa.String(500)),
    sa.Column("revision", sa.String(200)),
    sa.Column("sequence", sa.String(40)),
    sa.Column("received_at", UtcDateTime, nullable=False),
    # The fields that a system sent that can't be read; erased once they are worked off.
    sa.Column("content", JSON),
    sa.UniqueConstraint("source", "event_id"),
    sa.CheckConstraint(
        "kind IN ('created', 'updated', 'deleted', 'merged', 'erased')", name="kind"
    ),
)
sa.Index(None, crm_events.c.source, crm_events.c.entity)
sa.Index(None, crm_events.c.received_at)

# Files that visitors send: see `formapp.files.records`.
files = sa.Table(
    "files",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    # NULL: staged, or erased.
    sa.Column("submission_id", sa.ForeignKey(submissions.c.id, ondelete="CASCADE")),
    sa.Column("form", sa.String(64), nullable=False),
    sa.Column("field", sa.String(64), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("type", sa.String(100), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("storage_key", sa.String(100), nullable=False, unique=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.String(200)),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.CheckConstraint(
        "state IN ('stored', 'waiting', 'quarantined', 'erased')",
        name="state",
    ),
)
sa.Index(None, files.c.submission_id)
_partial_index(files, "expires", "expires_at IS NOT NULL", "expires_at")
