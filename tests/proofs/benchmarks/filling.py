"""Fills a database with kept submissions of the past: copies of one that formapp kept itself.

They are copied inside the database, one statement a table, which is quicker than a COPY and knows
no column by name but those that must differ.
"""

from datetime import UTC, datetime

import psycopg
from sqlalchemy import Table, text

from formapp.db.database import Database
from formapp.db.tables import deliveries, submissions
from formapp.leads.accept import Submission, keep
from tests.proofs.benchmarks.bodies import answers, form

_PADDED = "substr('000000000000' || CAST(i AS VARCHAR(12)), length(CAST(i AS VARCHAR(12))) + 1)"
"""The number `i` with twelve digits, on either kind of database."""

_RANDOM = {"sqlite": "hex(randomblob(11))", "postgresql": "left(md5(random()::text), 22)"}
"""As long as a token's nonce, and as scattered over an index."""

_COPY = """
    INSERT INTO "{table}" ({columns}) SELECT {values}
    FROM (SELECT * FROM "{table}" LIMIT 1) AS one,
        (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         SELECT i FROM n) AS numbers
"""


def fill(database: Database, count: int) -> None:
    """Have so many submissions kept, all but one of them delivered; at least 2."""
    submission_id = f"'01900000-0000-7000-8000-' || {_PADDED}"
    person = f"'filler.' || {_PADDED} || '@example.com'"
    keep(database, _one())
    nonce = _RANDOM[database.url.get_backend_name()]
    _copy(database, submissions, count - 1, {"id": submission_id, "key": f"'token:' || {nonce}"})
    changed = {"submission_id": submission_id, "email": person, "state": "'delivered'"}
    _copy(database, deliveries, count - 1, changed)
    _settle(database)


def _copy(database: Database, table: Table, count: int, changed: dict[str, str]) -> None:
    """Copy the only row so often; ids that count up by themselves are left to the database."""
    counting = table.autoincrement_column
    kept = [each.name for each in table.c if each is not counting]
    values = [changed.get(name, f'one."{name}"') for name in kept]
    columns = ", ".join(f'"{name}"' for name in kept)
    statement = _COPY.format(
        table=table.name, columns=columns, values=", ".join(values), count=count
    )
    with database.write() as connection:
        connection.execute(text(statement.replace(":", r"\:")))


def _settle(database: Database) -> None:
    """What the database does in its own time after so much is done before anything is measured."""
    if database.is_sqlite:
        with database.write() as lite:
            lite.execute(text("ANALYZE"))
        return
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _one() -> Submission:
    posted = form().sort(answers(0, "first").items())
    reading = form().read(posted, default_site="main", page=None, referrer=None)
    return Submission(
        form=form().name,
        form_version=form().version,
        received_at=datetime.now(UTC),
        lead=reading.lead,
        answers=dict(reading.answers),
        key="first",
    )
