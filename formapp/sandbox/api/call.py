"""One call of the API as the operations see it, independent of HTTP framework and socket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from formapp.sandbox.api.auth import Caller
from formapp.sandbox.api.validation import Sent
from formapp.sandbox.options import Settings
from formapp.sandbox.state import Json, Site


def iso(seconds: float) -> str:
    """Return the wire form of a time: `2025-03-04T09:15:30.123Z` (CONTRACT.md section 1)."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Call:
    """An authenticated call, with its site locked.

    `operation` is the operationId, `now` the seconds since the epoch, `path` and `query` hold the
    parameters.
    """

    operation: str
    site: Site
    caller: Caller
    settings: Settings
    now: float
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    body: Json = field(default_factory=dict)

    @property
    def moment(self) -> str:
        """The time of the call in its wire form."""
        return iso(self.now)

    def parameters(self) -> Sent:
        """Return the first value of each query parameter; an empty one counts as absent."""
        return Sent({name: values[0] or None for name, values in self.query.items() if values})

    def many(self, name: str) -> list[str]:
        """Return all values, repeated or comma-separated (CONTRACT.md section 7.2)."""
        parts = (part.strip() for value in self.query.get(name, ()) for part in value.split(","))
        return [part for part in parts if part]
