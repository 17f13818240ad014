"""Steps of the ledger, one at a time, short to write."""

from datetime import datetime

from formapp.db.database import Database
from formapp.delivery.claims import Claim, claim_next
from formapp.delivery.results import Attempt, Result, finish
from formapp.lead import Lead
from formapp.leads.accept import keep
from tests.support.clock import NOON
from tests.support.leads import SITE, submission

ATTEMPT = Attempt(at=NOON, result="delivered", duration_ms=5)


def kept(database: Database, *given: Lead) -> list[str]:
    """Keep these leads and return their ids."""
    return [keep(database, submission(each)).id for each in given]


def claimed(database: Database, at: datetime = NOON) -> Claim:
    """Claim what is next; there must be something."""
    claim = claim_next(database, [SITE], at)
    assert claim is not None
    return claim


def done(database: Database, claim: Claim) -> None:
    """Write down that it made a contact."""
    finish(database, claim, ATTEMPT, Result("created", "an-id"))
