"""What to write where, from both records and what each side last said: pure functions.

Each side of each field has its own base: the value as that side last said it, as a digest. A side
has changed if its value isn't its base's; neither times nor flags count. A base moves on only once
both sides agree about the field, or a write was answered.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from formapp.crm.digests import Digests
from formapp.crm.model import LABELS, Book, FieldPair, Side, other
from formapp.crm.system import Record, Value, Write, as_items

Canon = Callable[[FieldPair, Value], Value | None]
"""One spelling for both sides: what they make of a value; None if one of them can't hold it."""

Base = dict[str, Any]
"""By the side's field names and `LABELS` a digest, empty for a blank; a list for a set. Under `KEY`
the other side's id as it was once written to this side."""

KEY = ""

SIDES: tuple[Side, Side] = ("wix", "crm")


@dataclass(frozen=True, slots=True, repr=False)
class View:
    """One side's record and its base; `blind`: an absent field is unknown, not blank."""

    record: Record
    base: Mapping[str, Any] = field(default_factory=dict)
    blind: bool = False

    def knows(self, name: str) -> bool:
        if name == LABELS:
            return not self.blind or bool(self.record.labels)
        return not self.blind or name in self.record.values

    def items(self, name: str) -> tuple[str, ...]:
        """The field's items, or the labels."""
        if name == LABELS:
            return tuple(sorted(self.record.labels))
        return as_items(self.record.values.get(name))

    def text(self, name: str) -> str | None:
        """The field's text; None if it is blank."""
        return next(iter(self.items(name)), None)


Views = Mapping[Side, View]


@dataclass(frozen=True, slots=True, repr=False)
class Overruled:
    """A value that a write overrules (or, if the owner is asked, may overrule)."""

    field: str
    side: Side
    lost: Value | None
    kept: Value | None


@dataclass(frozen=True, slots=True, repr=False)
class SetChange:
    """Items, in the one spelling, that a write adds to a side and removes from it."""

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


@dataclass(slots=True, repr=False)
class Decision:
    """What follows from two records.

    Attributes:
        bases: the bases as far as nothing has to be written for them.
        values: what to write to each side, by its field names; `labels` as well.
        sets: the changes of set-valued fields and labels among them, by Wix's name.
        overruled: what the writes overrule, each with the side that is overwritten.
        asks: conflicts that wait for the owner; nothing is written there.
    """

    bases: dict[Side, Base]
    values: dict[Side, dict[str, Value | None]] = field(
        default_factory=lambda: {"wix": {}, "crm": {}}
    )
    sets: dict[Side, dict[str, SetChange]] = field(default_factory=lambda: {"wix": {}, "crm": {}})
    overruled: list[Overruled] = field(default_factory=list)
    asks: list[Overruled] = field(default_factory=list)

    def write(self, side: Side) -> Write:
        """What to send to that side; it may be empty."""
        values = {name: value for name, value in self.values[side].items() if name != LABELS}
        labels = self.sets[side].get(LABELS, SetChange())
        whole = self.values[side].get(LABELS)
        return Write(
            values,
            labels.added,
            labels.removed,
            all_labels=frozenset(as_items(whole)) if LABELS in self.values[side] else None,
        )


@dataclass(frozen=True, slots=True, repr=False)
class _Step:
    """A write that was answered, and the bases that follow from it."""

    decision: Decision
    side: Side
    views: Views
    answer: View
    bases: dict[Side, Base]


@dataclass(frozen=True, slots=True, repr=False)
class Decider:
    """Decides for one book.

    `first` is the system of record: it wins where two records are first compared, unless the owner
    is asked.
    """

    book: Book
    digests: Digests
    canon: Canon
    first: Side | None = None

    @property
    def pairs(self) -> tuple[FieldPair, ...]:
        """The mapped fields, and the labels as one of them."""
        if self.book.labels == "off":
            return self.book.fields
        labels = FieldPair(LABELS, LABELS, self.book.labels, clear="propagate")
        return (*self.book.fields, labels)

    def decide(self, views: Views, chosen: Mapping[str, Value | None] | None = None) -> Decision:
        """Decide about every field; `chosen` has the owner's resolutions by Wix's name."""
        decision = Decision({side: dict(views[side].base) for side in SIDES})
        for pair in self.pairs:
            if is_set(pair, views):
                self._decide_set(decision, pair, views)
            elif chosen and pair.wix in chosen:
                self._apply_choice(decision, pair, views, chosen[pair.wix])
            else:
                self._decide_text(decision, pair, views)
        return decision

    def advance(
        self, decision: Decision, side: Side, views: Views, said: Record
    ) -> dict[Side, Base]:
        """The bases after the write to `side`, which was answered by `said`."""
        bases = {each: dict(base) for each, base in decision.bases.items()}
        step = _Step(decision, side, views, View(said, blind=views[side].blind), bases)
        for pair in self.pairs:
            if pair.name(side) in decision.values[side]:
                if pair.wix in decision.sets[side]:
                    self._advance_set(step, pair)
                else:
                    self._advance_text(step, pair)
        return bases

    def is_applied(self, pair: FieldPair, side: Side, view: View, base: Base) -> bool:
        """Whether a record holds what a write of unknown outcome would have made the base of."""
        name = pair.name(side)
        new, old = base.get(name), view.base.get(name)
        if not isinstance(new, list):
            return self.digests.is_text(new or "", name, view.text(name) or "")
        items = self._canonical(pair, view.items(name))
        held = old if isinstance(old, list) else []
        added, removed = set(new).difference(held), set(held).difference(new)
        return (
            not self.digests.missing(added, name, items)
            and self.digests.missing(removed, name, items) == removed
        )

    def is_edited(self, side: Side, view: View) -> bool:
        """Whether a record differs from what this side last said."""
        for pair in self.pairs:
            name = pair.name(side)
            if is_set(pair, {side: view}):
                items = self._canonical(pair, view.items(name))
                if any(self._set_changes(pair, side, {side: view}, items)):
                    return True
            elif name in view.base and self._changed(pair, side, {side: view}):
                return True
        return False

    def drifted(self, views: Views) -> list[FieldPair]:
        """Fields that differ though neither side has changed: a base must be wrong."""
        found = []
        for pair in self.pairs:
            names = [(side, pair.name(side)) for side in SIDES]
            held = {side: self._canonical(pair, views[side].items(name)) for side, name in names}
            if not all(held.values()) or any(name not in views[s].base for s, name in names):
                continue
            if is_set(pair, views):
                changes = [self._set_changes(pair, side, views, held[side]) for side in SIDES]
                changed = any(map(any, changes))
            else:
                changed = any(self._changed(pair, side, views) for side in SIDES)
            if not changed and held["wix"].keys() != held["crm"].keys():
                found.append(pair)
        return found

    # Texts

    def _decide_text(self, decision: Decision, pair: FieldPair, views: Views) -> None:
        texts = {side: views[side].text(pair.name(side)) for side in SIDES}
        changed = {side: self._changed(pair, side, views) for side in SIDES}
        if not views["crm"].knows(pair.crm):
            self._send(decision, pair, views)
            return
        if not any(changed.values()):
            return
        if self._same(pair, texts["wix"], texts["crm"]):
            self._settle(decision, pair, views, *SIDES)
            return
        is_new = any(pair.name(side) not in views[side].base for side in SIDES)
        for side in SIDES:
            # A blank clears nothing unless it is asked to, and never where both are compared first.
            if changed[side] and texts[side] is None and (is_new or pair.clear == "keep"):
                changed[side] = False
                if not is_new:
                    self._settle(decision, pair, views, side)
        self._copy_changes(decision, pair, texts, changed, self.first if is_new else None)

    def _send(self, decision: Decision, pair: FieldPair, views: Views) -> None:
        """To a side that can't be read."""
        text, is_new = views["wix"].text(pair.wix), pair.wix not in views["wix"].base
        if text is None and (is_new or pair.clear == "keep"):
            self._settle(decision, pair, views, "wix")
        elif self._changed(pair, "wix", views) and pair.allows("crm") and self._fits(pair, text):
            decision.values["crm"][pair.crm] = text

    def _copy_changes(
        self,
        decision: Decision,
        pair: FieldPair,
        texts: Mapping[Side, str | None],
        changed: Mapping[Side, bool],
        first: Side | None,
    ) -> None:
        winner = self._winner(pair, changed, first)
        if winner is None or not self._fits(pair, texts[winner]):
            return
        loser = other(winner)
        if changed[loser]:
            if pair.wins == "ask":
                lost, kept = texts["crm"], texts["wix"]
                decision.asks.append(Overruled(pair.wix, "crm", lost, kept))
                return
            if texts[loser] is not None:
                overruled = Overruled(pair.wix, loser, texts[loser], texts[winner])
                decision.overruled.append(overruled)
        decision.values[loser][pair.name(loser)] = texts[winner]

    def _winner(
        self, pair: FieldPair, changed: Mapping[Side, bool], first: Side | None
    ) -> Side | None:
        """The side whose value is copied; None: neither."""
        for target in SIDES:
            if not pair.allows(target):
                return target if changed[target] else None
        if changed["wix"] and changed["crm"]:
            rule: Side = "crm" if pair.wins == "crm" else "wix"
            return first or rule
        return next((side for side in SIDES if changed[side]), None)

    def _fits(self, pair: FieldPair, text: str | None) -> bool:
        """Whether both sides can hold it."""
        return text is None or self.canon(pair, text) is not None

    def _apply_choice(
        self, decision: Decision, pair: FieldPair, views: Views, value: Value | None
    ) -> None:
        text = next(iter(as_items(value)), None)
        for side in SIDES:
            lost = views[side].text(pair.name(side))
            if not self._same(pair, lost, text):
                decision.values[side][pair.name(side)] = text
                if lost is not None and self._changed(pair, side, views):
                    decision.overruled.append(Overruled(pair.wix, side, lost, text))
        if not any(pair.name(side) in decision.values[side] for side in SIDES):
            self._settle(decision, pair, views, *SIDES)

    def _changed(self, pair: FieldPair, side: Side, views: Views) -> bool:
        name, view = pair.name(side), views[side]
        if not view.knows(name):
            return False
        digest = view.base.get(name)
        if not isinstance(digest, str):
            return True
        return not self.digests.is_text(digest, name, view.text(name) or "")

    def _same(self, pair: FieldPair, one: str | None, two: str | None) -> bool:
        if one is None or two is None or one == two:
            return one == two
        spelling = self.canon(pair, one)
        return spelling is not None and spelling == self.canon(pair, two)

    def _settle(self, decision: Decision, pair: FieldPair, views: Views, *sides: Side) -> None:
        for side in sides:
            name = pair.name(side)
            decision.bases[side][name] = self.digests.text(name, views[side].text(name) or "")

    def _advance_text(self, step: "_Step", pair: FieldPair) -> None:
        name, twin = pair.name(step.side), other(step.side)
        sent = step.decision.values[step.side][name]
        knows = step.answer.knows(name)
        said = step.answer.text(name) if knows else next(iter(as_items(sent)), None)
        step.bases[step.side][name] = self.digests.text(name, said or "")
        if step.views[twin].knows(pair.name(twin)):
            source = pair.name(twin)
            text = step.views[twin].text(source) or ""
            step.bases[twin][source] = self.digests.text(source, text)

    # Sets, and labels among them

    def _decide_set(self, decision: Decision, pair: FieldPair, views: Views) -> None:
        items = {side: self._canonical(pair, views[side].items(pair.name(side))) for side in SIDES}
        changes = {side: self._set_changes(pair, side, views, items[side]) for side in SIDES}
        if not views["crm"].knows(pair.crm):
            # It can't be read: it gets the whole set as it is.
            if any(changes["wix"]) and pair.allows("crm"):
                decision.values["crm"][pair.crm] = views["wix"].items(pair.wix) or None
                decision.sets["crm"][pair.wix] = SetChange(frozenset(changes["wix"][0]))
            return
        added = changes["wix"][0] | changes["crm"][0]
        for to in SIDES:
            source = other(to)
            if not pair.allows(to):
                continue
            new = changes[source][0] - items[to].keys()
            gone = {
                each
                for each in items[to].keys() - added
                if self.digests.holds(changes[source][1], pair.name(source), each)
            }
            change = SetChange(frozenset(new), frozenset(gone))
            if change:
                kept = [item for spelling, item in items[to].items() if spelling not in gone]
                whole = [*kept, *(items[source][each] for each in new)]
                decision.values[to][pair.name(to)] = tuple(sorted(whole)) or None
                decision.sets[to][pair.wix] = change
        self._settle_set(decision, pair, items)

    def _set_changes(
        self, pair: FieldPair, side: Side, views: Views, items: Mapping[str, str]
    ) -> tuple[set[str], set[str]]:
        """The spellings that a side added, and the digests of what it removed."""
        name, view = pair.name(side), views[side]
        base = view.base.get(name)
        if not isinstance(base, list):
            return set(items), set()
        added = {each for each in items if not self.digests.holds(base, name, each)}
        removed = self.digests.missing(base, name, items)
        blank = not items and pair.clear == "keep"
        return added, set() if blank or not view.knows(name) else removed

    def _settle_set(
        self, decision: Decision, pair: FieldPair, items: Mapping[Side, Mapping[str, str]]
    ) -> None:
        """While a write is due, only what both have is agreed on; else each side as it is."""
        pending = any(pair.wix in decision.sets[side] for side in SIDES)
        shared = items["wix"].keys() & items["crm"].keys()
        for side in SIDES:
            name, base = pair.name(side), decision.bases[side].get(pair.name(side))
            known = base if pending and isinstance(base, list) else []
            agreed = shared if pending else items[side].keys()
            fresh = [
                each for each in agreed if not (known and self.digests.holds(known, name, each))
            ]
            decision.bases[side][name] = sorted({*known, *self.digests.items(name, fresh)})

    def _advance_set(self, step: "_Step", pair: FieldPair) -> None:
        side, twin = step.side, other(step.side)
        name, change = pair.name(side), step.decision.sets[side][pair.wix]
        if not step.views[side].knows(name):
            whole = self._canonical(pair, step.views[twin].items(pair.name(twin)))
            for each in SIDES:
                step.bases[each][pair.name(each)] = self.digests.items(pair.name(each), whole)
            return
        before = self._canonical(pair, step.views[side].items(name)).keys()
        after = self._canonical(pair, step.answer.items(name)).keys()
        # What the system made something else of is ours, too.
        ours = change.added if change.added <= after else after - before
        for each, new in ((side, ours), (twin, change.added)):
            own = pair.name(each)
            old = step.bases[each].get(own) or []
            left = self.digests.missing(old, own, change.removed)
            step.bases[each][own] = sorted(left | set(self.digests.items(own, new)))

    def _canonical(self, pair: FieldPair, items: tuple[str, ...]) -> dict[str, str]:
        """Items by their one spelling, without those that one of the sides can't hold."""
        if pair.wix == LABELS:
            return {each: each for each in items}
        spelled = {each: self.canon(pair, (each,)) for each in items}
        return {as_items(value)[0]: each for each, value in spelled.items() if value}


def is_set(pair: FieldPair, views: Views) -> bool:
    """Whether the field holds a set, by what its sides hold or held."""
    if pair.wix == LABELS:
        return True
    return any(
        isinstance(view.record.values.get(pair.name(side)), tuple)
        or isinstance(view.base.get(pair.name(side)), list)
        for side, view in views.items()
    )
