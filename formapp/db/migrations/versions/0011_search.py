"""Submissions keep their site and what the owner's search finds them by."""

import json
import re
import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_BATCH = 1000


def upgrade() -> None:
    """Add column, table and indexes, and fill them for the submissions that are there."""
    op.add_column(
        "submissions",
        sa.Column("site", sa.String(length=64), nullable=False, server_default=sa.text("''")),
    )
    collation = sa.String(length=100, collation="C")
    op.create_table(
        "search_terms",
        sa.Column("submission_id", sa.String(length=36), nullable=False),
        sa.Column(
            "term", sa.String(length=100).with_variant(collation, "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submissions.id"],
            name="fk_search_terms_submission_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("submission_id", "term", name="pk_search_terms"),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind())
    op.create_index("ix_search_terms_term_submission_id", "search_terms", ["term", "submission_id"])
    op.create_index(
        "ix_submissions_site_form_id_status", "submissions", ["site", "form", "id", "status"]
    )
    op.create_index("ix_submissions_short_id", "submissions", [sa.text("substr(id, 29)")])
    partial = (
        ("submissions", "held", "status <> 'accepted'", ["status", "id"]),
        ("deliveries", "undelivered", "state <> 'delivered'", ["state", "submission_id", "form"]),
        ("deliveries", "outcome", "outcome IS NOT NULL", ["outcome", "submission_id", "form"]),
    )
    for table, name, condition, columns in partial:
        where = sa.text(condition)
        op.create_index(
            f"ix_{table}_{name}", table, columns, sqlite_where=where, postgresql_where=where
        )


def _fill(connection: sa.Connection) -> None:
    last = ""
    batch = sa.text(
        "SELECT s.id, s.lead, d.site FROM submissions s "
        "LEFT JOIN deliveries d ON d.submission_id = s.id "
        "WHERE s.id > :last ORDER BY s.id LIMIT :batch"
    )
    while rows := connection.execute(batch, {"last": last, "batch": _BATCH}).all():
        last = rows[-1].id
        leads = [(row.id, _lead(row.lead), row.site) for row in rows]
        sites = [{"id": id_, "site": site or lead.get("site") or ""} for id_, lead, site in leads]
        connection.execute(sa.text("UPDATE submissions SET site = :site WHERE id = :id"), sites)
        if terms := [{"id": id_, "term": term} for id_, lead, _ in leads for term in _terms(lead)]:
            insert = sa.text("INSERT INTO search_terms (submission_id, term) VALUES (:id, :term)")
            connection.execute(insert, terms)


def _lead(stored: Any) -> dict[str, Any]:
    """SQLite's driver returns text; a lead that can't be read is found by its id alone."""
    found = json.loads(stored) if isinstance(stored, str) else stored
    return found if isinstance(found, dict) else {}


def _terms(lead: dict[str, Any]) -> list[str]:
    """As `formapp.leads.accept.terms_of` was when this migration was written."""
    texts = [(lead.get(name) or {}).get("value") for name in ("first_name", "last_name", "company")]
    plain = unicodedata.normalize("NFKD", " ".join(filter(None, texts)).casefold())
    words = re.findall(r"[^\W_]+", re.sub("[\u0300-\u036f]+", "", plain))
    terms = [f"n{word}" for word in words[:12]]
    if address := (lead.get("email") or {}).get("address"):
        terms.append(f"e{address}")
    terms += [f"p{phone['e164'][:0:-1]}" for phone in lead.get("phones") or ()]
    return list(dict.fromkeys(term[:100] for term in terms))
