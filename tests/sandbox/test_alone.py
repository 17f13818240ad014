"""The sandbox shares no code with the rest, so that a mistake cannot pass on both sides."""

from __future__ import annotations

import ast
from pathlib import Path

import formapp.sandbox

ROOM = Path(formapp.sandbox.__file__).parent


def test_the_sandbox_imports_nothing_else_of_the_project() -> None:
    imported = set()
    for module in ROOM.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, module
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    own = {name for name in imported if name.partition(".")[0] == "formapp"}
    assert own
    assert all(name.startswith("formapp.sandbox") for name in own), own
