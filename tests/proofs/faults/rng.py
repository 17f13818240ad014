"""Randomness by seed: every part of a run draws from a generator of its own."""

import random


def rng(*parts: object) -> random.Random:
    """A generator that the parts alone determine, such as `rng(seed, "round", 3)`."""
    return random.Random(":".join(map(str, parts)))  # noqa: S311 - plans faults, keeps no secret
