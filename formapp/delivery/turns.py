"""Forms take turns: of those with pending deliveries, the one whose last turn is longest ago.

So the rate budget of a site is shared fairly: a flood through one form holds up nobody else's.
"""

from datetime import datetime

from sqlalchemy import Connection, func, select

from formapp.db.tables import deliveries, turns
from formapp.db.upsert import upsert


def forms_in_turn(connection: Connection) -> list[str]:
    """Names of the forms that have pending deliveries; those that never had a turn come first."""
    oldest = func.min(deliveries.c.id).label("oldest")
    waiting = (
        select(deliveries.c.form, oldest)
        .where(deliveries.c.state == "pending")
        .group_by(deliveries.c.form)
        .subquery()
    )
    query = (
        select(waiting.c.form)
        .outerjoin(turns, turns.c.form == waiting.c.form)
        .order_by(turns.c.at.is_not(None), turns.c.at, waiting.c.oldest)
    )
    return list(connection.execute(query).scalars())


def take_turn(connection: Connection, form: str, now: datetime) -> None:
    """Note that the form has its turn now."""
    upsert(connection, turns, {"form": form}, {"at": now})
