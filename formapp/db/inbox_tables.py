"""Tables of the inbox: its users, what they did, and the numbers that it shows."""

import sqlalchemy as sa

from formapp.db import schema
from formapp.db.database import UtcDateTime
from formapp.db.schema import ID, JSON

metadata = schema.metadata

# People who sign in to the inbox: see `formapp.users.store`.
users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(8), nullable=False),
    # Names of the sites whose leads they may see; NULL: of all.
    sa.Column("sites", JSON),
    # Argon2's own text form; NULL: only a proxy signs them in.
    sa.Column("password", sa.String(200)),
    # Counts how often they signed out everywhere.
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.CheckConstraint("role IN ('owner', 'reader')", name="role"),
)

# What people did in the inbox, without any answer: see `formapp.leads.audit`.
audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("user", sa.String(64), nullable=False),
    sa.Column("action", sa.String(32), nullable=False),
    sa.Column("submission_id", sa.ForeignKey("submissions.id", ondelete="CASCADE")),
)
sa.Index(None, audit.c.submission_id)

# What became of notifications, without any answer: see `formapp.notifications.store`.
notified = sa.Table(
    "notified",
    metadata,
    sa.Column("id", ID, primary_key=True, autoincrement=True),
    sa.Column("submission_id", sa.ForeignKey("submissions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("channel", sa.String(8), nullable=False),
    # The receiver of the form file; NULL where there is one, or it is the visitor.
    sa.Column("to", sa.String(320)),
    sa.Column("result", sa.String(8), nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.CheckConstraint("result IN ('sent', 'failed', 'withheld')", name="result"),
)
sa.Index(None, notified.c.submission_id)

# The one row of numbers that the overview begins with: see `formapp.leads.totals`.
lead_totals = sa.Table(
    "lead_totals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("counted_at", UtcDateTime, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)

# How often each form was shown and begun on a day: see `formapp.monitoring.visits`.
form_visits = sa.Table(
    "form_visits",
    metadata,
    sa.Column("form", sa.String(64), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("shown", sa.Integer, nullable=False, server_default="0"),
    sa.Column("started", sa.Integer, nullable=False, server_default="0"),
)

# What each site had defined when that was last read: see `formapp.delivery.definitions`.
wix_definitions = sa.Table(
    "wix_definitions",
    metadata,
    sa.Column("site", sa.String(64), primary_key=True),
    sa.Column("read_at", UtcDateTime, nullable=False),
    # Names; of fields with their types.
    sa.Column("labels", JSON),
    sa.Column("fields", JSON),
    # Why it could not be read.
    sa.Column("fault", sa.Text),
)
