"""Which leads a list, a search, a count or an export is about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

STATES = ("pending", "delivered", "failed", "quarantined", "unconfirmed", "spam")
"""All states: of the delivery, or of a submission that has none."""

OUTCOMES = ("created", "updated", "unchanged")


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which submissions; an empty part excludes none, but honeypot catches need their state.

    Attributes:
        sites: None: of all sites; otherwise of these alone, of none if it is empty.
        since: received then or later.
        until: received before.
        search: beginnings of a name's words, an e-mail address or its beginning, a telephone number
            or its end, or a short id.
    """

    forms: tuple[str, ...] = ()
    sites: tuple[str, ...] | None = None
    states: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""

    def within(self, sites: Sequence[str] | None) -> "LeadFilter":
        """Return the filter for somebody who may see these sites alone (None: all)."""
        if sites is None:
            return self
        chosen = sites if self.sites is None else [each for each in self.sites if each in sites]
        return replace(self, sites=tuple(chosen))

    def of_form(self, form: str) -> "LeadFilter":
        return replace(self, forms=(form,))
