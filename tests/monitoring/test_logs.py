"""Logs: JSON or for people, with the ids of the moment, and no exception's text."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from formapp.monitoring import logs

CANARY = "canary-answer"
_log = logging.getLogger("formapp.test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_json_line_holds_the_event_and_the_ids(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("json")
    with structlog.contextvars.bound_contextvars(delivery=7, request_id="abc"):
        _log.warning("site %s is paused", "main")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "site main is paused"
    assert (line["level"], line["delivery"], line["request_id"]) == ("warning", 7, "abc")
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_line_commands_a_terminal(capsys: pytest.CaptureFixture[str], style: logs.Style) -> None:
    logs.configure(style)
    _log.warning("Wix said %s", "\x1b]52;c;aGk=\x07 \x9b31m \u202egnp.exe \u2066\r\n2026 forged")
    printed = capsys.readouterr().err
    assert printed.removesuffix("\n").isprintable()
    assert "aGk=" in printed
    if style == "json":
        assert "\x9b31m" in json.loads(printed)["event"]


@pytest.mark.parametrize("style", ["json", "console"])
def test_an_exception_shows_its_type_and_place_but_not_its_text(
    capsys: pytest.CaptureFixture[str], style: logs.Style
) -> None:
    logs.configure(style)
    try:
        int(CANARY)
    except ValueError:
        _log.exception("it failed")
    printed = capsys.readouterr().err
    assert CANARY not in printed
    assert "Traceback" not in printed
    assert "ValueError at" in printed
    assert "test_logs.py" in printed
    assert len(printed.splitlines()) == 1
