"""Classes that are decoded are prepared for it: the first uses of two threads may come at once."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CLASS = re.compile("_?[A-Z][a-z]\\w*")
PACKAGE = Path(__file__).parent.parent / "formapp"

AT_ONCE = """
import importlib, sys, threading
from formapp import lead

stored = {"form": "f", "site": "s", "email": {"address": "a@example.com", "typed": "a"}}
sys.setswitchinterval(1e-6)
for _ in range(40):
    importlib.reload(lead)  # new classes, not decoded yet
    start = threading.Barrier(4)

    def read():
        start.wait(20)
        lead.Lead.from_json(stored)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
print("all are read")
"""


def test_threads_that_read_their_first_lead_at_once_end_no_process() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "all are read\n", "")


def test_every_class_that_is_decoded_is_prepared() -> None:
    decoded = {name for path in PACKAGE.rglob("*.py") for name in _decoded(path)}
    prepared = {name for path in PACKAGE.rglob("*.py") for name in _prepared(path)}
    assert {"Lead", "Intent", "Totals", "_Payload"} <= decoded
    assert decoded <= prepared


def _decoded(path: Path) -> Iterator[str]:
    """The names of the classes that a module has msgspec or a signer decode."""
    tree = ast.parse(path.read_text())
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    owner = {id(inner): name for name, node in classes.items() for inner in ast.walk(node)}
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        kinds = [each.value for each in call.keywords if each.arg == "type"]
        if call.func.attr in {"convert", "read"}:
            kinds += call.args[1:2]
        for kind in kinds:
            if isinstance(kind, ast.Name) and kind.id == "cls":
                yield owner[id(call)]
            elif isinstance(kind, ast.Name) and CLASS.fullmatch(kind.id):
                yield kind.id


def _prepared(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            names = {each.id for each in node.decorator_list if isinstance(each, ast.Name)}
            if "decodable" in names:
                yield node.name
