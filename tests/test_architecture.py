"""The rules of the house, enforced: who may import whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "formapp"
MODULES = {
    ".".join(("formapp", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): path
    for path in PACKAGE.rglob("*.py")
}
ROOTS = ("formapp.cli", "formapp.app", "formapp.config")

# Room to what it may import of formapp, itself apart. What isn't listed may not be imported.
MAY_IMPORT = {
    "formapp.decoding": (),
    "formapp.lead": ("formapp.decoding",),
    "formapp.resources": (),
    "formapp.signing": (),
    "formapp.http": (),
    "formapp.manual": (),
    "formapp.printable": (),
    "formapp.randomness": (),
    "formapp.waiting": (),
    "formapp.request_parser": (),
    "formapp.server": ("formapp.request_parser", "formapp.waiting"),
    "formapp.wix": (),
    "formapp.sandbox": (),
    "formapp.starter": (),
    "formapp.languages": ("formapp.resources",),
    "formapp.config": ("formapp.files", "formapp.forms", "formapp.resources", "formapp.spam"),
    "formapp.db": ("formapp.waiting",),
    "formapp.mail": ("formapp.db", "formapp.forms.reading", "formapp.http", "formapp.signing"),
    "formapp.jobs": ("formapp.db",),
    "formapp.users": ("formapp.db",),
    "formapp.files": ("formapp.db", "formapp.jobs", "formapp.signing"),
    "formapp.monitoring": (
        "formapp.db",
        "formapp.waiting",
        "formapp.http",
        "formapp.mail",
        "formapp.printable",
    ),
    "formapp.forms": (
        "formapp.confirmation",
        "formapp.decoding",
        "formapp.files.types",
        "formapp.languages",
        "formapp.lead",
        "formapp.notifications.definition",
        "formapp.randomness",
        "formapp.spam",
        "formapp.signing",
    ),
    "formapp.spam": ("formapp.http", "formapp.jobs"),
    "formapp.confirmation": ("formapp.db", "formapp.jobs", "formapp.mail", "formapp.signing"),
    "formapp.notifications": (
        "formapp.db",
        "formapp.files",
        "formapp.forms.definition",
        "formapp.forms.mapping",
        "formapp.forms.notes",
        "formapp.forms.reading",
        "formapp.http",
        "formapp.jobs",
        "formapp.languages",
        "formapp.mail",
    ),
    "formapp.delivery": (
        "formapp.db",
        "formapp.decoding",
        "formapp.http",
        "formapp.jobs",
        "formapp.lead",
        "formapp.monitoring",
        "formapp.wix",
    ),
    "formapp.crm": (
        "formapp.db",
        "formapp.decoding",
        "formapp.delivery.sites",
        "formapp.forms.definition",
        "formapp.forms.reading",
        "formapp.http",
        "formapp.jobs",
        "formapp.monitoring",
        "formapp.signing",
        "formapp.wix",
    ),
    "formapp.leads": (
        "formapp.confirmation",
        "formapp.crm.conflicts",
        "formapp.crm.digests",
        "formapp.crm.events",
        "formapp.db",
        "formapp.decoding",
        "formapp.files",
        "formapp.forms",
        "formapp.waiting",
        "formapp.jobs",
        "formapp.signing",
        "formapp.lead",
        "formapp.mail",
        "formapp.notifications",
        "formapp.spam",
        "formapp.printable",
        "formapp.randomness",
    ),
    "formapp.web": (
        "formapp.confirmation",
        "formapp.crm.digests",
        "formapp.crm.events",
        "formapp.crm.inbound",
        "formapp.crm.wix_webhook",
        "formapp.db",
        "formapp.files",
        "formapp.forms",
        "formapp.waiting",
        "formapp.jobs",
        "formapp.languages",
        "formapp.lead",
        "formapp.leads",
        "formapp.mail",
        "formapp.manual",
        "formapp.monitoring",
        "formapp.notifications",
        "formapp.randomness",
        "formapp.resources",
        "formapp.signing",
        "formapp.spam",
        "formapp.users",
    ),
    "formapp.app": (
        "formapp.config",
        "formapp.confirmation",
        "formapp.crm.books",
        "formapp.crm.digests",
        "formapp.crm.inbound",
        "formapp.crm.wix_webhook",
        "formapp.db",
        "formapp.files",
        "formapp.forms",
        "formapp.signing",
        "formapp.leads",
        "formapp.mail",
        "formapp.monitoring",
        "formapp.resources",
        "formapp.spam",
        "formapp.users",
        "formapp.web",
    ),
}


@cache
def _imports(path: Path) -> frozenset[str]:
    return frozenset(_imported(_tree(path)))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide who imports whom"
            assert node.module
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module


def _within(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    modules = [module for module in MODULES if _within(module, room)]
    assert modules, f"{room} is gone: correct the rules"
    for module in modules:
        for name in _imports(MODULES[module]):
            if _within(name, "formapp") and not _within(name, room):
                allowed = any(_within(name, other) for other in MAY_IMPORT[room])
                assert allowed, f"{module} may not import {name}"


def test_every_module_belongs_to_a_room_with_rules_or_to_the_command_line() -> None:
    rooms = (*MAY_IMPORT, "formapp.cli", "formapp.__main__")
    strays = [m for m in MODULES if m != "formapp" and not any(_within(m, r) for r in rooms)]
    assert strays == []


def test_only_the_composition_roots_import_settings() -> None:
    readers = {
        module for module, path in MODULES.items() if "formapp.config.settings" in _imports(path)
    }
    assert readers
    assert all(any(_within(reader, root) for root in ROOTS) for reader in readers)


def test_nothing_is_imported_inside_a_function() -> None:
    for module, path in MODULES.items():
        for function in ast.walk(_tree(path)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [
                    n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)
                ]
                assert inner == [], f"{module}.{function.name} hides an import"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("entry", "unwanted"),
    [
        (
            "formapp.app",
            (
                "formapp.wix",
                "formapp.delivery",
                "formapp.sandbox",
                "requests",
                "alembic",
                "psycopg",
            ),
        ),
        ("formapp.jobs.worker", ("flask", "wtforms", "formapp.web", "formapp.forms")),
        ("formapp.forms.definition.parse", ("flask", "wtforms", "werkzeug", "sqlalchemy")),
        ("formapp.forms.definition.localize", ("flask", "wtforms", "werkzeug", "sqlalchemy")),
        ("formapp.cli.worker", ("flask", "wtforms", "waitress", "formapp.app", "formapp.web")),
        ("formapp.wix", ("flask", "sqlalchemy", "formapp.lead", "formapp.config.settings")),
        ("formapp.sandbox", ("requests", "sqlalchemy", "formapp.wix", "formapp.lead")),
        ("formapp.cli.serve", ("formapp.sandbox", "psycopg")),
        ("formapp.cli", ("flask", "sqlalchemy", "pydantic", "requests")),
    ],
)
def test_what_is_loaded_in_fact_keeps_the_rules_too(entry: str, unwanted: tuple[str, ...]) -> None:
    script = f"import sys, {entry}; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert entry in loaded
    assert [name for name in unwanted if name in loaded] == []
