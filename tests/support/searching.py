"""Searches of few leads that go as those of very many."""

import pytest

from formapp.leads import search


def narrow(monkeypatch: pytest.MonkeyPatch, *, longer: int, first: int, further: int) -> None:
    """Have a search treat small numbers as large ones.

    Args:
        longer: of so many longer words it reads all.
        first: so many leads are looked through for a first page.
        further: so many for each further one.
    """
    for name, number in (("_DEEPEST", longer), ("_NEAR", first), ("_WINDOW", further)):
        monkeypatch.setattr(search, name, number)
