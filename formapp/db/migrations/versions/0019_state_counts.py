"""How many leads are pending, failed or quarantined, counted by triggers as they change."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Of each table: which rows count, for which state, and the columns that both depend on.
_COUNTED = {
    "deliveries": ("{row}.state <> 'delivered'", "{row}.state", "state, site, form"),
    "submissions": (
        "{row}.status = 'quarantined' AND {row}.erased_at IS NULL",
        "'quarantined'",
        "status, erased_at, site, form",
    ),
}


def upgrade() -> None:
    """Add the table and the triggers, and count what there is."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        # A program that runs meanwhile waits: what it stored between the count and the triggers
        # would never be counted. The tables are in the order in which programs lock them.
        op.execute("LOCK TABLE submissions, deliveries IN SHARE ROW EXCLUSIVE MODE")
    op.create_table(
        "state_counts",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_state_counts"),
    )
    op.create_index("ix_state_counts_state_site_form", "state_counts", ["state", "site", "form"])
    if not is_sqlite:
        op.execute(_COUNT)
    for table, (condition, state, columns) in _COUNTED.items():
        op.execute(
            "INSERT INTO state_counts (state, site, form, number) "  # noqa: S608 - our own names
            f"SELECT {state.format(row=table)}, site, coalesce(form, ''), count(*) FROM {table} "
            f"WHERE {condition.format(row=table)} GROUP BY 1, 2, 3"
        )
        for statement in (_sqlite if is_sqlite else _postgresql)(table, condition, state, columns):
            op.execute(statement)


def _sqlite(table: str, condition: str, state: str, columns: str) -> Iterator[str]:
    """Yield triggers that count each row: the single writer waits for no other."""
    for name, event, row, step in (
        ("inserted", "INSERT", "NEW", 1),
        ("deleted", "DELETE", "OLD", -1),
        ("left", f"UPDATE OF {columns}", "OLD", -1),
        ("reached", f"UPDATE OF {columns}", "NEW", 1),
    ):
        key = f"{state.format(row=row)}, {row}.site, coalesce({row}.form, '')"
        yield f"""
            CREATE TRIGGER {table}_{name} AFTER {event} ON {table}
            WHEN {condition.format(row=row)} BEGIN
                UPDATE state_counts SET number = number + {step}
                WHERE (state, site, form) = ({key});
                INSERT INTO state_counts (state, site, form, number)
                SELECT {key}, {step} WHERE changes() = 0;
            END
        """  # noqa: S608 - our own names


_COUNT = """
    CREATE OR REPLACE FUNCTION formapp_count(
        of_state text, of_site text, of_form text, step bigint
    ) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        -- A row that another transaction is changing is passed over: none waits for another, and
        -- there are as many rows as transactions at once.
        UPDATE state_counts SET number = number + step WHERE id = (
            SELECT id FROM state_counts
            WHERE state = of_state AND site = of_site AND form = of_form
            LIMIT 1 FOR UPDATE SKIP LOCKED
        );
        IF NOT FOUND THEN
            INSERT INTO state_counts (state, site, form, number)
            VALUES (of_state, of_site, of_form, step);
        END IF;
    END $$
"""


def _postgresql(table: str, condition: str, state: str, columns: str) -> Iterator[str]:
    """Yield triggers that count once a statement; an update, which names columns, once a row."""
    for name, event, rows, step in (
        ("inserted", "INSERT", "NEW", 1),
        ("deleted", "DELETE", "OLD", -1),
    ):
        yield _function(
            f"{table}_{name}",
            f"""
            PERFORM formapp_count(of_state, of_site, of_form, number) FROM (
                SELECT {state.format(row="changed")} AS of_state, site AS of_site,
                    coalesce(form, '') AS of_form, {step} * count(*) AS number
                FROM changed WHERE {condition.format(row="changed")} GROUP BY 1, 2, 3
            ) AS counted;
            """,  # noqa: S608 - our own names
        )
        yield f"""
            CREATE TRIGGER {table}_{name} AFTER {event} ON {table}
            REFERENCING {rows} TABLE AS changed
            FOR EACH STATEMENT EXECUTE FUNCTION formapp_{table}_{name}()
        """
    for name, row, step in (("left", "OLD", -1), ("reached", "NEW", 1)):
        key = f"{state.format(row=row)}, {row}.site, coalesce({row}.form, '')"
        yield _function(f"{table}_{name}", f"PERFORM formapp_count({key}, {step});")
        yield f"""
            CREATE TRIGGER {table}_{name} AFTER UPDATE OF {columns} ON {table}
            FOR EACH ROW WHEN ({condition.format(row=row)})
            EXECUTE FUNCTION formapp_{table}_{name}()
        """


def _function(name: str, work: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION formapp_{name}() RETURNS trigger "
        f"LANGUAGE plpgsql AS $$ BEGIN {work} RETURN NULL; END $$"
    )
