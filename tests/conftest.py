"""What all tests share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole run; skipped where it isn't installed, but never in CI."""
    with chromium() as browser:
        yield browser
