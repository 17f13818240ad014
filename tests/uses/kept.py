"""What is in the database after a use."""

from typing import Any

from tests.uses.conftest import World

CAMPAIGN = "utm_source=letter&utm_medium=mail&secret=1"
UTM = {"utm_source": "letter", "utm_medium": "mail"}
"""The query of a page, and what is kept of it as the campaign."""


def assert_kept(world: World, use: str, page: str | None, **meta: Any) -> None:
    """Check the only submission: its answers and where it came from."""
    row = world.one()
    assert row.answers["name"] == "Ada Lovelace"
    assert row.answers["email"] == "ada@example.com"
    assert row.meta["use"] == use
    assert row.meta["page"] == page
    for name, value in meta.items():
        assert row.meta[name] == value, name
    assert "secret" not in str(row.meta) or use == "page"
