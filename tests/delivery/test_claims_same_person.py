"""One delivery in flight for a person, by e-mail and by phone; leads in their order."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from formapp.db.database import Database
from formapp.db.tables import deliveries
from formapp.delivery.results import give_up, put_back
from formapp.lead import Lead
from tests.support.claiming import ATTEMPT, claim_next, claimed, done, kept
from tests.support.clock import NOON
from tests.support.leads import SITE, lead, phone


def _change(database: Database, submission_id: str, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(
            update(deliveries).where(deliveries.c.submission_id == submission_id).values(**values)
        )


EMAIL_1, EMAIL_2 = "one@example.com", "two@example.com"
PHONE_1, PHONE_2 = (phone("+442079460018"),), (phone("+442079460019"),)
SAME = [
    (lead(EMAIL_1), lead(EMAIL_1)),
    (lead(None, phones=PHONE_1), lead(None, phones=PHONE_1)),
    (lead(EMAIL_1, phones=PHONE_1), lead(EMAIL_2, phones=PHONE_1)),
    (lead(EMAIL_1, phones=PHONE_1), lead(EMAIL_1, phones=PHONE_2)),
    (lead(EMAIL_1, phones=PHONE_1), lead(None, phones=PHONE_1)),
    (lead(None, phones=PHONE_1), lead(EMAIL_1, phones=PHONE_1)),
]
OTHERS = [
    (lead(EMAIL_1), lead(EMAIL_2)),
    (lead(EMAIL_1, phones=PHONE_1), lead(EMAIL_2, phones=PHONE_2)),
    (lead(EMAIL_1), lead(None, phones=PHONE_1)),
    (lead(None, first_name="Ines"), lead(None, first_name="Ines")),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_the_second_lead_of_a_person_waits_for_the_first(
    database: Database, first: Lead, second: Lead
) -> None:
    one, two = kept(database, first, second)
    claim = claimed(database)
    assert claim.submission_id == one
    assert claim_next(database, [SITE], NOON) is None
    done(database, claim)
    assert claimed(database).submission_id == two


@pytest.mark.parametrize(("first", "second"), SAME)
def test_it_waits_too_while_the_first_waits_for_its_next_try(
    database: Database, first: Lead, second: Lead
) -> None:
    kept(database, first, second)
    claim = claimed(database)
    due = NOON + timedelta(minutes=30)
    put_back(database, claim, None, due_at=due)
    assert claim_next(database, [SITE], due - timedelta(seconds=1)) is None
    give_up(database, claimed(database, due), ATTEMPT, "why")
    assert claimed(database, due).lead == second


@pytest.mark.parametrize(("first", "second"), OTHERS)
def test_other_persons_do_not_wait(database: Database, first: Lead, second: Lead) -> None:
    ids = kept(database, first, second)
    assert [claimed(database).submission_id for _ in ids] == ids


def test_the_same_person_at_another_site_does_not_wait(database: Database) -> None:
    kept(database, lead(), lead(site="second"))
    sites = [SITE, "second"]
    assert [getattr(claim_next(database, sites, NOON), "site", None) for _ in sites] == sites


def test_an_older_one_that_comes_back_waits_for_a_younger_one_in_flight(
    database: Database,
) -> None:
    older, younger = kept(database, lead(), lead())
    give_up(database, claimed(database), ATTEMPT, "why")
    assert claimed(database).submission_id == younger
    _change(database, older, state="pending")
    assert claim_next(database, [SITE], NOON) is None
