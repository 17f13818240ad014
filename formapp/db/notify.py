"""Waking other processes' workers: PostgreSQL's NOTIFY.

Whoever keeps a submission notifies in the same transaction, so the wake-up comes with the commit.
Polling stays as the fall-back: a wake-up that is lost costs a second, never a lead.
"""

from sqlalchemy import Connection, text

CHANNEL = "formapp_due"
_NOTIFY = text(f"NOTIFY {CHANNEL}")


def notify(connection: Connection) -> None:
    """Wake all listeners when the transaction at hand is committed; SQLite has none."""
    if connection.dialect.name == "postgresql":
        connection.execute(_NOTIFY)
