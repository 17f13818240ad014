"""How a sandbox behaves: options are fixed at start, settings can change while it runs.

Every behaviour that CONTRACT.md calls a switch is a field of `Settings`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, get_args
from urllib.parse import urlsplit

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


def _rule(default: object) -> Range | type:
    if isinstance(default, bool):
        return bool
    return Range(0, MAX_DELAY) if isinstance(default, float) else Range(0, 1_000_000)


SETTING_RULES: Rules = {
    **{one.name: _rule(one.default) for one in fields(Settings)},
    "credentials": get_args(Credentials),
    "extended_fields": get_args(ExtendedFieldsMode),
}


WEBHOOK_RULES: Rules = {
    "url": str,
    "speed": Range(0.01, 1_000_000.0),
    "doubles": Range(0, 1.0),
    "losses": Range(0, 1.0),
    "reordering": Range(0, 1.0),
    "text_form": bool,
}


@dataclass(frozen=True)
class WebhookSettings:
    """Where events go, and how badly.

    Without a `url` none are sent. `doubles`, `losses` and `reordering` are the shares of events
    that are sent twice, never, or late. `text_form` sends bodies as JSON text.
    """

    url: str = ""
    speed: float = 60.0
    doubles: float = 0.0
    losses: float = 0.0
    reordering: float = 0.0
    text_form: bool = False

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """Return settings with `changes` applied, or raise `SettingError`."""
        settings = replace(self, **check(changes, WEBHOOK_RULES, "a switch of the webhooks"))
        if settings.url and not _is_web_address(settings.url):
            raise SettingError("url must be an http(s) address")
        return settings


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@dataclass(frozen=True)
class SandboxOptions:
    """What is fixed when a sandbox is created; tests have a clock of their own (epoch seconds).

    The settings return after a reset. Without a state file the sites are only in memory.
    """

    settings: Settings = field(default_factory=Settings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    state_file: Path | None = None
    clock: Callable[[], float] = time.time
