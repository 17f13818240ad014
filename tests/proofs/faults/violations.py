"""What must never happen: the kinds, and one occurrence."""

from dataclasses import dataclass

KINDS = {
    "lost": "a receipt was given, and the lead isn't kept or isn't in its contact",
    "kept_twice": "one lead was kept as two submissions",
    "refused": "a good lead was refused",
    "failed": "a delivery failed for good",
    "stuck": "a delivery wasn't done in time",
    "duplicate": "two contacts are one identity",
    "orphan": "a contact that no delivery knows of",
    "overwritten": "something that the contact held was changed or removed",
    "twice": "a lead was applied twice, or out of order, with another result",
    "outcome": "the ledger tells another story than the contact's history",
    "budget": "more calls than the limit in one window",
    "slow": "less throughput than promised",
    "unclear": "refused without saying so, or success without keeping",
}
"""Kind to what it means."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One. `detail` names ids and references of invented people only."""

    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"
