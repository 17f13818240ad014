"""What follows an error, as one table, and the bounds of backoff."""

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formapp import wix
from formapp.delivery.results import PATIENCE, GiveUp, Pause, Retry, Verdict, after_error
from formapp.jobs.backoff import backoff
from formapp.wix import ErrorDetails, WixError
from tests.support.clock import NOON

OPERATION = "createContact"


def after(error: WixError, **more: Any) -> Verdict:
    facts = {
        "now": NOON,
        "first_tried": NOON,
        "attempts": 0,
        "failures": 0,
        "jitter": lambda _low, high: high,
    }
    return after_error(error, **{**facts, **more})


def said(status: int, **more: Any) -> ErrorDetails:
    return ErrorDetails(status=status, **more)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


TABLE: list[tuple[WixError, Verdict]] = [
    (wix.RateLimitedError(OPERATION, said(429, retry_after=17.0)), Pause(NOON + seconds(17))),
    (wix.RateLimitedError(OPERATION, said(429)), Pause(NOON + seconds(1))),
    (wix.RateLimitedError(OPERATION, said(429, retry_after=0.0)), Pause(NOON + seconds(1))),
    (wix.RateLimitedError(OPERATION, said(429, retry_after=9e8)), Pause(NOON + seconds(3600))),
    (wix.UnauthorizedError(OPERATION, said(401)), Pause(NOON + seconds(5), owner_must_act=True)),
    (wix.ForbiddenError(OPERATION, said(403)), Pause(NOON + seconds(5), owner_must_act=True)),
    (wix.ConnectError(OPERATION), Retry(NOON + seconds(5))),
    (wix.ConnectionLostError(OPERATION, maybe_applied=True), Retry(NOON + seconds(5))),
    (wix.RequestTimeoutError(OPERATION, maybe_applied=True), Retry(NOON + seconds(5))),
    (wix.RequestTimeoutError(OPERATION, said(408)), Retry(NOON + seconds(5))),
    (wix.ServerError(OPERATION, said(500)), Retry(NOON + seconds(5))),
    (wix.ServerError(OPERATION, said(503)), Retry(NOON + seconds(5))),
    (wix.UnexpectedResponseError(OPERATION, said(200)), Retry(NOON + seconds(5))),
    (wix.ServerError(OPERATION, said(501)), GiveUp()),
    (wix.ContactAlreadyChangedError(OPERATION, said(409)), Retry(NOON + seconds(1))),
    (wix.DuplicateContactError(OPERATION, said(409)), Retry(NOON + seconds(1))),
    (wix.ConflictError(OPERATION, said(409)), Retry(NOON + seconds(1))),
    (wix.ContactNotFoundError(OPERATION, said(404)), Retry(NOON + seconds(1))),
    (wix.NotFoundError(OPERATION, said(404)), GiveUp()),
    (wix.InvalidRequestError(OPERATION, said(400)), GiveUp()),
    (wix.InvalidRequestError(OPERATION, said(422)), GiveUp()),
    (wix.PreconditionFailedError(OPERATION, said(428)), GiveUp()),
    (wix.MemberEmailError(OPERATION, said(428)), GiveUp()),
    (wix.QuotaReachedError(OPERATION, said(429, code="FIELDS_QUOTA_EXCEEDED")), GiveUp()),
]


@pytest.mark.parametrize(
    ("error", "expected"), TABLE, ids=[f"{type(e).__name__}-{e.status}" for e, _ in TABLE]
)
def test_every_answer_has_its_consequence(error: WixError, expected: Verdict) -> None:
    assert after(error) == expected


@pytest.mark.parametrize("error", [error for error, verdict in TABLE if isinstance(verdict, Retry)])
def test_what_is_retried_is_given_up_after_72_hours_and_not_before(error: WixError) -> None:
    assert timedelta(hours=72) == PATIENCE
    early = after(error, first_tried=NOON - PATIENCE + seconds(1), attempts=150)
    assert isinstance(early, Retry)
    assert after(error, first_tried=NOON - PATIENCE) == GiveUp()


@pytest.mark.parametrize("error", [error for error, verdict in TABLE if isinstance(verdict, Pause)])
def test_a_pause_never_ends_in_giving_up(error: WixError) -> None:
    late = after(error, first_tried=NOON - timedelta(days=30), attempts=500, failures=500)
    assert isinstance(late, Pause)


@pytest.mark.parametrize(
    ("error", "pauses"),
    [
        (wix.RateLimitedError(OPERATION, said(429)), [1, 2, 4, 8, 16, 32, 60, 60]),
        (wix.UnauthorizedError(OPERATION, said(401)), [5, 10, 20, 40, 80, 160, 300, 300]),
    ],
)
def test_pauses_grow_with_each_failure(error: WixError, pauses: list[int]) -> None:
    found = [after(error, failures=failures) for failures in range(len(pauses))]
    assert [each.until - NOON for each in found if isinstance(each, Pause)] == [
        seconds(pause) for pause in pauses
    ]


def test_backoff_doubles_from_five_seconds_to_an_hour() -> None:
    most = [backoff(attempts, lambda _low, high: high).total_seconds() for attempts in range(12)]
    assert most == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]


@given(attempts=st.integers(0, 10**9), seed=st.integers(0, 2**32))
def test_backoff_stays_within_its_bounds(attempts: int, seed: int) -> None:
    wait = backoff(attempts, random.Random(seed).uniform).total_seconds()  # noqa: S311 - no secret
    assert 0 <= wait <= min(3600, 5 * 2 ** min(attempts, 20))


@given(
    attempts=st.integers(0, 10**6),
    failures=st.integers(0, 10**6),
    waited=st.integers(0, 10**7),
    retry_after=st.none() | st.floats(0, 1e9),
)
def test_whatever_happened_before_a_verdict_is_in_the_future_and_within_an_hour(
    attempts: int, failures: int, waited: int, retry_after: float | None
) -> None:
    since = {"attempts": attempts, "failures": failures, "first_tried": NOON - seconds(waited)}
    for error in (
        wix.RateLimitedError(OPERATION, said(429, retry_after=retry_after)),
        wix.ServerError(OPERATION, said(500)),
        wix.ForbiddenError(OPERATION, said(403)),
    ):
        verdict = after(error, **since)
        if isinstance(verdict, GiveUp):
            continue
        at = verdict.at if isinstance(verdict, Retry) else verdict.until
        assert NOON < at <= NOON + timedelta(hours=1) or retry_after is not None
        assert NOON <= at <= NOON + timedelta(hours=1)
