"""Insert or update in one statement, so that two processes at once never collide."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: Connection,
    table: Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Write one row.

    Args:
        connection: of the caller's transaction.
        table: where to.
        key: the primary key's columns.
        values: the other columns of a new row.
        changes: what to set on a row that is there; the same as `values` unless given.
    """
    build = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = build(table).values(**key, **values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(key),
            set_=dict(values if changes is None else changes),
        ),
    )
