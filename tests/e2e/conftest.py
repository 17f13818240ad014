"""The demo as its own process, and a browser in front of it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.support.browser import DESKTOP
from tests.support.demo import Demo
from tests.support.processes import Commands, free_port, wait_for

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots go: looked at by people, never committed."""
    folder = Path(os.environ.get("FORMAPP_ARTEFACTS", "artifacts"))
    folder.mkdir(exist_ok=True)
    return folder.absolute()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo with no contact in it yet."""
    commands = Commands(tmp_path_factory.mktemp("demo"))
    web, sandbox = free_port(), free_port()
    process = commands.start("demo", "--port", str(web), "--sandbox-port", str(sandbox))
    wait_for(f"http://127.0.0.1:{web}/readyz")
    yield Demo(
        web=f"http://127.0.0.1:{web}",
        sandbox=f"http://127.0.0.1:{sandbox}",
        process=process,
        printed=commands.folder / "demo.log",
    )
    commands.close()


@pytest.fixture(autouse=True)
def empty_sandbox(demo: Demo) -> None:
    requests.post(f"{demo.sandbox}/_sandbox/reset", timeout=10).raise_for_status()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open an address; `width`, `scheme` and `javascript` as keywords. Console errors fail."""
    contexts = []
    complaints: list[str] = []

    def open_(
        url: str, *, width: int = DESKTOP, scheme: str = "light", javascript: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=javascript,
            locale="en-GB",
        )
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and "422" not in message.text
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        return page

    yield open_
    cookies = [cookie for context in contexts for cookie in context.cookies()]
    for context in contexts:
        context.close()
    assert complaints == []
    assert cookies == [], "no public page sets a cookie"
