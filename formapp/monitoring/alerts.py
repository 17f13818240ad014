"""An alert: one for each incident, and one when it is over."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Alert:
    """What the owner hears.

    Attributes:
        kind: `failed`, `paused`, `backlog` or `errands`.
        site: the site's name.
        state: `open` when it begins, `over` when it is over.
        detail: in words.
        at: when it was noticed, aware.
    """

    kind: str
    site: str
    state: Literal["open", "over"]
    detail: str
    at: datetime

    @property
    def subject(self) -> str:
        """A few words."""
        what = {
            "failed": "failed deliveries",
            "paused": "paused",
            "backlog": "a backlog",
            "errands": "waiting mails or challenges",
        }
        end = " is over" if self.state == "over" else ""
        return f"formapp: site {self.site}: {what.get(self.kind, self.kind)}{end}"

    @property
    def text(self) -> str:
        """One line."""
        return f"site {self.site}: {self.kind}: {self.detail}"

    def as_json(self) -> dict[str, Any]:
        """As a webhook gets it; `text` is what chat tools show."""
        return {
            "text": f"{self.subject}: {self.detail}",
            "kind": self.kind,
            "site": self.site,
            "state": self.state,
            "detail": self.detail,
            "at": self.at.isoformat(),
        }


Tell = Callable[[Alert], None]
