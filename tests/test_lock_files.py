"""The lock files are whole: `pip install -r` accepts them on a machine that has nothing yet."""

import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "tests/requirements.lock")


def _locked(text: str) -> dict[str, set[str]]:
    """Package to the extras that are locked with it."""
    pins = re.findall(r"^([\w.-]+)(?:\[([\w.,-]+)\])?==", text, re.MULTILINE)
    return {canonicalize_name(name): set(filter(None, extras.split(","))) for name, extras in pins}


def _unlocked(locked: dict[str, set[str]]) -> set[str]:
    """What a locked package requires here and the lock doesn't pin, extras included."""
    missing = set()
    for name, extras in locked.items():
        try:
            lines = requires(name) or []
        except PackageNotFoundError:
            continue  # for another platform
        for requirement in map(Requirement, lines):
            marker = requirement.marker
            if marker and not any(marker.evaluate({"extra": e}) for e in {"", *extras}):
                continue
            pinned = locked.get(canonicalize_name(requirement.name))
            if pinned is None or not requirement.extras <= pinned:
                missing.add(f"{name} needs {requirement}")
    return missing


@pytest.mark.parametrize("lock", LOCKS)
def test_all_that_a_locked_package_requires_is_locked_with_its_extras(lock: str) -> None:
    locked = _locked(PROJECT.joinpath(lock).read_text("utf-8"))
    assert len(locked) > 20
    assert _unlocked(locked) == set()


def test_an_extra_that_the_lock_lost_is_noticed() -> None:
    text = PROJECT.joinpath("tests/requirements.lock").read_text("utf-8")
    stripped = text.replace("coverage[toml]==", "coverage==")
    assert any(
        line.startswith("pytest-cov needs coverage[toml]") for line in _unlocked(_locked(stripped))
    )
