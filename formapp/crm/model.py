"""A book: one pairing of a Wix site with an external system, as its file says; and its figures."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Side = Literal["wix", "crm"]
Direction = Literal["both", "to_crm", "to_wix"]

LABELS = "labels"
"""The name of the labels in conflicts and bases, beside the fields' names."""

EXTENDED = "extended."
"""Begins the name of an extended field of Wix; its display name follows."""

SETS = ("addresses", "emails", "phones")
"""Fields that hold several values, of Wix and of CardDAV alike."""


def other(side: Side) -> Side:
    return "crm" if side == "wix" else "wix"


@dataclass(frozen=True, slots=True)
class FieldPair:
    """A field of a Wix contact and the field of the other system that holds the same.

    Attributes:
        wix, crm: each side's name of it.
        wins: the side whose value stays if both changed; "ask": neither changes, the owner decides.
        clear: "keep": a blank never clears the other side; "propagate": it does.
    """

    wix: str
    crm: str
    direction: Direction = "both"
    wins: Literal["wix", "crm", "ask"] = "wix"
    clear: Literal["keep", "propagate"] = "keep"

    def name(self, side: Side) -> str:
        return self.wix if side == "wix" else self.crm

    def allows(self, to: Side) -> bool:
        return self.direction in ("both", f"to_{to}")


@dataclass(frozen=True, slots=True)
class Book:
    """One pairing of a Wix site with an external system.

    Attributes:
        name: the file's name.
        system: "carddav", "webhook" or "hubspot".
        site: the Wix site's name in the settings.
        mode: "copy": new Wix contacts only, one way; nothing is written at Wix.
        every: how often both sides are asked for changes.
        deletes: what happens to the other side's record of a deleted one: it gets a label ("mark"),
            stays as it is, is archived (marked, where it can't be), or deleted.
        merges: what happens to the other side's twin of a merged record: it gets a label, or is
            merged, too.
        erasures: what happens to the twin of a contact that was erased for privacy.
        labels: which way labels are copied.
        external_id_field: display name of the extended field that stores the other side's id.
        region: of phones without a country code (ISO 3166-1 alpha-2).
    """

    name: str
    system: str
    site: str
    fields: tuple[FieldPair, ...]
    mode: Literal["two-way", "copy"] = "two-way"
    every: timedelta = timedelta(minutes=15)
    url: str = ""
    deletes: Literal["mark", "keep", "archive", "delete"] = "mark"
    merges: Literal["mark", "merge"] = "mark"
    erasures: Literal["mark", "delete"] = "mark"
    labels: Literal["both", "to_crm", "to_wix", "off"] = "both"
    external_id_field: str = "externalCrmId"
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What the first load will do, in contacts; `seconds` is its time at the rate budget.

    Attributes:
        link: all pairs that match.
        update: pairs whose mapped fields differ.
        conflicts: differing fields that both sides hold.
        held: contacts that match ambiguously; they count nowhere else.
    """

    book: str
    link: int = 0
    create_in_crm: int = 0
    create_in_wix: int = 0
    update: int = 0
    conflicts: int = 0
    held: int = 0
    wix_calls: int = 0
    seconds: float = 0.0


State = Literal["new", "loading", "running", "paused"]


@dataclass(frozen=True, slots=True)
class Status:
    """A book's figures.

    Attributes:
        due: links with work that is due.
        conflicts: unresolved ones.
        checkpoint: up to when Wix's changes were read.
        lag_seconds: since when the oldest due link waits.
        done, total: of the load, in contacts.
    """

    book: str
    state: State
    reason: str | None
    linked: int
    held: int
    due: int
    conflicts: int
    checkpoint: datetime | None
    last_pass_at: datetime | None
    lag_seconds: float
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Held:
    """A record that is left alone until a person has made clear who its twin is, and why."""

    contact_id: str | None
    crm_id: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Conflict:
    """A value that was overruled, or (not `resolved`) one of two that wait for the owner.

    The values are erased once the owner has resolved it. `field` is Wix's name. Under
    `wins = "ask"` `lost_side` is "crm", though neither side has lost yet.
    """

    id: int
    contact_id: str | None
    crm_id: str | None
    field: str
    lost_side: Side
    lost_value: str | list[str] | None
    kept_value: str | list[str] | None
    at: datetime
    resolved: bool
