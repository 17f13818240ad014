"""What a web process keeps in memory between two requests, and why several processes are right.

`formapp serve --processes N` runs several: what one of them keeps, the others don't see.
`tests/cli/test_processes.py` shows what must be right together, by two processes. Here everything
is listed that a class or a module changes after it was made; caches by arguments (`functools`) are
the same in each process.
"""

import ast
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from formapp.web.services import Services

ROOT = Path(__file__).parents[1]
_CONTAINERS = ("dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict")
_MAKERS = {*_CONTAINERS, "count", "Lock", "RLock", "Event", "Condition", "Semaphore", "local"}

ONE_REQUEST = "belongs to one request or connection"
STATE = {
    "db.database.Database": "each has connections of its own, and threads that use them",
    "db.postgresql.Statements": "its connections are of one process",
    "db.database._Turn": "its locks of files hold among all processes on the database",
    "db.notify.Listener": "of a worker's process",
    "db.notify.Notifier": "each notifies of its own commits",
    "files.images._ONE_AT_A_TIME": "each process decodes one picture at a time, 200 MB at most",
    "files.store.Spool": ONE_REQUEST,
    "forms.fields.base.Control": ONE_REQUEST,
    "forms.lead_form.StatelessToken": ONE_REQUEST,
    "forms.reading.places._Subdivisions": "the same in each process",
    "leads.accept._counter": "ids also have 26 random bits",
    "waiting.Hub": "of one thread",
    "waiting._Greenlet": "of one thread",
    "waiting._Batch": "of one commit",
    "waiting.Group": "each process has its own commits; keys are unique in the database",
    "leads.export_files._Written": ONE_REQUEST,
    "leads.identity_search.SearchedTexts": ONE_REQUEST,
    "monitoring.metrics.Metrics": "summed by `share_counters`",
    "monitoring.visits.Visits": "each adds what it has counted to the same rows",
    "server._ErrorTask": ONE_REQUEST,
    "request_parser._ChunkedReceiver": ONE_REQUEST,
    "request_parser.Bodies": "counts in memory that all share; each logs by itself that it is full",
    "request_parser.Parser": ONE_REQUEST,
    "server._Channel": ONE_REQUEST,
    "server.Server": "each has its own connections, threads and end",
    "web.public.spam_check.Verdict": ONE_REQUEST,
    "web.public.uploads.Upload": ONE_REQUEST,
    "web.public.uploads.Uploads": ONE_REQUEST,
    "web.rate_limit.MemoryCounts": "of a single process; several have SharedCounts",
    "web.rate_limit.Limits": "each finds out for itself that the counts can't be reached",
    "web.shared_counts.SharedCounts": "memory that all share",
}
SERVICES = {
    "metrics": "summed by `share_counters`",
    "pages": "a cache, the same in each process until it restarts",
}


def _is_mutable(value: ast.expr | None) -> bool:
    """Whether this makes something empty that is to be filled, or a lock."""
    if isinstance(value, ast.Dict | ast.List | ast.Set):
        return not (value.values if isinstance(value, ast.Dict) else value.elts)
    if isinstance(value, ast.Call):
        made = value.func
        name = made.attr if isinstance(made, ast.Attribute) else getattr(made, "id", "")
        return name in _MAKERS and not value.args
    return False


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return [node.target] if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def _changes(function: ast.FunctionDef) -> bool:
    """Whether a method changes attributes of its object, or makes them changeable."""
    is_first = function.name == "__init__" or function.name.startswith("_define")
    return any(
        isinstance(target, ast.Attribute)
        and getattr(target.value, "id", "") == "self"
        and (not is_first or _is_mutable(getattr(node, "value", None)))
        for node in ast.walk(function)
        for target in _targets(node)
    )


def _stateful(module: str, path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            if any(map(_changes, methods)):
                found.add(f"{module}.{node.name}")
        elif _is_mutable(getattr(node, "value", None)):
            found |= {f"{module}.{ast.unparse(target)}" for target in _targets(node)}
    return found


def _modules() -> dict[str, Path]:
    """The modules that a web process loads."""
    loads = "formapp.app, formapp.server, formapp.web.shared_counts"
    script = f"import sys, {loads}; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", script], text=True)
    found = {}
    for name in loaded.split():
        if name.startswith("formapp."):
            path = ROOT.joinpath(*name.split("."))
            module = name.removeprefix("formapp.")
            found[module] = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return found


@pytest.mark.slow
def test_everything_that_a_web_process_keeps_is_listed() -> None:
    found: set[str] = set()
    for module, path in _modules().items():
        found |= _stateful(module, path)
    assert found - STATE.keys() == set(), "is it right with several processes? Then list it"
    assert STATE.keys() - found == set(), "it is gone"


def test_so_is_what_an_app_makes_for_itself() -> None:
    made = {each.name for each in fields(Services) if each.default_factory is not MISSING}
    assert made == SERVICES.keys()
