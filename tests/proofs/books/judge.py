"""What both sides, the links and the conflicts must look like once all is quiet.

Both sides are read by this module's own few lines, not by what formapp reads them with.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from formapp.crm import owner
from formapp.crm.model import Conflict
from formapp.db.database import Database
from formapp.db.tables import crm_links
from tests.proofs.books.people import COMPANY, FIRST, LAST, Ledger
from tests.proofs.faults.violations import Violation

_ENDED = {"merged_into", "wix_gone", "crm_gone"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """A record of either side, in one spelling."""

    texts: Mapping[str, str]
    emails: frozenset[str]
    phones: frozenset[str]
    labels: frozenset[str]


def read_contact(contact: Json, labels: Mapping[str, str]) -> Person:
    """A contact of the sandbox."""
    info = contact["info"]
    name = info.get("name", {})
    texts = {FIRST: name.get("first", ""), LAST: name.get("last", "")}
    texts[COMPANY] = info.get("company", "")
    items = {each: info.get(each, {}).get("items", []) for each in ("emails", "phones")}
    keys = info.get("labelKeys", {}).get("items", [])
    return Person(
        texts,
        frozenset(each["email"].lower() for each in items["emails"]),
        frozenset(_digits(each["phone"]) for each in items["phones"]),
        frozenset(labels[key] for key in keys if key in labels),
    )


def read_card(text: str) -> Person:
    """A card."""
    lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
    values = [(re.split("[:;]", line)[0], line.partition(":")[2]) for line in lines]
    first = dict(reversed(values))
    last, given, *_ = [*first.get("N", "").split(";"), ""]
    labels = first.get("CATEGORIES", "").split(",")
    return Person(
        {FIRST: given, LAST: last, COMPANY: first.get("ORG", "").partition(";")[0]},
        frozenset(value.lower() for name, value in values if name == "EMAIL"),
        frozenset(_digits(value) for name, value in values if name == "TEL"),
        frozenset(filter(None, labels)),
    )


def _digits(phone: str) -> str:
    return "".join(filter(str.isdigit, phone))[-9:]


@dataclass
class World:
    """All that is left at the end.

    Attributes:
        seen_at_wix: values, and digits of phones, that somebody in Wix's dashboard replaced,
            deleted or merged away.
    """

    wix: Mapping[str, Person]
    crm: Mapping[str, Person]
    links: list[Any]
    conflicts: list[Conflict]
    seen_at_wix: set[str]


def read_world(state: Json, labels: Mapping[str, str], cards: Json, database: Database) -> World:
    """Take it from both sides and the database."""
    shown = [*state["contacts"], *state["gone"]]
    wix = {each["contact"]["id"]: each["contact"] for each in state["contacts"]}
    with database.read() as connection:
        links = [*connection.execute(select(crm_links))]
    seen = {value for each in shown for value in _replaced(each["history"])}
    for each in state["gone"]:
        gone = read_contact(each["contact"], labels)
        seen |= {*gone.texts.values(), *gone.phones}
    return World(
        {id_: read_contact(each, labels) for id_, each in wix.items()},
        {name: read_card(text) for name, (_, text) in cards.items()},
        links,
        [*owner.conflicts(database, "main")],
        seen,
    )


def _replaced(history: list[Json]) -> Iterator[str]:
    for entry in history:
        for change in entry["changes"] if entry["by"] == "dashboard" else ():
            if isinstance(change["before"], list):
                gone = set(change["before"]).difference(change["after"] or ())
                yield from map(_digits, gone)
            else:
                yield str(change["before"])


def judge(world: World, ledger: Ledger) -> Iterator[Violation]:
    """All that must not be."""
    yield from _pairs_differ(world)
    yield from _strays(world)
    yield from _doubles(world, ledger)
    yield from _lost(world, ledger)
    yield from _false_conflicts(world, ledger)


def _linked(world: World) -> dict[str, str]:
    return {row.wix_id: row.crm_id for row in world.links if row.state == "linked"}


def _pairs_differ(world: World) -> Iterator[Violation]:
    for wix_id, crm_id in _linked(world).items():
        one, two = world.wix.get(wix_id), world.crm.get(crm_id)
        if one is None or two is None:
            yield Violation("stuck", f"{wix_id} or {crm_id} is gone, and its link isn't")
            continue
        for name in ("texts", "emails", "phones", "labels"):
            if getattr(one, name) != getattr(two, name):
                here, there = getattr(one, name), getattr(two, name)
                yield Violation("unequal", f"{wix_id} and {crm_id}: {here} and {there}")


def _strays(world: World) -> Iterator[Violation]:
    for side, records in (("wix", world.wix), ("crm", world.crm)):
        known = {getattr(row, f"{side}_id"): row for row in world.links}
        for record_id, person in records.items():
            row = known.get(record_id)
            if row is None or row.state not in {"linked", *_ENDED}:
                state = f"{row.state}, {row.reason}" if row else "no link"
                yield Violation("stuck", f"{side} {record_id} ({state}) {set(person.emails)}")


def _doubles(world: World, ledger: Ledger) -> Iterator[Violation]:
    """A person made each pair's record on one side at least: of nothing, formapp makes nothing."""
    for wix_id, crm_id in _linked(world).items():
        if not {wix_id, crm_id} & ledger.made:
            yield Violation("duplicate", f"no person made {wix_id} or {crm_id}")


def _lost(world: World, ledger: Ledger) -> Iterator[Violation]:
    """A value that people typed is there, was replaced by a person, or is kept in a conflict."""
    kept = {
        value
        for each in world.conflicts
        for value in (each.lost_value, each.kept_value)
        if isinstance(value, str)
    }
    known = kept | ledger.replaced | world.seen_at_wix
    pairs = _linked(world)
    by_side = {"wix": pairs, "crm": {crm: wix for wix, crm in pairs.items()}}
    for value, (side, record_id) in ledger.typed.items():
        twin = by_side[side].get(record_id)
        if twin is None or {record_id, twin} & ledger.gone or value in known:
            continue
        if value not in (world.wix if side == "wix" else world.crm)[record_id].texts.values():
            yield Violation("lost", f"{value}, typed at {side} {record_id}")
    for what, found in (("labels", ledger.labels), ("phones", ledger.phones)):
        for value, (side, record_id) in found.items():
            twin = by_side[side].get(record_id)
            if twin is None or {record_id, twin} & ledger.gone or value in known:
                continue
            if value not in getattr((world.wix if side == "wix" else world.crm)[record_id], what):
                yield Violation("lost", f"{value} ({what}) of {side} {record_id}")


def _false_conflicts(world: World, ledger: Ledger) -> Iterator[Violation]:
    for each in world.conflicts:
        if each.field == "contact" or each.lost_value is None:
            continue
        if str(each.lost_value) not in ledger.typed or str(each.kept_value) not in ledger.typed:
            yield Violation("conflict", f"{each.field}: {each.lost_value} and {each.kept_value}")
