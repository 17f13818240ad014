"""What people did is recorded in the transaction that does it: neither is stored alone."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from formapp.crm.digests import PURPOSE, Digests
from formapp.db.database import Database
from formapp.db.tables import deliveries, jobs, search_terms, submissions
from formapp.leads.accept import Status
from formapp.leads.audit import list_audit
from formapp.leads.confirm import resend_mail
from formapp.leads.erase import ErasedIdentity, erase_leads_of, erase_listed
from formapp.leads.mark_spam import mark_spam
from formapp.leads.release import release
from formapp.leads.renotify import renotify
from formapp.leads.retry import correct_submission, retry_submission
from formapp.leads.search_index import index_all
from formapp.signing import Keyring
from tests.support.clock import NOON
from tests.support.leads import EMAIL, WORDING, lead, submission
from tests.support.ledger import days_later, failed, kept

LATER = days_later(NOON, 1)
KEYRING = Keyring(["the secret key of today"])
DIGESTS = Digests(Keyring(["the secret key of today"], PURPOSE))
READING: Any = SimpleNamespace(
    lead=lead("right@example.com"), answers={"x": "y"}, notes=[], unread={}
)
Do = Callable[[Database, str, Any], object]

ACTIONS: dict[str, Do] = {
    "retry": lambda base, id_, by: retry_submission(base, id_, lambda *_: lead(), LATER, by=by),
    "correct": lambda base, id_, by: correct_submission(base, id_, READING, LATER, by=by),
    "release": lambda base, id_, by: release(base, id_, lambda _: {}, LATER, by=by),
    "spam": lambda base, id_, by: mark_spam(base, id_, LATER, by=by),
    "resend": lambda base, id_, by: resend_mail(base, id_, LATER, by=by),
    "notify": lambda base, id_, by: renotify(base, id_, (), LATER, by=by),
    "erase": lambda base, id_, by: erase_leads_of(
        base, id_, keyring=KEYRING, digests=DIGESTS, now=LATER, by=by
    ),
}
HELD = {"release": Status.QUARANTINED, "resend": Status.UNCONFIRMED}


def state(database: Database) -> list[Any]:
    """All that an action could change."""
    with database.read() as connection:
        return [
            connection.execute(select(table)).all()
            for table in (submissions, deliveries, jobs, search_terms)
        ]


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_and_its_record_are_stored_together_or_not_at_all(
    database: Database, action: str
) -> None:
    if status := HELD.get(action):
        meta = {"confirmation": WORDING} if action == "resend" else {}
        submission_id = kept(database, submission(lead(), status=status, meta=meta))
    else:
        submission_id = failed(database, submission(lead()))
    index_all(database)
    before = state(database)
    with pytest.raises(IntegrityError):
        ACTIONS[action](database, submission_id, None)  # it can't be recorded
    assert state(database) == before
    ACTIONS[action](database, submission_id, "ana")
    assert state(database) != before
    [audited] = list_audit(database, submission_id)
    assert (audited.user, audited.action, audited.at) == ("ana", action, LATER)


def test_who_is_erased_again_after_a_restore_is_recorded_too(database: Database) -> None:
    submission_id = kept(database, submission(lead()))
    line = str(ErasedIdentity(KEYRING.sign(EMAIL), KEYRING.names[0], LATER))
    for _ in range(2):
        erase_listed(database, [line], keyring=KEYRING, now=LATER)
    assert [f"{each}" for each in list_audit(database, submission_id)] == [
        "command line erased the person"
    ]
