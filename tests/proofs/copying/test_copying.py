"""The short form of the proof."""

from pathlib import Path

from tests.proofs.copying.run import copy


def test_copying_costs_one_call_for_a_thousand_contacts(tmp_path: Path) -> None:
    both = copy(120, tmp_path)
    found = both.ours
    assert both.plain.calls == {"listContacts": 1}
    assert both.plain.copied == 120
    assert found.copied == 120
    assert found.calls == {"listContacts": 1, "listLabels": 1, "listExtendedFields": 1}
