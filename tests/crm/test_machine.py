"""The state machine of both sides, and that it fails where the engine is changed for the worse."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from formapp.crm import reconcile, twins, writing
from formapp.crm.conflicts import add_conflicts
from formapp.crm.decide import Decider, Decision, View, Views
from formapp.crm.model import LABELS, FieldPair, Side
from formapp.crm.session import Session
from formapp.crm.store import Intent, Link, write_link
from formapp.crm.system import Record, Value
from tests.crm.machine import SyncMachine
from tests.crm.memory import MemorySystem

SETTINGS = settings(
    deadline=None,
    database=None,
    stateful_step_count=8,
    phases=[Phase.generate],
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)

Patch = pytest.MonkeyPatch


@pytest.mark.slow
def test_both_sides_end_equal_and_nothing_is_lost() -> None:
    checked: list[int] = []

    class Machine(SyncMachine):
        def teardown(self) -> None:
            super().teardown()
            checked.append(self.world.persons)

    run_state_machine_as_test(Machine, settings=settings(SETTINGS, max_examples=60))
    assert len(checked) >= 60
    assert any(persons > 1 for persons in checked), "stories of several persons, too"


def one_base(patch: Patch) -> None:
    def view(_self: Session, link: Link, _side: Side, record: Record) -> View:
        return View(record, link.wix_base)

    patch.setattr(Session, "view", view)


def no_normaliser(patch: Patch) -> None:
    def canon(_self: Session, _pair: FieldPair, value: Value) -> Value:
        return value

    patch.setattr(Session, "canon", canon)


def no_intent(patch: Patch) -> None:
    def forget(_session: Session, link: Link, _records: Mapping[Side, Record]) -> Link:
        return replace(link, intent=None)

    patch.setattr(reconcile, "recognize", forget)


def no_look_up(patch: Patch) -> None:
    patch.setattr(twins, "find_by_key", lambda *_: None)


def conflict_after_the_write(patch: Patch) -> None:
    late: list[Any] = []

    def intend(
        session: Session,
        link: Link,
        intent: Intent,
        overruled: Sequence[Any] = (),
        persons: Sequence[str] = (),
    ) -> Link:
        late[:] = [overruled, persons]
        return writing.intend(session, link, intent)

    def commit(session: Session, link: Link, *args: Any) -> Link:
        with session.database.write() as connection:
            add_conflicts(connection, link, late[0], late[1], session.clock())
        return writing.commit_answer(session, link, *args)

    patch.setattr(reconcile, "intend", intend)
    patch.setattr(reconcile, "commit_answer", commit)


def no_precondition(patch: Patch) -> None:
    patch.setattr(MemorySystem, "_check", lambda *_: None)


def base_from_a_later_read(patch: Patch) -> None:
    update = MemorySystem.update

    def read_later(self: MemorySystem, *args: Any) -> Record:
        said = update(self, *args)
        return self.get(said.id) or said

    patch.setattr(MemorySystem, "update", read_later)


def base_before_the_write(patch: Patch) -> None:
    def intend(session: Session, link: Link, intent: Intent, *args: Any) -> Link:
        link = writing.intend(session, link, intent, *args)
        bases = {"wix_base": intent.wix_base, "crm_base": intent.crm_base}
        with session.database.write() as connection:
            return write_link(connection, link, **bases)

    patch.setattr(reconcile, "intend", intend)


def labels_from_one_side(patch: Patch) -> None:
    decide_set = Decider._decide_set

    def copy(self: Decider, decision: Decision, pair: FieldPair, views: Views) -> None:
        if pair.wix == LABELS:
            # As if only Wix had changed since both had what the other side has now.
            base = {LABELS: self.digests.items(LABELS, views["crm"].record.labels)}
            views = {side: replace(view, base=base) for side, view in views.items()}
        decide_set(self, decision, pair, views)

    patch.setattr(Decider, "_decide_set", copy)


Story = Callable[[SyncMachine], None]


def _create_nameless(machine: SyncMachine) -> None:
    """Only the key finds the twin of a person without e-mail and phone."""
    machine.create(side="wix", known=False)
    machine.crash("c.created", 1)


def _overrule_and_crash(machine: SyncMachine) -> None:
    machine.edit_both(0, "first")
    machine.crash("c.updated", 1)


def _edit_and_crash(machine: SyncMachine) -> None:
    machine.edit("wix", 0, "first")
    machine.crash("c.update", 1)


def _met(seam: str, side: Side) -> Story:
    """While a change is written to the CRM, a person edits the same there."""
    return lambda machine: machine.edit_and_sync("wix", 0, "first", [(seam, 1, (side, 0, "first"))])


STORIES: dict[Callable[[Patch], None], Story] = {
    one_base: lambda machine: machine.edit_and_sync("wix", 0, "phone", []),
    no_normaliser: lambda _machine: None,
    no_intent: lambda machine: machine.crash_and_edit("wix", 0, "first", "c.updated", 1),
    no_look_up: _create_nameless,
    conflict_after_the_write: _overrule_and_crash,
    no_precondition: _met("c.update", "crm"),
    base_from_a_later_read: _met("c.updated", "crm"),
    base_before_the_write: _edit_and_crash,
    labels_from_one_side: lambda machine: machine.edit_and_sync("crm", 0, "label", []),
}


def _play(story: Story) -> None:
    machine = SyncMachine()
    try:
        machine.start(shared=True, lone=[], planned=[], record="wix")
        story(machine)
    finally:
        machine.teardown()


@pytest.mark.parametrize("mutate", STORIES, ids=lambda mutate: mutate.__name__)
def test_the_machine_fails_once_the_engine_is_changed_for_the_worse(
    mutate: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    _play(STORIES[mutate])
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        _play(STORIES[mutate])


def test_a_crash_before_the_next_write_forgets_nothing_of_the_one_before() -> None:
    """Else what formapp itself had written to Wix would be taken for a person's edit there."""

    def crash_twice(machine: SyncMachine) -> None:
        machine.crash_and_edit(side="crm", index=0, name="company", seam="w.updated", number=1)
        machine.crash("w.update", 1)
        machine.world.run()
        assert machine.world.pairing.conflicts() == []

    _play(crash_twice)
