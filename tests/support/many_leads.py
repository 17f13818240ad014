"""Many leads of a year, made inside the database: people, forms, states and search terms.

Of a thousand, each form, state, outcome and first name has more than a page.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from formapp.db.database import Database

YEAR_MS = 365 * 86_400_000
FORMS = 7
DELIVERY_STATES = ("pending", "failed", "delivered")

_NUMBERS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}),
    made AS (SELECT i, {hex} AS h, {at} AS at FROM n)
"""
_ID = "substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-7000-8000-' || {padded}"
_PADDED = {
    "sqlite": "printf('%012d', i)",
    "postgresql": "lpad(i::text, 12, '0')",
}
_HEX = {
    "sqlite": "printf('%012x', {now} - (i - 1) * {step})",
    "postgresql": "lpad(to_hex({now}::bigint - (i - 1) * {step}::bigint), 12, '0')",
}
_AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', ({now} - (i - 1) * {step}) / 1000.0, 'unixepoch')",
    "postgresql": "to_timestamp(({now}::bigint - (i - 1) * {step}::bigint) / 1000.0)",
}
_JSON = {"sqlite": "", "postgresql": "::json"}
_TEXT = {"sqlite": "CAST(i AS TEXT)", "postgresql": "i::text"}

_SUBMISSIONS = """
    INSERT INTO submissions
        (id, form, site, form_version, status, received_at, answers, consents, meta, lead, digest)
    {numbers}
    SELECT {id}, {form}, {site}, '1', {status}, at,
        ('{{"message": "hello ' || i || '"}}'){json}, '[]'{json}, '{{}}'{json},
        ('{{"form": "' || {form} || '", "site": "' || {site}
            || '", "first_name": {{"value": "Given'
            || (i % 15) || '"}}, "last_name": {{"value": "Family' || (i % 20000)
            || '"}}, "email": {{"address": "person' || i
            || '@example.com", "typed": "p"}}}}'){json},
        ''
    FROM made
"""
_DELIVERIES = """
    INSERT INTO deliveries (submission_id, form, site, email, state, created_at, due_at, attempts,
        outcome, contact_id, finished_at)
    {numbers}
    SELECT {id}, {form}, {site}, 'person' || i || '@example.com', {state}, at, at, 1,
        CASE WHEN {state} <> 'delivered' THEN NULL
            WHEN i % 2 = 0 THEN 'created' ELSE 'updated' END,
        CASE WHEN {state} = 'delivered' THEN 'contact' END,
        CASE WHEN {state} <> 'pending' THEN at END
    FROM made WHERE {status} = 'accepted'
"""
_COUNTS = """
    INSERT INTO state_counts (state, site, form, number)
    SELECT state, site, form, count(*) FROM deliveries WHERE state <> 'delivered' GROUP BY 1, 2, 3
    UNION ALL
    SELECT status, site, form, count(*) FROM submissions
    WHERE status = 'quarantined' GROUP BY 1, 2, 3
"""
_TERMS = """
    INSERT INTO search_terms (submission_id, term)
    {numbers}
    SELECT {id}, {term} FROM made WHERE i <= {found} AND {status} <> 'spam'
"""


@dataclass(frozen=True)
class Crowd:
    """The newest of all leads, which have something in common; all others are older.

    Attributes:
        state: of the delivery, or of a submission that has none.
        form: of all of them; None: of one form after another, as of the others.
        site: of all of them.
    """

    number: int
    state: str
    form: str | None = None
    site: str = "main"

    def columns(self, forms: int) -> dict[str, str]:
        """Return form, site, status and state of a lead as SQL."""
        newest, form = f"i <= {self.number}", f"'form' || (i % {forms})"
        status = "accepted" if self.state in DELIVERY_STATES else self.state
        state = self.state if status == "accepted" else "delivered"
        return {
            "form": f"CASE WHEN {newest} THEN '{self.form}' ELSE {form} END" if self.form else form,
            "site": f"CASE WHEN {newest} THEN '{self.site}' ELSE 'main' END",
            "status": (
                f"CASE WHEN {newest} THEN '{status}' WHEN i % 97 = 0 THEN 'quarantined' "
                "ELSE 'accepted' END"
            ),
            "state": (
                f"CASE WHEN {newest} THEN '{state}' "
                "WHEN i % 14 IN (0, 3) THEN 'failed' ELSE 'delivered' END"
            ),
        }


def fill_leads(
    database: Database,
    count: int,
    *,
    waiting: int = 0,
    found: int | None = None,
    crowd: Crowd | None = None,
    forms: int = FORMS,
) -> None:
    """Store so many leads, the newest now, the oldest a year ago.

    The newest `waiting` aren't delivered yet, or are as `crowd` says. A search finds the newest
    `found`; None: all.
    """
    kind = database.url.get_backend_name()
    values = {"now": int(datetime.now(UTC).timestamp() * 1000), "step": YEAR_MS // count}
    numbers = _NUMBERS.format(
        count=count, hex=_HEX[kind].format(**values), at=_AT[kind].format(**values)
    )
    given = {
        "numbers": numbers,
        "json": _JSON[kind],
        "id": _ID.format(padded=_PADDED[kind]),
        **(crowd or Crowd(waiting, "pending")).columns(forms),
        "found": count if found is None else found,
    }
    number = _TEXT[kind]
    terms = (
        "'ngiven' || (i % 15)",
        "'nfamily' || (i % 20000)",
        f"'eperson' || {number} || '@example.com'",
        f"'p' || {number} || '06449744'",
    )
    with _indexed_later(database), database.write() as connection:
        if not database.is_sqlite:
            # Each row's reference is right.
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in (_SUBMISSIONS, _DELIVERIES):
            connection.execute(text(statement.format(**given)))
        for term in terms:
            connection.execute(text(_TERMS.format(term=term, **given)))
        if not database.is_sqlite:
            connection.exec_driver_sql(_COUNTS)  # no trigger did
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # PostgreSQL's own process does both within minutes of so many inserts.
        connection.exec_driver_sql("ANALYZE" if database.is_sqlite else "VACUUM (ANALYZE)")


_INDEXES = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE name LIKE 'ix_%' AND type = 'index'",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix_%'",
}


@contextmanager
def _indexed_later(database: Database) -> Iterator[None]:
    """Make the indexes at the end of the block, which takes a fraction of the time."""
    kind = database.url.get_backend_name()
    with database.write() as connection:
        indexes = connection.execute(text(_INDEXES[kind])).all()
        for name, _ in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
        for _, statement in indexes:
            connection.exec_driver_sql(statement)
