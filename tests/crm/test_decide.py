"""Deciding about one field: what each side had, what it has now, and what is written where."""

from typing import Any

import pytest

from formapp.crm.decide import Decider, Decision, View
from formapp.crm.digests import PURPOSE, Digests
from formapp.crm.model import Book, FieldPair, Side
from formapp.crm.system import Record, Value
from formapp.signing import Keyring

KEYRING = Keyring(["a secret", "an older one"], PURPOSE)


def canon(_pair: FieldPair, value: Value) -> Value | None:
    """Case doesn't count, and neither side can hold a question mark."""
    if value == "?":
        return None
    return value.lower() if isinstance(value, str) else tuple(each.lower() for each in value)


def decide(
    was: tuple[str | None, str | None] | None,
    now: tuple[str | None, str | None],
    first: Side | None = None,
    digests: Digests | None = None,
    **rules: Any,
) -> Decision:
    """Decide about one field of two records."""
    blind = rules.pop("blind", False)
    book = Book("b", "memory", "main", (FieldPair("w", "c", **rules),), labels="off")
    made = digests or Digests(KEYRING)
    bases: list[dict[str, Any]] = [{}, {}]
    if was:
        bases = [{name: made.text(name, text or "")} for name, text in zip("wc", was, strict=True)]
    views = {
        side: View(Record(side, values={name: text} if text else {}), base, is_blind)
        for side, name, text, base, is_blind in zip(
            ("wix", "crm"), "wc", now, bases, (False, blind), strict=True
        )
    }
    return Decider(book, Digests(KEYRING), canon, first).decide(views)  # type: ignore[arg-type] # both sides


ASK, TO_CRM, TO_WIX = {"wins": "ask"}, {"direction": "to_crm"}, {"direction": "to_wix"}
CLEARS = {"clear": "propagate"}


@pytest.mark.parametrize(
    ("was", "now", "rules", "wix", "crm", "lost"),
    [
        (("a", "a"), ("a", "a"), {}, None, None, None),
        (("a", "A"), ("a", "A"), {}, None, None, None),
        (("a", "a"), ("b", "a"), {}, None, "b", None),
        (("a", "a"), ("a", "b"), {}, "b", None, None),
        (("a", "a"), ("b", "B"), {}, None, None, None),
        (("a", "a"), ("b", "c"), {}, None, "b", "c"),
        (("a", "a"), ("b", "c"), {"wins": "crm"}, "c", None, "b"),
        (("a", "a"), ("b", "c"), ASK, None, None, None),
        (("a", "a"), ("a", "b"), TO_CRM, None, None, None),
        (("a", "a"), ("b", "c"), TO_CRM, None, "b", "c"),
        (("a", "a"), ("b", "c"), TO_WIX, "c", None, "b"),
        (("a", "a"), ("b", "a"), TO_WIX, None, None, None),
        (("a", "a"), (None, "a"), {}, None, None, None),
        (("a", "a"), (None, "b"), {}, "b", None, None),
        (("a", "a"), (None, "a"), CLEARS, None, "", None),
        (("a", "a"), (None, "b"), CLEARS, None, "", "b"),
        (("a", "a"), ("?", "a"), {}, None, None, None),
        (None, ("a", None), {}, None, "a", None),
        (None, (None, "a"), CLEARS, "a", None, None),
        (None, ("a", "A"), {}, None, None, None),
        (None, ("a", "b"), {}, None, "a", "b"),
        (("a", "a"), ("a", None), {"blind": True}, None, None, None),
        (("a", "a"), ("b", None), {"blind": True}, None, "b", None),
        (("a", "a"), ("a", "b"), {"blind": True}, "b", None, None),
    ],
)
def test_a_text(  # noqa: PLR0917 - a table
    was: tuple[str, str] | None,
    now: tuple[str | None, str | None],
    rules: dict[str, Any],
    wix: str | None,
    crm: str | None,
    lost: str | None,
) -> None:
    decision = decide(was, now, **rules)
    expected = {"wix": {"w": wix or None} if wix is not None else {}}
    expected["crm"] = {"c": crm or None} if crm is not None else {}
    assert decision.values == expected
    assert [each.lost for each in decision.overruled] == ([lost] if lost else [])
    assert bool(decision.asks) == (rules == ASK)


@pytest.mark.parametrize("first", ["wix", "crm"])
def test_the_system_of_record_wins_where_two_are_first_compared(first: Side) -> None:
    decision = decide(None, ("a", "b"), first=first)
    assert decision.values == (
        {"wix": {}, "crm": {"c": "a"}} if first == "wix" else {"wix": {"w": "b"}, "crm": {}}
    )
    (overruled,) = decision.overruled
    assert overruled.side != first
    later = decide(("x", "x"), ("a", "b"), first=first)
    assert later.values == {"wix": {}, "crm": {"c": "a"}}


def test_digests_of_an_older_key_are_recognized_and_those_of_a_lost_key_are_not() -> None:
    older = Digests(Keyring(["an older one"], PURPOSE))
    assert decide(("a", "a"), ("a", "b"), digests=older).values["wix"] == {"w": "b"}
    lost = Digests(Keyring(["a lost one"], PURPOSE))
    assert [each.lost for each in decide(("a", "a"), ("a", "b"), digests=lost).overruled] == ["b"]
    assert decide(("a", "a"), ("a", "a"), digests=lost).overruled == []


def test_a_base_shows_no_value() -> None:
    bases = decide(None, ("secret", "SECRET")).bases
    assert "secret" not in str(bases).lower()
    assert bases["wix"]["w"] != bases["crm"]["c"]
