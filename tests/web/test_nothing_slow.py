"""Nothing slow on the way in: what a request does besides its work is counted, not timed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from jinja2 import Environment
from wtforms import Form
from wtforms.form import FormMeta

from formapp.db import revision
from formapp.web.services import EXTENSION
from tests.web.support import FULL, JSON, Site

# What the interpreter itself reports (PEP 578). An audit hook can't be taken away again: there is
# one for the whole run, and it is deaf while nobody watches.
_SLOW = {
    "open": "a file is opened",
    "socket.getaddrinfo": "a name is looked up",
    "socket.gethostbyname": "a name is looked up",
    "socket.connect": "somebody is called",
    "subprocess.Popen": "a process is started",
    "import": "a module is imported",
    "compile": "code is compiled",
}
_heard: list[str] | None = None


def _listen(event: str, args: tuple[Any, ...]) -> None:
    if _heard is not None and event in _SLOW:
        _heard.append(f"{_SLOW[event]}: {args[0]!r:.80}")


sys.addaudithook(_listen)


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Everything slow that happens meanwhile, in words."""
    global _heard  # noqa: PLW0603 - the hook above outlives every test
    found: list[str] = []
    with monkeypatch.context() as patched:
        for owner, name, what in (
            (Environment, "compile", "a template is compiled"),
            (FormMeta, "__init__", "a form class is built"),
            (revision, "is_current", "the schema is looked up"),
        ):
            patched.setattr(owner, name, _told(getattr(owner, name), what, found))
        _heard = found
        try:
            yield found
        finally:
            _heard = None


def _told(function: Callable[..., Any], what: str, found: list[str]) -> Callable[..., Any]:
    def told(*args: Any, **kwargs: Any) -> Any:
        found.append(what)
        return function(*args, **kwargs)

    return told


def _show(site: Site) -> int:
    return site.get("/f/lead").status_code


def _embed(site: Site) -> int:
    return site.get("/f/lead/embed").status_code


def _submit(site: Site) -> int:
    return site.post(FULL).status_code


def _submit_as_a_program(site: Site) -> int:
    return site.foreign(FULL, json=True).status_code


def _submit_with_faults(site: Site) -> int:
    return site.post(FULL | {"email": "nobody@nowhere.invalid@"}).status_code


def _submit_with_faults_as_a_program(site: Site) -> int:
    return site.foreign(FULL | {"phone": "12"}, json=True, **JSON).status_code


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (_show, 200),
        (_embed, 200),
        (_submit, 303),
        (_submit_as_a_program, 200),
        (_submit_with_faults, 422),
        (_submit_with_faults_as_a_program, 422),
    ],
)
def test_a_request_does_nothing_slow(
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
    request_: Callable[[Site], int],
    status: int,
) -> None:
    # What counts visits meanwhile, in a thread of its own, opens SQLite's files at its first write.
    with site.app.extensions[EXTENSION].database.write():
        pass
    # The first may load and compile what the others then have; a second shows whether they do.
    assert [request_(site), request_(site)] == [status, status]
    with watched(monkeypatch) as found:
        assert request_(site) == status
    assert found == []


@pytest.mark.parametrize("site_kind", ["postgresql"])
def test_a_post_is_kept_on_a_connection_that_is_there(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _submit(site) == 303
    opened: list[str] = []
    dialect = site.database.engine.dialect
    monkeypatch.setattr(dialect, "connect", _told(dialect.connect, "connected", opened))
    assert [_submit(site) for _ in range(5)] == [303] * 5
    # Visits may be stored meanwhile, by the connection that was there.
    assert len(opened) <= 1


def test_what_is_counted_is_heard(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    with watched(monkeypatch) as found:
        (tmp_path / "file").read_bytes()
        Environment(autoescape=True).from_string("{{ 1 }}")
        type("Another", (Form,), {})
    assert any(each.startswith("a file is opened") for each in found)
    assert {"a template is compiled", "a form class is built"} <= set(found)
