"""How a sandbox behaves: options are fixed at start, settings can change while it runs.

Every behaviour that CONTRACT.md calls a switch is a field of `Settings`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

ExtendedFieldsMode = Literal["merge", "replace"]
Credentials = Literal["accepted", "unauthenticated", "forbidden"]

MAX_DELAY = 300.0
"""Longest delay of an index in seconds; older versions of a contact are dropped."""

MAX_WHOLE = 1_000_000


class SettingError(ValueError):
    """A setting or the clock gets an unknown name or an invalid value; the text names it."""


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
        unknown = sorted(set(changes) - set(SETTING_NAMES))
        if unknown:
            raise SettingError(f"{unknown[0]} is not a setting")
        return replace(self, **{name: _checked(name, value) for name, value in changes.items()})

    def as_json(self) -> dict[str, Any]:
        """Return the value of each setting by name."""
        return asdict(self)


def _checked(name: str, value: Any) -> Any:
    default = getattr(Settings, name)
    if isinstance(default, str):
        if value not in CHOICES[name]:
            raise SettingError(f"{name} must be one of {', '.join(CHOICES[name])}")
        return value
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise SettingError(f"{name} must be true or false")
        return value
    if name == "rate_limit" and value == "off":
        return 0
    whole = isinstance(default, int)
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise SettingError(f"{name} must be a {'whole ' if whole else ''}number")
    if not 0 <= value <= (MAX_WHOLE if whole else MAX_DELAY):
        raise SettingError(f"{name} is out of range")
    return value if whole else float(value)


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

CHOICES: dict[str, tuple[str, ...]] = {
    "credentials": get_args(Credentials),
    "extended_fields": get_args(ExtendedFieldsMode),
}
SETTING_NAMES = tuple(one.name for one in fields(Settings))


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
