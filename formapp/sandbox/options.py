"""How a sandbox behaves: options are fixed at start, settings can change while it runs.

Every behaviour that CONTRACT.md calls a switch is a field of `Settings`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, get_args

ExtendedFieldsMode = Literal["merge", "replace"]
Credentials = Literal["accepted", "unauthenticated", "forbidden"]

MAX_DELAY = 300.0
"""Longest delay of an index in seconds; older versions of a contact are dropped."""


class SettingError(ValueError):
    """A setting, a fault or the clock gets an unknown name or an invalid value, which it names."""


class Range(NamedTuple):
    """The numbers that are valid; `whole` ones if both ends are."""

    lowest: float
    highest: float

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are valid."""
        return isinstance(self.highest, int)

    def __str__(self) -> str:
        return f"{self.lowest:.9g} to {self.highest:.9g}"


Rules = Mapping[str, tuple[str, ...] | Range | type]
"""What is valid by name: choices, numbers, or values of a type."""


def check(sent: Mapping[str, Any], rules: Rules, kind: str) -> dict[str, Any]:
    """Return the values if all are valid by their rules; `kind` is what the names should be."""
    checked = dict(sent)
    for name, value in sent.items():
        rule = rules.get(name)
        if rule is None:
            raise SettingError(f"{name} is not {kind}")
        if isinstance(rule, Range):
            number = isinstance(value, int if rule.whole else (int, float))
            if not number or isinstance(value, bool) or not rule.lowest <= value <= rule.highest:
                raise SettingError(f"{name} must be a number from {rule}")
            checked[name] = value if rule.whole else float(value)
        elif not isinstance(rule, type):
            if value not in rule:
                raise SettingError(f"{name} must be one of {', '.join(rule)}")
        elif not isinstance(value, rule):
            raise SettingError(f"{name} must be {'a string' if rule is str else 'true or false'}")
    return checked


@dataclass(frozen=True)
class Settings:
    """The switches that can change while the sandbox runs."""

    credentials: Credentials = "accepted"
    rate_limit: int = 200
    query_delay: float = 0.0
    list_delay: float = 0.0
    duplicate_blind_window: float = 0.0
    job_delay: float = 0.0
    token_lifetime: int = 14_400
    extended_fields: ExtendedFieldsMode = "merge"
    labels_quota: int = 1000
    fields_quota: int = 100
    any_email_duplicates: bool = False
    refuse_optional_filters: bool = False
    random_key_suffixes: bool = False

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return settings with `changes` applied, or raise `SettingError`."""
        if changes.get("rate_limit") == "off":
            changes = {**changes, "rate_limit": 0}
        return replace(self, **check(changes, SETTING_RULES, "a setting"))

    def as_json(self) -> dict[str, Any]:
        """Return the value of each setting by name."""
        return asdict(self)


_COUNT = Range(0, 1_000_000)
_DELAY = Range(0, MAX_DELAY)
SETTING_RULES: Rules = {
    "credentials": get_args(Credentials),
    "rate_limit": _COUNT,
    "query_delay": _DELAY,
    "list_delay": _DELAY,
    "duplicate_blind_window": _DELAY,
    "job_delay": _DELAY,
    "token_lifetime": _COUNT,
    "extended_fields": get_args(ExtendedFieldsMode),
    "labels_quota": _COUNT,
    "fields_quota": _COUNT,
    "any_email_duplicates": bool,
    "refuse_optional_filters": bool,
    "random_key_suffixes": bool,
}
TEXTS = {
    "credentials": ("Keys and tokens", "Refuse all of them, as if a key had been revoked."),
    "rate_limit": ("Calls in 60 seconds", "Per key and site, or per app instance. 0 is no limit."),
    "query_delay": ("Delay of Query (seconds)", "Time until Query Contacts sees a change."),
    "list_delay": ("Delay of List (seconds)", "Time until List Contacts sees a change."),
    "duplicate_blind_window": (
        "Blind window (seconds)",
        "How long the duplicate check misses a new contact.",
    ),
    "job_delay": ("Length of a bulk job (seconds)", "How long labelling in bulk takes."),
    "token_lifetime": ("Lifetime of a token (seconds)", "14400 at Wix."),
    "extended_fields": ("Extended fields in Update", "Merge them one by one, or replace all."),
    "labels_quota": ("Labels per site", "The sandbox refuses more."),
    "fields_quota": ("Custom fields per site", "The sandbox refuses more."),
    "any_email_duplicates": (
        "Compare all emails for duplicates",
        "Otherwise only the primary email of other contacts counts.",
    ),
    "refuse_optional_filters": (
        "Refuse optional filters",
        "Filter fields that only some sources of the contract list.",
    ),
    "random_key_suffixes": (
        "Random keys",
        "Keys of labels and fields get an unpredictable ending.",
    ),
}
"""Label and help of each setting on the faults page."""


@dataclass(frozen=True)
class SandboxOptions:
    """What is fixed when a sandbox is created.

    Attributes:
        settings: The settings at start and after a reset.
        state_file: Where the sites are saved; None keeps them only in memory.
        clock: Returns seconds since the epoch; tests pass their own.
    """

    settings: Settings = field(default_factory=Settings)
    state_file: Path | None = None
    clock: Callable[[], float] = time.time
