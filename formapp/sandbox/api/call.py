"""One call of the API as the operations see it: no trace of HTTP framework or socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from formapp.sandbox.options import Settings
    from formapp.sandbox.state import Json, Site


@dataclass(frozen=True)
class Caller:
    """Who calls.

    Attributes:
        kind: An API key, an app token, or a person in the dashboard (control calls only).
        site_id: The site that the call concerns.
        bucket: Names the rate limit's counter; holds no secret.
        app_id: Of an app token.
    """

    kind: Literal["key", "app", "dashboard"]
    site_id: str
    bucket: str
    app_id: str | None = None


@dataclass(frozen=True)
class Call:
    """A call that has passed authentication and rate limit, with its site locked.

    Attributes:
        operation: The operationId, such as `createContact`.
        path: Path parameters.
        query: Query parameters; each name has its values in order.
        body: The JSON object that was sent, or an empty one.
        now: Seconds since the epoch.
    """

    operation: str
    site: Site
    caller: Caller
    settings: Settings
    now: float
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: Json = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        """Return the first value of a query parameter; an empty one counts as absent."""
        values = self.query.get(name)
        return values[0] if values and values[0] != "" else None

    def many(self, name: str) -> list[str]:
        """Return all values of a query parameter, repeated or comma-separated (section 7.2)."""
        parts = (part.strip() for value in self.query.get(name, ()) for part in value.split(","))
        return [part for part in parts if part]
