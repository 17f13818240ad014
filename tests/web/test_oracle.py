"""Nobody learns whether a contact exists: the short form of `python -m tests.proofs.oracle`."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.oracle.__main__ import table, tells_apart
from tests.proofs.oracle.asking import BYTES, SETTINGS, WAYS, Asked, ask, write_form
from tests.proofs.oracle.ranks import compare
from tests.support.processes import Commands, Installation, eventually

pytestmark = pytest.mark.slow

POSTS = 200
# Five standard deviations of what chance makes of 200 each: a busy machine is no reason to fail.
BOUND = 0.15


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Iterator[Installation]:
    commands = Commands(tmp_path)
    yield Installation(commands, database_url, FORMS=write_form(tmp_path / "forms"), **SETTINGS)
    commands.close()


def test_neither_the_bytes_nor_the_time_of_an_answer_tell_who_is_a_contact(
    installation: Installation,
) -> None:
    learnt = ask(installation, POSTS, 1)
    assert not tells_apart(learnt, BOUND), table(learnt)
    assert learnt.answers.keys() == WAYS.keys()
    assert {status for answers in learnt.answers.values() for status, _, _ in answers} == {
        200,
        303,
        422,
    }
    # The worker was really there: there are more contacts than those who were known before.
    eventually(lambda: len(installation.contacts()) > POSTS + len(WAYS) * BYTES, 60)


def test_one_different_byte_tells() -> None:
    alike = {True: [1.0, 2.0], False: [1.0, 2.0]}
    answers = {"page": {(303, "", b"")}}
    assert not tells_apart(Asked(answers, alike), 0.05)
    assert tells_apart(Asked({"page": {(303, "", b""), (303, "", b" ")}}, alike), 0.05)


def test_a_look_up_that_takes_a_tenth_of_the_time_tells() -> None:
    draw = random.Random(1)  # noqa: S311 - invented times
    unknown = [draw.lognormvariate(0, 0.1) for _ in range(POSTS)]
    known = [draw.lognormvariate(0, 0.1) + 0.1 for _ in range(POSTS)]
    assert tells_apart(Asked({}, {True: known, False: unknown}), BOUND)


# Worked out by hand. The last: U = 3 of 12; ranks 2 to 4 tie, hence a variance of 52 / 7.
@pytest.mark.parametrize(
    ("first", "second", "auc", "p"),
    [
        ([1, 2, 3], [4, 5, 6], 0.0, 0.0495),
        ([4, 5, 6], [1, 2, 3], 1.0, 0.0495),
        ([1, 2, 3], [1, 2, 3], 0.5, 1.0),
        ([1, 1, 1], [1, 1], 0.5, 1.0),
        ([1, 2, 2, 4], [2, 3, 5], 0.25, 0.2710),
    ],
)
def test_ranks_are_compared_as_mann_and_whitney_did(
    first: list[float], second: list[float], auc: float, p: float
) -> None:
    ranks = compare(first, second)
    assert ranks.auc == pytest.approx(auc, abs=0.0001)
    assert ranks.p == pytest.approx(p, abs=0.0005)


def test_nothing_is_compared_with_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        compare([], [1.0])
