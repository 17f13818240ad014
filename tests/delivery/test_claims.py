"""Claims: oldest first, one in flight for a person, and void once they were lost."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from formapp.db.database import Database
from formapp.db.tables import attempts, contacts, deliveries, submissions
from formapp.delivery.claims import LEASE, ClaimLostError, Intent, due, intend, release
from formapp.delivery.results import Attempt, Result, finish, give_up, put_back
from formapp.delivery.sites import Pauses
from tests.support.claiming import ATTEMPT, claim_next, claimed, done, kept
from tests.support.clock import NOON
from tests.support.leads import SITE, lead, phone

LATER = NOON + LEASE


def everything(database: Database) -> list[list[Any]]:
    with database.read() as connection:
        tables = (submissions, deliveries, attempts, contacts)
        return [list(connection.execute(select(table)).all()) for table in tables]


def test_the_oldest_comes_first_and_each_once(database: Database) -> None:
    ids = kept(database, *(lead(f"person{number}@example.com") for number in range(3)))
    assert [claimed(database).submission_id for _ in ids] == ids
    assert claim_next(database, [SITE], NOON) is None


def test_a_claim_carries_the_lead_and_what_is_known_of_it(database: Database) -> None:
    given = lead(first_name="Ines", phones=(phone(),))
    (submission_id,) = kept(database, given)
    claim = claimed(database)
    assert (claim.submission_id, claim.site, claim.lead) == (submission_id, SITE, given)
    assert (claim.fence, claim.attempts, claim.intent, claim.tried_since) == (1, 0, None, None)


def test_nothing_is_claimed_before_it_is_due(database: Database) -> None:
    (submission_id,) = kept(database, lead())
    _change(database, submission_id, due_at=NOON + timedelta(seconds=5))
    assert claim_next(database, [SITE], NOON + timedelta(seconds=4.9)) is None
    assert claimed(database, NOON + timedelta(seconds=5)).submission_id == submission_id


def test_nothing_of_a_paused_site_is_claimed(database: Database) -> None:
    kept(database, lead(), lead(site="second"))
    until = NOON + timedelta(seconds=30)
    Pauses(database).pause(SITE, until, "429")
    claim = claim_next(database, [SITE, "second"], NOON)
    assert claim is not None
    assert claim.site == "second"
    assert claim_next(database, [SITE], until - timedelta(seconds=1)) is None
    assert claimed(database, until).site == SITE


@pytest.mark.parametrize("state", ["delivered", "failed"])
def test_what_is_finished_is_not_claimed_and_stops_nobody(database: Database, state: str) -> None:
    first, second = kept(database, lead(), lead())
    _change(database, first, state=state, lease_until=LATER)
    assert claimed(database).submission_id == second


def test_a_lease_that_ended_makes_room_for_the_next_holder(database: Database) -> None:
    (submission_id,) = kept(database, lead())
    claimed(database)
    assert claim_next(database, [SITE], LATER - timedelta(seconds=1)) is None
    again = claimed(database, LATER)
    assert (again.submission_id, again.fence) == (submission_id, 2)


def test_clocks_of_hosts_may_differ_by_a_minute(database: Database) -> None:
    """A lease that another host took a little in the future holds all the same."""
    kept(database, lead())
    claimed(database, NOON + timedelta(seconds=60))
    assert claim_next(database, [SITE], NOON) is None


def test_the_earlier_holders_writes_are_void(database: Database) -> None:
    kept(database, lead())
    earlier = claimed(database)
    later = claimed(database, LATER)
    before = everything(database)
    writes: list[Any] = [
        lambda: intend(database, earlier, Intent("create", LATER)),
        lambda: done(database, earlier),
        lambda: give_up(database, earlier, ATTEMPT, "why"),
        lambda: put_back(database, earlier, ATTEMPT, due_at=NOON, reason="why"),
    ]
    for write in writes:
        with pytest.raises(ClaimLostError):
            write()
        assert everything(database) == before
    release(database, [earlier])
    assert everything(database) == before
    done(database, later)


def test_a_finished_delivery_takes_no_more_writes(database: Database) -> None:
    kept(database, lead())
    claim = claimed(database)
    done(database, claim)
    before = everything(database)
    release(database, [claim])
    with pytest.raises(ClaimLostError):
        done(database, claim)
    with pytest.raises(ClaimLostError):
        intend(database, claim, Intent("create", NOON))
    assert everything(database) == before


def test_a_lapsed_lease_sends_nothing_though_nobody_took_it(database: Database) -> None:
    kept(database, lead())
    claim = claimed(database)
    with pytest.raises(ClaimLostError):
        intend(database, claim, Intent("create", LATER))
    # What was sent before may be written down all the same.
    done(database, claim)


def test_outcome_contact_and_attempt_are_one_transaction(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(database, lead())
    claim = claimed(database)
    before = everything(database)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("formapp.delivery.results.upsert", broken)
    with pytest.raises(ZeroDivisionError):
        done(database, claim)
    assert everything(database) == before


def test_a_code_or_request_id_of_any_length_can_be_written_down(database: Database) -> None:
    kept(database, lead())
    attempt = Attempt(NOON, "delivered", 5, code="C" * 300, request_id="r" * 120)
    claim = claimed(database)
    finish(database, claim, attempt, Result("created", "an-id"))
    with database.read() as connection:
        row = connection.execute(select(attempts)).one()
    assert (row.code, row.request_id) == ("C" * 80, "r" * 80)


BROKEN: list[dict[str, Any]] = [
    {"form": "contact", "unknown": "canary"},
    {},
    {"form": "contact", "site": SITE, "email": {"address": 1}},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_lead_that_cannot_be_read_fails_alone_and_shows_no_answer(
    database: Database, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = kept(database, lead(), lead("good@example.com"))
    with database.write() as connection:
        mine = submissions.c.id == bad
        connection.execute(update(submissions).where(mine).values(lead=broken))
    assert claimed(database).submission_id == good
    with database.read() as connection:
        row = connection.execute(select(deliveries).where(deliveries.c.submission_id == bad)).one()
    assert row.state == "failed"
    assert "can't be read" in row.reason
    assert "canary" not in caplog.text + row.reason


def test_the_look_at_others_of_the_same_person_goes_by_an_index(sqlite: Database) -> None:
    given: dict[str, object] = dict.fromkeys(("now", "far", "beyond_leases"), NOON)
    given |= {"site": SITE, "form": "contact", "most": 1}
    query = due().params(given)
    text = str(query.compile(sqlite.engine, compile_kwargs={"literal_binds": True}))
    with sqlite.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    looks = [row[-1] for row in plan if row[-1].startswith("SEARCH other")]
    assert len(looks) == 2
    for look, name in zip(looks, ("email", "phone"), strict=True):
        assert f"ix_deliveries_{name} ({name}=? AND site=?" in look


def _change(database: Database, submission_id: str, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(
            update(deliveries).where(deliveries.c.submission_id == submission_id).values(**values)
        )
