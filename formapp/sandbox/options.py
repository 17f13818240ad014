"""How a sandbox behaves: options are fixed at start, settings can change while it runs.

Every behaviour that CONTRACT.md calls a switch is a field of `Settings`.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

ExtendedFieldsMode = Literal["merge", "replace"]
Credentials = Literal["accepted", "unauthenticated", "forbidden"]

MAX_DELAY = 300.0
"""Longest delay of an index in seconds; older versions of a contact are dropped."""

MAX_WHOLE = 1_000_000


class SettingError(ValueError):
    """A setting has an unknown name or an invalid value; the text names it."""


@dataclass(frozen=True)
class Settings:
    """The switches that can change while the sandbox runs.

    Attributes:
        rate_limit: Requests in 60 seconds per key and site, or per app instance; 0 is no limit.
        token_lifetime: Seconds until an app token expires (CONTRACT.md section 2.2: 14400).
        credentials: Whether keys and tokens are accepted, or all answered with 401 or 403.
        extended_fields: Whether Update merges extended fields per key or replaces them.
        any_email_duplicates: Compare with all emails of other contacts, not only the primary.
        refuse_optional_filters: Refuse filter fields that only some sources list
            (CONTRACT.md section 8.3).
        random_key_suffixes: Give new labels and fields unpredictable keys.
        query_delay: Seconds until Query Contacts sees a change.
        list_delay: Seconds until List Contacts sees a change.
        duplicate_blind_window: Seconds during which the duplicate check misses a new contact.
        job_delay: Seconds until a bulk job is done.
        labels_quota: Labels a site may define.
        fields_quota: Custom extended fields a site may define.
    """

    rate_limit: int = 200
    token_lifetime: int = 14_400
    credentials: Credentials = "accepted"
    extended_fields: ExtendedFieldsMode = "merge"
    any_email_duplicates: bool = False
    refuse_optional_filters: bool = False
    random_key_suffixes: bool = False
    query_delay: float = 0.0
    list_delay: float = 0.0
    duplicate_blind_window: float = 0.0
    job_delay: float = 0.0
    labels_quota: int = 1000
    fields_quota: int = 100

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """Return settings with `changes` applied.

        Raises:
            SettingError: a name is unknown or a value is invalid.
        """
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
        app_id: The only app id that gets a token; None accepts any.
        app_secret: The only app secret that gets a token; None accepts any.
        clock: Returns seconds since the epoch; tests pass their own.
    """

    settings: Settings = field(default_factory=Settings)
    state_file: Path | None = None
    app_id: str | None = None
    app_secret: str | None = field(default=None, repr=False)
    clock: Callable[[], float] = time.time
