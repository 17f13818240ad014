"""Passwords of tests: a strong hash takes 64 MB and 0.05 s, and tests make hundreds."""

from argon2 import PasswordHasher

from formapp.users import store

STRONG = store._hasher
"""What formapp itself hashes with."""


def hash_weakly() -> None:
    """Hash the passwords of this process in no time, known and unknown users' alike."""
    store._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    store._DUMMY = store._hasher.hash("no user's password")
