"""People and the engine in turns: edits between its calls, crashes before and after each of them.

Every value that a person types is new, so that a value says who typed it and where it has been.
"""

import itertools
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import Connection, func, select

from formapp.crm import initial, owner, sync
from formapp.crm.events import Event, store_event, wix_source
from formapp.crm.model import FieldPair, Side, other
from formapp.crm.store import LEASE
from formapp.crm.system import Write
from formapp.db.database import Database
from formapp.db.tables import crm_links
from tests.crm.pairing import LAGGING, Pairing
from tests.support.schema import give_schema

TEXTS = ("first", "company", "phone")
EDITS = (*TEXTS, "emails", "label", "unlabel")
SIDES: tuple[Side, Side] = ("wix", "crm")
FIELDS = tuple(
    FieldPair(name, name, wins="crm" if name == "company" else "wix")
    for name in (*TEXTS, "emails", "email")
)
SEAMS = (
    *("w.got", "w.update", "w.updated", "w.create", "w.created"),
    *("c.got", "c.update", "c.updated", "c.create", "c.created"),
    *("commit", "committed"),
)


class CrashError(BaseException):
    """The process ends here."""


class SeamDatabase(Database):
    """A database whose commits are seams, too."""

    hook: Callable[[str], None] = staticmethod(lambda _name: None)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction, with a seam before its commit and one after."""
        with super().write() as connection:
            yield connection
            self.hook("commit")
        self.hook("committed")


class World:
    """Both systems, the engine, and a ledger of what people did."""

    def __init__(self) -> None:
        memory = "/dev/shm"  # noqa: S108 - Linux's file system in memory
        self._folder = tempfile.mkdtemp(dir=memory if Path(memory).is_dir() else None)
        self.database = SeamDatabase(f"sqlite:///{self._folder}/formapp.db")
        give_schema(self.database)
        self.pairing = Pairing(self.database, fields=FIELDS)
        self.sides = self.pairing.sides
        for system in self.sides.values():
            system.capabilities = LAGGING
        self.persons = 0
        self._numbers = itertools.count(1)
        self._typed: dict[str, set[Side]] = defaultdict(set)
        self._been: dict[Side, set[str]] = {"wix": set(), "crm": set()}
        self._overwritten: list[tuple[Side, str]] = []
        self._labels: dict[str, tuple[Side, str, bool | None]] = {}
        self._plans: list[tuple[str, int, Callable[[], None]]] = []
        self._seen: Counter[str] = Counter()
        self.database.hook = self._seam
        for side in SIDES:
            self._watch(side)

    def close(self) -> None:
        """Remove the database."""
        self.database.close()
        shutil.rmtree(self._folder)

    def _watch(self, side: Side) -> None:
        system = self.sides[side]

        def overwriting(record_id: str, write: Write) -> None:
            for name in TEXTS:
                old = system.rows[record_id].values.get(name)
                if name in write.values and isinstance(old, str):
                    new = write.values[name]
                    if not isinstance(new, str) or spelled(new) != spelled(old):
                        self._overwritten.append((side, spelled(old)))

        def changed(record_id: str) -> None:
            values = system.rows[record_id].values
            texts = (values.get(name) for name in TEXTS)
            self._been[side] |= {spelled(text) for text in texts if isinstance(text, str)}

        system.hook, system.on_update, system.on_change = self._seam, overwriting, changed

    # The engine

    def plan(self, seam: str, number: int, action: Callable[[], None]) -> None:
        """Do something at the n-th time that the engine passes this seam."""
        self._plans.append((seam, number, action))

    def _seam(self, name: str) -> None:
        self._seen[name] += 1
        for plan in [*self._plans]:
            if plan[:2] == (name, self._seen[name]):
                self._plans.remove(plan)
                plan[2]()

    def run(self) -> None:
        """Sync once, a few minutes later; a crash may end it."""
        self._seen.clear()
        self.pairing.clock.turn(LEASE.total_seconds() + 60)
        with suppress(CrashError):
            sync.sync_once(self.pairing.session())
        self._plans.clear()
        # With so few records, an empty side is no loss.
        owner.resume(self.database, "main", self.pairing.clock(), allow_deletes=99)

    def start(self, record: Side) -> None:
        """The first load, begun again after a crash."""
        self.pairing.clock.turn(60)
        planned, self._plans = self._plans, []
        initial.plan(self.pairing.session())
        self._plans = planned
        self._seen.clear()
        for _ in range(2):
            with suppress(CrashError):
                initial.load(self.pairing.session(), record)
            self._plans.clear()
            self.pairing.clock.turn(LEASE.total_seconds() + 60)

    # People

    def create(self, side: Side, *, known: bool) -> None:
        """A new person, with an e-mail if `known`."""
        self.persons += 1
        email = f"p{self.persons}@example.com" if known else ""
        self.sides[side].put(first=self._value("first", side), email=email)

    def create_on_both(self, *, met: bool) -> None:
        """A person whom both sides know, with the same phone in another spelling.

        `met`: it may be edited before the two are first compared; then nothing says that both had
        the same.
        """
        self.persons += 1
        number = next(self._numbers)
        phones = {"wix": f"+44 20 7946 {number:04}", "crm": f"+442079 46{number:04}"}
        for side in SIDES:
            email, phone = f"p{self.persons}@example.com", phones[side]
            if met:
                self._typed[spelled(phone)].add(side)
            self.sides[side].put(email=email, phone=phone, emails=(f"E{number}@x.com",))

    def edit(self, side: Side, index: int, name: str) -> None:
        """Edit a field or the labels of a record."""
        system, record_id = self.sides[side], self._pick(side, index)
        if record_id is None:
            return
        if name == "label":
            label = f"L{next(self._numbers)}"
            self._labels[label] = (side, record_id, True)
            system.edit(record_id, add=[label])
        elif name == "unlabel":
            for label in sorted(system.rows[record_id].labels & self._labels.keys())[:1]:
                # While a write has an unknown outcome, nothing says whether it was seen there.
                expected = None if self._has_intent() else False
                self._labels[label] = (side, record_id, expected)
                system.edit(record_id, remove=[label])
        elif name == "emails":
            held = system.rows[record_id].values.get("emails", ())
            system.edit(record_id, emails=(*held, f"e{next(self._numbers)}@x.com"))
        else:
            system.edit(record_id, **{name: self._value(name, side)})

    def remove(self, side: Side, index: int) -> None:
        """Delete a record."""
        if record_id := self._pick(side, index):
            self.sides[side].remove(record_id)

    def merge(self) -> None:
        """Merge two contacts at Wix: what the survivor takes over is a person's choice there."""
        rows = self.sides["wix"].rows
        ids = sorted(rows)
        if len(ids) > 1:
            had = dict(rows[ids[0]].values)
            self.sides["wix"].combine(ids[0], ids[1])
            for name in TEXTS:
                value = rows[ids[0]].values.get(name)
                if isinstance(value, str) and name not in had:
                    self._typed[spelled(value)].add("wix")

    def hint(self, index: int, kind: str, event_id: str) -> None:
        """Wix sends a webhook: true or outdated, perhaps once more."""
        record_id = self._pick("wix", index)
        if record_id:
            event = Event(wix_source("main"), event_id, kind, record_id, self.pairing.clock())  # type: ignore[arg-type] # one of them
            with self.database.write() as connection:
                store_event(connection, event)

    def _pick(self, side: Side, index: int) -> str | None:
        ids = sorted(self.sides[side].rows)
        return ids[index % len(ids)] if ids else None

    def _value(self, name: str, side: Side) -> str:
        number = next(self._numbers)
        text = f"+44 20 7946 {number:04}" if name == "phone" else f"{name}{number}"
        self._typed[spelled(text)].add(side)
        return text

    def _has_intent(self) -> bool:
        query = select(func.count()).select_from(crm_links).where(crm_links.c.intent.is_not(None))
        with self.database.read() as connection:
            return connection.execute(query).scalar_one() > 0

    # What must hold

    def check(self) -> None:
        """After quiet."""
        self._plans.clear()
        for _ in range(3):
            self.run()
        self.pairing.forget_calls()
        self.run()
        assert self.pairing.writes == [], "a further pass writes"
        with self.database.read() as connection:
            links = connection.execute(select(crm_links)).all()
        for link in links:
            if link.state == "linked":
                self._check_equal(link.wix_id, link.crm_id)
            assert link.intent is None
        for side in SIDES:
            assert len(self.sides[side].rows) <= self.persons, f"doubles in {side}"
        self._check_conflicts()
        twins = {link.wix_id: link.crm_id for link in links if link.state == "linked"}
        self._check_labels(twins)
        unlinked = {"wix": set(twins), "crm": set(twins.values())}
        ended = {link.wix_id for link in links} | {link.crm_id for link in links}
        for side in SIDES:
            assert set(self.sides[side].rows) <= unlinked[side] | ended, "a record was missed"

    def _check_equal(self, wix_id: str, crm_id: str) -> None:
        rows = [self.sides["wix"].rows[wix_id], self.sides["crm"].rows[crm_id]]
        for pair in FIELDS:
            one, two = (row.values.get(pair.wix) for row in rows)
            assert _spelled_all(one) == _spelled_all(two), f"{pair.wix} differs"
        assert rows[0].labels == rows[1].labels, "labels differ"

    def _check_conflicts(self) -> None:
        found = self.pairing.conflicts()
        lost = {spelled(str(each.lost_value)) for each in found}
        for side, old in self._overwritten:
            assert old in self._been[other(side)] or old in lost, "a value was lost"
        for each in found:
            # Both values were typed by people, each on its side, and they differ.
            assert spelled(str(each.lost_value)) != spelled(str(each.kept_value)) or (
                each.field == "contact"
            )
            if each.field != "contact":
                assert each.lost_side in self._typed[spelled(str(each.lost_value))], "false"
                assert other(each.lost_side) in self._typed[spelled(str(each.kept_value))], "false"

    def _check_labels(self, twins: dict[str, str]) -> None:
        back = {crm_id: wix_id for wix_id, crm_id in twins.items()}
        for label, (side, record_id, expected) in self._labels.items():
            wix_id = record_id if side == "wix" else back.get(record_id)
            if expected is not None and wix_id in twins:
                held = self.sides["wix"].rows[wix_id].labels | (
                    self.sides["crm"].rows[twins[wix_id]].labels
                )
                assert (label in held) == expected, "a label was lost or came back"


def spelled(text: str) -> str:
    """The one spelling."""
    return text.replace(" ", "").lower()


def _spelled_all(value: object) -> object:
    if isinstance(value, tuple):
        return sorted(map(spelled, value))
    return spelled(value) if isinstance(value, str) else value


sides, names, indexes = st.sampled_from(SIDES), st.sampled_from(EDITS), st.integers(0, 1)
plans = st.lists(
    st.tuples(
        st.sampled_from(SEAMS),
        st.integers(1, 3),
        st.one_of(st.none(), st.tuples(sides, indexes, names)),
    ),
    max_size=2,
)


class SyncMachine(RuleBasedStateMachine):
    """People and the engine in turns."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def _prepare(self, planned: list[tuple[str, int, tuple[Side, int, str] | None]]) -> None:
        for seam, number, edit in planned:

            def act(edit: tuple[Side, int, str] | None = edit) -> None:
                if edit is None:
                    raise CrashError
                self.world.edit(*edit)

            self.world.plan(seam, number, act)

    @initialize(
        shared=st.booleans(),
        lone=st.lists(st.tuples(sides, st.booleans()), max_size=1),
        planned=plans,
        record=sides,
    )
    def start(
        self,
        *,
        shared: bool,
        lone: list[tuple[Side, bool]],
        planned: list[tuple[str, int, tuple[Side, int, str] | None]],
        record: Side,
    ) -> None:
        """Some persons, and the first load."""
        if shared:
            self.world.create_on_both(met=any(edit for _, _, edit in planned))
        for side, known in lone:
            self.world.create(side, known=known)
        self._prepare(planned)
        self.world.start(record)

    @rule(side=sides, known=st.booleans())
    def create(self, *, side: Side, known: bool) -> None:
        """A new person."""
        if self.world.persons < 3:
            self.world.create(side, known=known)

    @rule(side=sides, index=indexes, name=names)
    def edit(self, side: Side, index: int, name: str) -> None:
        """A person edits one side."""
        self.world.edit(side, index, name)

    @rule(index=indexes, name=st.sampled_from(TEXTS))
    def edit_both(self, index: int, name: str) -> None:
        """Two persons edit the same."""
        for side in SIDES:
            self.world.edit(side, index, name)

    @rule(side=sides, index=indexes)
    def remove(self, side: Side, index: int) -> None:
        """A person deletes a record."""
        self.world.remove(side, index)

    @rule()
    def merge(self) -> None:
        """A person merges two contacts."""
        self.world.merge()

    @rule(
        index=indexes,
        kind=st.sampled_from(["created", "updated", "deleted"]),
        event_id=st.sampled_from("abc"),
    )
    def hint(self, index: int, kind: str, event_id: str) -> None:
        """A webhook."""
        self.world.hint(index, kind, event_id)

    @rule(side=sides, index=indexes, name=names, planned=plans)
    def edit_and_sync(
        self,
        side: Side,
        index: int,
        name: str,
        planned: list[tuple[str, int, tuple[Side, int, str] | None]],
    ) -> None:
        """An edit, and a pass over it that is disturbed."""
        self.world.edit(side, index, name)
        self._prepare(planned)
        self.world.run()

    @rule(
        side=sides,
        index=indexes,
        name=names,
        seam=st.sampled_from(SEAMS),
        number=st.integers(1, 3),
    )
    def crash_and_edit(self, side: Side, index: int, name: str, seam: str, number: int) -> None:
        """An edit, a pass that crashes, and a further edit of the same before it goes on."""
        self.world.edit(side, index, name)
        self.crash(seam, number)
        self.world.edit(side, index, name)

    @rule(seam=st.sampled_from(SEAMS), number=st.integers(1, 3))
    def crash(self, seam: str, number: int) -> None:
        """A pass that crashes."""
        self._prepare([(seam, number, None)])
        self.world.run()

    def teardown(self) -> None:
        """Check after quiet."""
        try:
            self.world.check()
        finally:
            self.world.close()
