"""Sessions between a Wix site of the sandbox and another system."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from formapp.crm.digests import PURPOSE, Digests
from formapp.crm.model import Book
from formapp.crm.session import Session
from formapp.crm.system import System
from formapp.crm.systems.wix import WixSystem
from formapp.crm.systems.wix_calls import WixCalls, limited_client
from formapp.db.database import Database
from formapp.delivery.sites import Site
from formapp.monitoring.metrics import Metrics
from formapp.signing import Keyring
from formapp.wix import Auth

SECRET = "the secret of this installation"


def open_session(
    book: Book,
    crm: System,
    database: Database,
    *,
    url: str,
    auth: Auth,
    clock: Callable[[], datetime],
    metrics: Metrics | None = None,
    secret: str = SECRET,
    **more: Any,
) -> Session:
    """A session whose calls to Wix have room at once."""
    site = Site("main", auth, 1_000_000, base_url=url)
    client = limited_client(site, database, clock, metrics or Metrics())
    calls = WixCalls(client, clock=clock, wait=lambda _: False, patient=True)
    digests = Digests(Keyring([secret], PURPOSE))
    wix = WixSystem(book, calls)
    counted = {"calls": lambda: calls.made, **more}
    return Session(book, wix, crm, database, digests, clock, **counted)
