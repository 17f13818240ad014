"""Steps of the ledger, one at a time, short to write."""

from collections.abc import Sequence
from datetime import datetime

from formapp.db.database import Database
from formapp.delivery.claims import Claim, claim_many
from formapp.delivery.results import Attempt, Result, finish
from formapp.lead import Lead
from formapp.leads.accept import keep
from tests.support.clock import NOON
from tests.support.leads import SITE, submission

ATTEMPT = Attempt(at=NOON, result="delivered", duration_ms=5)


def kept(database: Database, *given: Lead) -> list[str]:
    """Keep these leads and return their ids."""
    return [keep(database, submission(each)).id for each in given]


def claim_next(database: Database, sites: Sequence[str], at: datetime) -> Claim | None:
    """Claim one delivery to one of these sites, if one is due."""
    for site in sites:
        for claim in claim_many(database, site, at, 1):
            return claim
    return None


def claimed(database: Database, at: datetime = NOON) -> Claim:
    """Claim what is next; there must be something."""
    claim = claim_next(database, [SITE], at)
    assert claim is not None
    return claim


def done(database: Database, claim: Claim) -> None:
    """Write down that it made a contact."""
    finish(database, claim, ATTEMPT, Result("created", "an-id"))
