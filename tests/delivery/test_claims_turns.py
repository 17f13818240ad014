"""Forms take turns: a flood through one holds up nobody else's leads."""

from uuid import uuid4

from sqlalchemy import event

from formapp.db.database import Database
from formapp.delivery.claims import claim_many, release
from formapp.delivery.results import Attempt, Result, finish
from formapp.leads.accept import keep
from tests.support.claiming import claim_next
from tests.support.clock import TurnedClock
from tests.support.leads import SITE, lead, submission


def _serve(database: Database, clock: TurnedClock) -> str:
    """Claim the next delivery and finish it; returns the submission's id."""
    clock.turn(0.1)
    claim = claim_next(database, [SITE], clock())
    assert claim
    attempt = Attempt(at=clock(), result="delivered", duration_ms=0)
    finish(database, claim, attempt, Result("created", str(uuid4())))
    return claim.submission_id


def _keep(database: Database, form: str, address: str, clock: TurnedClock) -> str:
    return keep(database, submission(lead(address, form=form), clock(), form=form)).id


def test_a_form_with_one_lead_waits_for_one_of_a_flooded_form_at_most(
    database: Database, turned_clock: TurnedClock
) -> None:
    for number in range(20):
        _keep(database, "flooded", f"visitor{number}@example.com", turned_clock)
    lonely = _keep(database, "quiet", "lonely@example.com", turned_clock)
    assert lonely in [_serve(database, turned_clock) for _ in range(2)]


def test_turns_go_round_and_within_a_form_the_oldest_comes_first(
    database: Database, turned_clock: TurnedClock
) -> None:
    kept = {
        form: [
            _keep(database, form, f"{form}{number}@example.com", turned_clock)
            for number in range(3)
        ]
        for form in ("one", "two", "three")
    }
    served = [_serve(database, turned_clock) for _ in range(9)]
    rounds = [set(served[start : start + 3]) for start in (0, 3, 6)]
    assert rounds == [{kept[form][turn] for form in kept} for turn in range(3)]


def test_a_form_whose_leads_are_all_held_up_does_not_use_up_the_turn(
    database: Database, turned_clock: TurnedClock
) -> None:
    _keep(database, "one", "ada@example.com", turned_clock)
    _keep(database, "one", "ada@example.com", turned_clock)
    first = claim_next(database, [SITE], turned_clock())
    assert first
    other = _keep(database, "two", "grace@example.com", turned_clock)
    second = claim_next(database, [SITE], turned_clock())
    assert second
    assert second.submission_id == other
    assert claim_next(database, [SITE], turned_clock()) is None
    release(database, [first])
    again = claim_next(database, [SITE], turned_clock())
    assert again
    assert again.submission_id == first.submission_id


def test_a_claim_reads_no_delivery_to_another_site(
    sqlite: Database, turned_clock: TurnedClock
) -> None:
    """A flood behind one site's pause must not make the claims of all others slow."""
    statements: list[tuple[str, tuple[object, ...]]] = []
    _keep(sqlite, "one", "one@example.com", turned_clock)

    def note(*args: object) -> None:
        statements.append((str(args[2]), args[3]))  # type: ignore[arg-type] # a tuple in SQLite

    event.listen(sqlite.engine, "before_cursor_execute", note)
    assert claim_next(sqlite, [SITE], turned_clock())
    event.remove(sqlite.engine, "before_cursor_execute", note)
    chosen = [
        each for each in statements if each[0].startswith(("SELECT", "WITH")) and "site" in each[0]
    ]
    assert len(chosen) == 2
    with sqlite.read() as connection:
        for statement, parameters in chosen:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row.detail for row in plan if "deliveries" in row.detail]
            assert any("ix_deliveries_pending_turn (site=?" in step for step in steps), steps
            assert not any(step.startswith("SCAN deliveries") for step in steps), steps


def test_forms_share_a_batch_and_take_turns_in_it(
    database: Database, turned_clock: TurnedClock
) -> None:
    kept = {
        form: [
            _keep(database, form, f"{form}{number}@example.com", turned_clock)
            for number in range(waiting)
        ]
        for form, waiting in (("flooded", 9), ("busy", 4), ("quiet", 1))
    }
    claims = claim_many(database, SITE, turned_clock(), 8)
    rounds = [("flooded", "busy", "quiet"), *[("flooded", "busy")] * 2, ("flooded",), ("flooded",)]
    wanted = [kept[form][turn] for turn, forms in enumerate(rounds) for form in forms]
    assert [claim.submission_id for claim in claims] == wanted[:8]


def test_a_batch_is_as_large_as_it_may_be_whoever_waits(
    database: Database, turned_clock: TurnedClock
) -> None:
    for form, waiting in (("one", 1), ("two", 7), ("three", 1)):
        for number in range(waiting):
            _keep(database, form, f"{form}{number}@example.com", turned_clock)
    sizes = [len(claim_many(database, SITE, turned_clock(), 6)) for _ in range(3)]
    assert sizes == [6, 3, 0]
