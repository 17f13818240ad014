"""Asking a challenge's service: passed, refused, away; one delivery, and nobody is told of."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select, text

from formapp import http
from formapp.db.database import Database
from formapp.db.tables import deliveries, jobs, submissions
from formapp.db.upgrade import upgrade
from formapp.jobs.queue import LEASE, Job, JobRunner, claim_job
from formapp.leads.accept import Status, keep
from formapp.leads.anonymize import anonymize, lock
from formapp.leads.held import accept_held, conclude_challenge
from formapp.leads.report import show_submission
from formapp.spam.challenge_job import ChallengeChecks
from formapp.spam.providers import CHALLENGE_CHECK, PROVIDERS, pending_reason
from tests.support.clock import TurnedClock
from tests.support.leads import EMAIL, lead, submission
from tests.support.postgres import PostgresServer
from tests.support.processes import free_port
from tests.support.verifier import GOOD_TOKEN, SECRET, Verifier, verifier


@pytest.fixture
def service() -> Iterator[Verifier]:
    with verifier() as running:
        yield running


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


class Checks:
    """A worker that runs the errands, and what comes of them."""

    def __init__(self, database: Database, url: str | None, clock: TurnedClock) -> None:
        self.database = database
        self.clock = clock
        self.checks = ChallengeChecks(partial(conclude_challenge, database), SECRET, url, clock)
        self.errands = JobRunner(database, {CHALLENGE_CHECK: self.checks.run}, clock=clock)

    def kept(self, token: str = GOOD_TOKEN, provider: str = "turnstile", **more: Any) -> str:
        """Keep a submission as the web side would."""
        meta = {"page": "p", "suspect": ["sent in under two seconds", pending_reason(provider)]}
        given = submission(
            lead(),
            self.clock(),
            status=Status.QUARANTINED,
            meta=meta,
            jobs=(Job(CHALLENGE_CHECK, {"provider": provider, "token": token}),),
            **more,
        )
        return keep(self.database, given).id

    def suspect(self, submission_id: str) -> tuple[str, list[str]]:
        """State and reasons."""
        shown = show_submission(self.database, submission_id)
        return shown["state"], shown["meta"]["suspect"]

    def left(self) -> int:
        """How many errands wait."""
        return self._number(jobs)

    def deliveries(self) -> int:
        """How many deliveries there are."""
        return self._number(deliveries)

    def _number(self, table: Any) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def worker(database: Database, service: Verifier, clock: TurnedClock) -> Checks:
    return Checks(database, service.url, clock)


@pytest.fixture
def lite(sqlite: Database, service: Verifier, clock: TurnedClock) -> Checks:
    return Checks(sqlite, service.url, clock)


LONGEST_CONNECTING = 4 * http.TIMEOUTS[0]
"""Two addresses of either kind, and nobody there."""

FAST = "sent in under two seconds"


def test_who_has_passed_is_delivered(worker: Checks, service: Verifier) -> None:
    submission_id = worker.kept()
    assert worker.errands.run_next()
    assert worker.suspect(submission_id) == ("pending", [FAST])
    assert (worker.deliveries(), worker.left()) == (1, 0)
    [asked] = service.asked
    # Nothing of the visitor's but the token.
    assert set(asked) == {"secret", "response", "idempotency_key"}
    assert EMAIL not in str(asked)
    assert not worker.errands.run_next()


def test_who_has_not_passed_stays_in_quarantine_with_the_reason(worker: Checks) -> None:
    submission_id = worker.kept("wrong")
    assert worker.errands.run_next()
    told = "Cloudflare Turnstile rejects the token (invalid-input-response)"
    assert worker.suspect(submission_id) == ("quarantined", [FAST, told])
    assert (worker.deliveries(), worker.left()) == (0, 0)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_token_is_good_once(lite: Checks, provider: str) -> None:
    first, second = lite.kept(provider=provider), lite.kept(provider=provider)
    assert lite.errands.run_next()
    assert lite.errands.run_next()
    assert lite.suspect(first)[0] == "pending"
    state, reasons = lite.suspect(second)
    assert state == "quarantined"
    assert reasons[-1] == f"{PROVIDERS[provider].title} rejects the token (timeout-or-duplicate)"


@pytest.mark.parametrize("fault", ["500", "garbage", "redirect", "internal-error"])
def test_an_outage_is_waited_out_for_as_long_as_the_token_lives(
    lite: Checks, service: Verifier, clock: TurnedClock, fault: str
) -> None:
    service.fault = fault
    submission_id = lite.kept()
    assert lite.errands.run_next()
    assert lite.suspect(submission_id) == ("quarantined", [FAST, pending_reason("turnstile")])
    assert lite.left() == 1
    service.fault = None
    clock.turn(5)
    assert lite.errands.run_next()
    assert lite.suspect(submission_id)[0] == "pending"
    assert lite.deliveries() == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_after_the_tokens_life_it_stays_in_quarantine_and_says_why(
    lite: Checks,
    service: Verifier,
    clock: TurnedClock,
    provider: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    service.fault = "internal-error"
    submission_id = lite.kept(provider=provider)
    life = PROVIDERS[provider].life
    start = clock()
    while lite.left():
        if not lite.errands.run_next():
            clock.turn(1)
        assert clock() - start < life * 3
    assert clock() - start >= life
    state, reasons = lite.suspect(submission_id)
    assert (state, reasons[-1]) == (
        "quarantined",
        f"{PROVIDERS[provider].title} did not verify the token in time",
    )
    assert "did not verify a token in time: it reports internal-error" in caplog.text


def test_nobody_there_is_an_outage(
    sqlite: Database, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Checks(sqlite, f"http://127.0.0.1:{free_port()}/", clock)
    submission_id = worker.kept()
    assert worker.errands.run_next()
    assert worker.suspect(submission_id)[0] == "quarantined"
    assert worker.left() == 1
    assert "no answer (ConnectionError)" in caplog.text


def test_silence_is_an_outage(
    lite: Checks,
    service: Verifier,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(http, "TIMEOUTS", (5, 0.2))
    service.fault = "slow"
    lite.kept()
    assert lite.errands.run_next()
    assert lite.left() == 1
    assert "no answer (ReadTimeout)" in caplog.text


@pytest.mark.parametrize("fault", ["dripping head", "dripping body"])
def test_a_service_that_goes_on_and_on_is_an_outage(
    lite: Checks,
    service: Verifier,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    """Every byte comes in time; the whole never does."""
    assert http.DEADLINE + LONGEST_CONNECTING < 30, "what a process has to end"
    monkeypatch.setattr(http, "DEADLINE", 0.5)
    service.fault = fault
    lite.kept()
    began = time.monotonic()
    assert lite.errands.run_next()
    assert time.monotonic() - began < 10
    assert lite.left() == 1
    assert "no answer" in caplog.text


def test_a_large_answer_is_not_read_to_its_end(
    lite: Checks, service: Verifier, caplog: pytest.LogCaptureFixture
) -> None:
    service.fault = "large"
    lite.kept()
    assert lite.errands.run_next()
    # What is left of it here can be read: what comes after 64 KB are but spaces.
    assert lite.left() == 0
    assert len(http.post(service.url, data={"response": "x"}).content) == http.MAX_BYTES
    assert "Traceback" not in caplog.text


def test_a_wrong_secret_is_the_owners_fault_and_not_the_visitors(
    sqlite: Database, service: Verifier, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Checks(sqlite, service.url, clock)
    worker.checks = ChallengeChecks(
        partial(conclude_challenge, sqlite), "another secret", service.url, clock
    )
    worker.errands = JobRunner(sqlite, {CHALLENGE_CHECK: worker.checks.run}, clock=clock)
    submission_id = worker.kept()
    assert worker.errands.run_next()
    assert worker.suspect(submission_id) == ("quarantined", [FAST, pending_reason("turnstile")])
    assert worker.left() == 1
    assert "it reports invalid-input-secret" in caplog.text


def test_neither_token_nor_secret_is_ever_logged(
    lite: Checks, service: Verifier, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = f"{GOOD_TOKEN}-and-only-mine"
    service.fault = "500"
    lite.kept(token)
    lite.errands.run_next()
    service.fault = None
    clock.turn(5)
    lite.errands.run_next()
    lite.kept("wrong-and-only-mine")
    lite.errands.run_next()
    assert "only-mine" not in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in repr(lite.checks)


def test_a_worker_that_died_after_asking_is_followed_by_one_that_asks_the_same(
    worker: Checks, clock: TurnedClock
) -> None:
    submission_id = worker.kept()
    errand = claim_job(worker.database, clock(), {CHALLENGE_CHECK})
    assert errand
    assert worker.checks._check(PROVIDERS["turnstile"], errand) is None
    clock.turn(LEASE.total_seconds())
    assert worker.errands.run_next()
    assert worker.suspect(submission_id)[0] == "pending"


def test_a_worker_that_was_overtaken_changes_nothing(worker: Checks, clock: TurnedClock) -> None:
    submission_id = worker.kept()
    late = claim_job(worker.database, clock(), {CHALLENGE_CHECK})
    assert late
    clock.turn(LEASE.total_seconds())
    assert worker.errands.run_next()
    worker.checks.run(late)
    assert (worker.deliveries(), worker.suspect(submission_id)[0]) == (1, "pending")


def test_what_its_owner_released_meanwhile_is_delivered_once(
    worker: Checks, clock: TurnedClock
) -> None:
    submission_id = worker.kept("wrong")
    with worker.database.write() as connection:
        assert accept_held(connection, submission_id, {Status.QUARANTINED}, clock())
    assert worker.errands.run_next()
    assert (worker.deliveries(), worker.left()) == (1, 0)
    assert worker.suspect(submission_id)[0] == "pending"


def test_an_erasure_at_the_same_moment_and_the_answer_wait_for_each_other(
    postgres: PostgresServer, service: Verifier, clock: TurnedClock
) -> None:
    """Either would else hold what the other one needs, and PostgreSQL end one of them."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with postgres.database() as url, closing(Database(url)) as database:
        upgrade(database)
        worker = Checks(database, service.url, clock)
        submission_id = worker.kept()
        claimed = claim_job(database, clock(), {CHALLENGE_CHECK})
        assert claimed
        with ThreadPoolExecutor(1) as pool:
            with database.write() as connection:
                lock(connection, [submission_id])
                answered = pool.submit(worker.checks.run, claimed)
                while not connection.execute(waiting).scalar():
                    assert not answered.done()
                anonymize(connection, [submission_id], clock())
            answered.result()
        assert (worker.deliveries(), worker.left()) == (0, 0)


def test_who_has_to_confirm_is_asked_after_the_challenge(worker: Checks) -> None:
    submission_id = worker.kept()
    with worker.database.write() as connection:
        meta = {"confirmation": {"title": "t"}, "suspect": [pending_reason("turnstile")]}
        connection.execute(
            submissions.update().where(submissions.c.id == submission_id).values(meta=meta)
        )
    assert worker.errands.run_next()
    assert worker.suspect(submission_id) == ("unconfirmed", [])
    assert worker.deliveries() == 0
    with worker.database.read() as connection:
        assert connection.execute(select(jobs.c.kind)).scalars().all() == ["confirm"]


def test_a_life_is_as_long_as_the_services_say() -> None:
    assert {name: each.life for name, each in PROVIDERS.items()} == {
        "turnstile": timedelta(minutes=5),
        "hcaptcha": timedelta(minutes=2),
        "recaptcha": timedelta(minutes=2),
    }
