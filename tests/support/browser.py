"""Debian's Chromium, driven by Playwright."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PHONE = 390
DESKTOP = 1280


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser; where it isn't installed, skip (but fail in CI)."""
    if not CHROMIUM.exists():
        if os.environ.get("CI"):
            pytest.fail(f"{CHROMIUM} is missing; in CI nothing is skipped")
        pytest.skip(f"{CHROMIUM} is missing: install Debian's chromium to run this")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                # Tests may run as root, where the browser's own sandbox can't be set up.
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield browser
        browser.close()


def axe_violations(page: Page | Frame) -> list[str]:
    """What axe-core finds on the page or in the frame, as `rule: element`."""
    # Frames in which it doesn't run would be waited for.
    options = {"resultTypes": ["violations"], "iframes": False}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]
