"""How a database reads: the statements that it is sent, their plans, and what they look at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from formapp.db.database import Database

TABLES = ("submissions", "deliveries", "search_terms", "attempts", "audit")


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine, "before_cursor_execute", note)


def scans(database: Database, statement: str, parameters: Any) -> list[str]:
    """The lines of its plan that read a whole table."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            lines = [row[3] for row in plan]
            return [
                line
                for line in lines
                if line.startswith("SCAN")
                and any(line.split()[1] == table for table in TABLES)
                # An index in the order of the list is read as far as the page goes.
                and (" USING " not in line or "LIMIT" not in statement)
            ]
        # With few rows PostgreSQL would rather read them all.
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        lines = [row[0] for row in plan]
        return [line for line in lines if "Seq Scan on" in line and any(t in line for t in TABLES)]


def steps_of(sqlite: Database, work: Callable[[], object]) -> int:
    """How many tens of instructions SQLite's machine takes for it: the same on each run."""
    seen: list[None] = []

    def watch(connection: Any, _record: object, _proxy: object) -> None:
        connection.set_progress_handler(lambda: seen.append(None), 10)

    event.listen(sqlite.engine, "checkout", watch)
    try:
        work()
    finally:
        event.remove(sqlite.engine, "checkout", watch)
    return len(seen)


def rows_read(postgresql: Database, work: Callable[[], object]) -> int:
    """How many rows and entries of indexes PostgreSQL looks at for it."""
    with statements(postgresql) as asked:
        work()
    with postgresql.engine.connect() as connection:
        # With few rows PostgreSQL would rather read them all, or all of one form, and sort them.
        for way in ("seqscan", "bitmapscan"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        plans = [
            connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
            for statement, parameters in asked
        ]
        return sum(_rows_of(plan.scalar_one()[0]["Plan"]) for plan in plans)


def _rows_of(node: dict[str, Any]) -> int:
    below = sum(_rows_of(each) for each in node.get("Plans", ()))
    if node.get("Relation Name") not in TABLES:
        return below
    looked_at = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return below + int(node["Actual Loops"] * (looked_at + 1))
