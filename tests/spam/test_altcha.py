"""Proofs of work: solved by ALTCHA's own solver, and refused where anything was changed."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge

from formapp.spam import altcha
from formapp.spam.altcha import LIFE, Challenges

KEY = "a key that is long enough"
CHALLENGES = Challenges([KEY])
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altcha, "COST", 10)


def now() -> datetime:
    return datetime.now(UTC)


def solved(made: dict[str, Any]) -> str:
    challenge = Challenge.from_dict(made)
    solution = solve_challenge(challenge)
    assert solution
    return Payload(challenge, solution).to_base64()


def changed(text: str, change: Change) -> str:
    content = json.loads(base64.b64decode(text))
    change(content)
    return base64.b64encode(json.dumps(content).encode()).decode()


def test_a_right_solution_is_known_and_told_from_others() -> None:
    made = CHALLENGES.make("lead", 1, now())
    found = CHALLENGES.check("lead", solved(made))
    other = CHALLENGES.check("lead", solved(CHALLENGES.make("lead", 1, now())))
    assert found
    assert other
    assert found.challenge_id != other.challenge_id
    assert timedelta() < found.until - now() <= LIFE


def test_a_challenge_is_of_the_kind_that_widgets_read() -> None:
    made = CHALLENGES.make("lead", 1, now())
    parameters = made["parameters"]
    assert parameters["algorithm"] == "PBKDF2/SHA-256"
    assert {"nonce", "salt", "cost", "keyLength", "keyPrefix", "expiresAt"} <= set(parameters)
    assert isinstance(made["signature"], str)


@pytest.mark.parametrize("difficulty", [1, 3])
def test_the_work_grows_with_the_difficulty_and_has_an_end(difficulty: int) -> None:
    challenge = Challenge.from_dict(CHALLENGES.make("lead", difficulty, now()))
    solution = solve_challenge(challenge)
    assert solution
    assert altcha.STEPS * difficulty <= solution.counter <= 2 * altcha.STEPS * difficulty


def test_a_solution_is_of_one_form() -> None:
    assert CHALLENGES.check("other", solved(CHALLENGES.make("lead", 1, now()))) is None


def test_a_solution_comes_too_late() -> None:
    late = CHALLENGES.make("lead", 1, now() - LIFE - timedelta(seconds=2))
    assert CHALLENGES.check("lead", solved(late)) is None


def test_a_solution_outlives_a_new_secret_key_but_not_the_loss_of_its_own() -> None:
    text = solved(CHALLENGES.make("lead", 1, now()))
    assert Challenges(["another key, newer", KEY]).check("lead", text)
    assert Challenges(["another key, newer"]).check("lead", text) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["challenge"]["parameters"].update(data={"form": "other"}),
        lambda c: c["challenge"]["parameters"].update(cost=1),
        lambda c: c["challenge"]["parameters"].update(expiresAt=2**40),
        lambda c: c["challenge"]["parameters"].pop("expiresAt"),
        lambda c: c["challenge"]["parameters"].pop("keySignature"),
        lambda c: c["challenge"].pop("signature"),
        lambda c: c["challenge"].update(signature=None),
        lambda c: c["challenge"].update(parameters=None),
        lambda c: c["challenge"].update(parameters=[]),
        lambda c: c["solution"].update(derivedKey="00" * 32),
        lambda c: c["solution"].update(derivedKey=7),
        lambda c: c.pop("solution"),
        lambda c: c.update(challenge="text"),
    ],
)
def test_whatever_was_changed_is_no_solution(change: Change) -> None:
    text = solved(CHALLENGES.make("lead", 1, now()))
    assert CHALLENGES.check("lead", changed(text, change)) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "é", "A" * 100_000),
        *(base64.b64encode(data).decode() for data in (b"[]", b"\xff", b"[" * 2000)),
    ],
)
def test_nonsense_is_no_solution(text: str) -> None:
    assert CHALLENGES.check("lead", text) is None
