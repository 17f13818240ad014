"""Spam: what makes a post suspicious, and challenges that programs find harder than people.

This room knows neither the database nor HTTP nor a form file: facts go in, reasons and a score come
out. No reason repeats what was typed.
"""

from formapp.spam.altcha import LIFE, Challenges, Solved
from formapp.spam.providers import CHALLENGE_NAMES, PROVIDERS, Provider
from formapp.spam.session import Session, read_session
from formapp.spam.signals import Facts, Signal, score_of, suspicions

__all__ = [
    "CHALLENGE_NAMES",
    "LIFE",
    "PROVIDERS",
    "Challenges",
    "Facts",
    "Provider",
    "Session",
    "Signal",
    "Solved",
    "read_session",
    "score_of",
    "suspicions",
]
