"""What was learned from Wix and needn't be asked again.

Which contact a person is, and the keys of labels and extended fields.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy import case, delete, literal, or_, select, update

from formapp.db.database import Database
from formapp.db.due import LONGEST_WAIT
from formapp.db.tables import contacts, deliveries, lanes, wix_keys
from formapp.db.upsert import upsert

Kind = Literal["label", "field"]


class ContactCache:
    """The memory of one database, for all sites."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def contact(self, site: str, identity: str) -> str | None:
        """The id of the contact that this person was last time."""
        mine = (contacts.c.site == site) & (contacts.c.identity == identity)
        with self._database.read() as connection:
            return connection.execute(select(contacts.c.contact_id).where(mine)).scalar()

    def forget_contact(self, site: str, contact_id: str) -> None:
        """Forget a contact that is gone, for everybody who was it."""
        gone = (contacts.c.site == site) & (contacts.c.contact_id == contact_id)
        with self._database.write() as connection:
            connection.execute(delete(contacts).where(gone))

    def delivered_to(self, site: str, contact_ids: Iterable[str]) -> set[str]:
        """Those of these contacts that some delivery ended with."""
        query = select(deliveries.c.contact_id).where(
            deliveries.c.site == site,
            deliveries.c.contact_id.in_(list(contact_ids)),
        )
        with self._database.read() as connection:
            return set(connection.execute(query).scalars())

    def keys(self, site: str, kind: Kind) -> dict[str, tuple[str, str | None]]:
        """Display name to key and data type (None for labels)."""
        mine = (wix_keys.c.site == site) & (wix_keys.c.kind == kind)
        with self._database.read() as connection:
            rows = connection.execute(select(wix_keys).where(mine)).all()
        return {row.name: (row.key, row.data_type) for row in rows}

    def remember_key(
        self,
        site: str,
        kind: Kind,
        name: str,
        key: str,
        data_type: str | None = None,
    ) -> None:
        """Remember a key; the last writer wins."""
        which = {"site": site, "kind": kind, "name": name}
        with self._database.write() as connection:
            upsert(connection, wix_keys, which, {"key": key, "data_type": data_type})

    def forget_keys(self, site: str, names: set[str]) -> None:
        """Forget the keys of these display names, labels and fields alike."""
        mine = (wix_keys.c.site == site) & wix_keys.c.name.in_(names)
        with self._database.write() as connection:
            connection.execute(delete(wix_keys).where(mine))


class Pauses:
    """A site's lane: it pauses when Wix refuses everything, and opens again by time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def strikes(self, site: str) -> int:
        """How many pauses in a row the lane has had."""
        with self._database.read() as connection:
            query = select(lanes.c.strikes).where(lanes.c.site == site)
            return connection.execute(query).scalar() or 0

    def pause(self, site: str, until: datetime, reason: str, *, strike: bool = True) -> None:
        """Let nothing of this site be claimed before `until`; a longer pause stays."""
        values = {"paused_until": until, "reason": reason}
        held = lanes.c.paused_until
        # Further ahead than any pause can be: a clock was wrong.
        shorter = or_(held.is_(None), held <= until, held > until + LONGEST_WAIT)
        changes = {
            name: case((shorter, literal(value, lanes.c[name].type)), else_=lanes.c[name])
            for name, value in values.items()
        }
        with self._database.write() as connection:
            upsert(
                connection,
                lanes,
                {"site": site},
                {**values, "strikes": int(strike)},
                changes={**changes, "strikes": lanes.c.strikes + int(strike)},
            )

    def open(self, site: str, now: datetime) -> bool:
        """Note that Wix takes calls again; returns whether the lane had been in trouble.

        During a pause it stays shut: what succeeds then was under way before.
        """
        over = or_(lanes.c.paused_until.is_(None), lanes.c.paused_until <= now)
        troubled = (lanes.c.site == site) & (lanes.c.strikes > 0) & over
        with self._database.read() as connection:
            if connection.execute(select(lanes.c.site).where(troubled)).first() is None:
                return False
        with self._database.write() as connection:
            connection.execute(
                update(lanes).where(troubled).values(paused_until=None, reason=None, strikes=0),
            )
        return True

    def paused(self, now: datetime) -> dict[str, tuple[datetime, str]]:
        """The paused sites, until when and why."""
        with self._database.read() as connection:
            rows = connection.execute(select(lanes).where(lanes.c.paused_until > now)).all()
        return {row.site: (row.paused_until, row.reason) for row in rows}
