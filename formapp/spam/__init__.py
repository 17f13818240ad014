"""Spam: signals that make a post suspicious, and challenges that are hard for programs.

No reason repeats an answer.
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
