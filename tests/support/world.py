"""A database, a sandbox and a deliverer between them, on one clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from formapp.db.database import Database
from formapp.db.tables import attempts, deliveries, pauses
from formapp.delivery.deliver import Deliverer
from formapp.delivery.sites import Site
from formapp.lead import Lead
from formapp.leads.accept import keep
from formapp.leads.report import show_submission
from formapp.wix import Auth, Call, Timeouts, WixContacts
from tests.support.clock import TurnedClock
from tests.support.leads import SITE, submission
from tests.support.wixsite import WixSite

GRACE = 60.0
Row = dict[str, Any]


@dataclass(frozen=True)
class _HookedSite(Site):
    """Does what a test asks for before each call."""

    world: Any = None

    def connect(
        self, before_call: Callable[[str], None], on_call: Callable[[Call], None]
    ) -> WixContacts:
        def before(operation: str) -> None:
            before_call(operation)
            self.world.before.get(operation, lambda: None)()

        client = super().connect(before, on_call)
        self.world.opened(client)
        return client


class World:
    """What a test of a delivery needs.

    Attributes:
        database, site, clock: the three parts.
        jitter: how much of the backoff is taken, from 0 to 1.
        idents: of all submissions that were kept, in order.
        before: what to do before each call of an operation, such as an edit by somebody else.
    """

    def __init__(self, database: Database, site: WixSite, clock: TurnedClock) -> None:
        self.database = database
        self.site = site
        self.clock = clock
        self.jitter = 1.0
        self.before: dict[str, Callable[[], object]] = {}
        self.idents: list[str] = []
        self._clients: list[WixContacts] = []
        self.deliverer = self.new_deliverer()

    def new_deliverer(
        self,
        *,
        limit: int = 10_000,
        auth: Auth | None = None,
        timeouts: tuple[float, float] = (5.0, 5.0),
    ) -> Deliverer:
        """A deliverer as another worker has it."""

        site = _HookedSite(
            SITE,
            auth or self.site.auth,
            limit,
            base_url=self.site.url,
            timeouts=Timeouts(*timeouts),
            world=self,
        )
        return Deliverer(
            self.database,
            [site],
            grace=timedelta(seconds=GRACE),
            clock=self.clock,
            jitter=lambda low, high: low + (high - low) * self.jitter,
            wait=lambda _stopping, seconds: self.clock.turn(seconds),
        )

    def opened(self, client: WixContacts) -> None:
        """Close this client at the end."""
        self._clients.append(client)

    def once(self, operation: str, action: Callable[[], object]) -> None:
        """Do this before the next call of the operation, and not again."""

        def act() -> None:
            del self.before[operation]
            action()

        self.before[operation] = act

    def close(self) -> None:
        """Close all clients."""
        for client in self._clients:
            client.close()

    def keep(self, given: Lead, **more: Any) -> str:
        """Keep a lead as the web side would; returns the submission's id."""
        submission_id = keep(self.database, submission(given, self.clock(), **more)).id
        self.idents.append(submission_id)
        return submission_id

    def deliver(self) -> int:
        """Deliver a batch, if a lead is due; returns how many were tried."""
        return self.deliverer.deliver_next()

    def drain(self, most: int = 100) -> int:
        """Deliver all that is due; returns the number of attempts."""
        count = 0
        while count < most:
            tried = self.deliver()
            if not tried:
                return count
            count += tried
        raise AssertionError(f"still busy after {count} deliveries")

    def bring(self, given: Lead) -> Row:
        """Keep a lead, deliver what is due, and return its delivery."""
        submission_id = self.keep(given)
        self.drain()
        return self.row(submission_id)

    def row(self, submission_id: str) -> Row:
        """The delivery of a submission, as it is in the database."""
        with self.database.read() as connection:
            query = select(deliveries).where(deliveries.c.submission_id == submission_id)
            return dict(connection.execute(query).one()._mapping)

    def shown(self, submission_id: str) -> Row:
        """The delivery of a submission, as the owner sees it."""
        (delivery,) = show_submission(self.database, submission_id)["deliveries"]
        return dict(delivery)

    def attempts(self, submission_id: str) -> list[Row]:
        """The attempts of a submission's delivery, as they are in the database."""
        query = select(attempts).where(attempts.c.delivery_id == self.row(submission_id)["id"])
        with self.database.read() as connection:
            return [dict(row._mapping) for row in connection.execute(query.order_by(attempts.c.id))]

    def pause(self) -> Row:
        """The site's pause and failures, or an empty row."""
        with self.database.read() as connection:
            row = connection.execute(select(pauses).where(pauses.c.site == SITE)).first()
        return dict(row._mapping) if row else {}

    def change(self, submission_id: str, **values: Any) -> None:
        """Write to a delivery behind everybody's back."""
        with self.database.write() as connection:
            connection.execute(
                update(deliveries)
                .where(deliveries.c.submission_id == submission_id)
                .values(**values)
            )
