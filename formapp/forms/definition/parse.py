"""From TOML files to form definitions, with every fault of every file at once.

pydantic checks the shape. What keys mean together is then checked on as much as could be read:
stand-ins replace what could not, so that one slip doesn't hide the next.
"""

import copy
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from formapp.forms.definition.base import Listed
from formapp.forms.definition.checks import Draft, check_form
from formapp.forms.definition.explain import dotted, field_key, key_of, path_of, problem_of, shown
from formapp.forms.definition.layout_checks import check_layout
from formapp.forms.definition.lines import Location, find_lines
from formapp.forms.definition.localize import check_texts
from formapp.forms.definition.model import FieldDefinition, FormDefinition
from formapp.forms.origins import origin_of

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_END = "(at end of document)"
_SOURCES = {"value", "from_query", "from"}
_Read = TypeVar("_Read")
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, order=True)
class Fault:
    """One fault. `file` is the file's name, `key` a path such as `fields[2] (budget).to`.

    `line` counts from 1; None where what is missing has no table of its own.
    """

    file: str
    key: str
    problem: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.key, self.problem) if part)


class FormFilesError(Exception):
    """Form files that can't be used. Its text lists all faults, one a line."""

    kind = "form"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def load_definitions(folder: Path) -> dict[str, FormDefinition]:
    """Return the definitions of a folder by name, in alphabetical order.

    FormFilesError has every fault of every file.
    """
    definitions, faults = parse_files(folder, "form", parse_form)
    if faults:
        raise FormFilesError(faults)
    return definitions


def parse_files(
    folder: Path, kind: str, parse: Callable[[str, str], _Read]
) -> tuple[dict[str, _Read], list[Fault]]:
    """Return what each TOML file of a folder says, by its name, and the faults of all files.

    `parse` gets a file's name and text; its FormFilesError is one file's. `kind` is for people.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as err:
        return {}, [Fault(str(folder), "", f"can't be read as a folder: {err.strerror}")]
    if not files:
        return {}, [Fault(str(folder), "", f"holds no {kind} file (*.toml)")]
    found: dict[str, _Read] = {}
    faults: list[Fault] = []
    for path in files:
        try:
            found[path.stem] = parse(path.name, read_text(path))
        except FormFilesError as err:
            faults += err.faults
    return found, faults


def load_definition(path: Path) -> FormDefinition:
    return parse_form(path.name, read_text(path))


def read_text(path: Path) -> str:
    """Return the text of a file; may raise FormFilesError."""
    try:
        return path.read_bytes().decode()
    except OSError as err:
        raise FormFilesError([Fault(path.name, "", f"can't be read: {err.strerror}")]) from err
    except UnicodeDecodeError as err:
        problem = f"is not UTF-8 text (byte {err.start})"
        raise FormFilesError([Fault(path.name, "", problem)]) from err


def with_lines(faults: Iterable[Fault], folder: Path) -> list[Fault]:
    """Add the lines of their keys to faults that were found without the files' texts."""
    found = []
    for fault in faults:
        lines = find_lines(plain_lines(read_text(folder / fault.file)))
        keys = {dotted("", path): line for path, line in lines.items()}
        found.append(replace(fault, line=line_of(keys, fault.key)))
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.toml"))


def plain_lines(text: str) -> str:
    """Return the text without a byte order mark, with line ends as TOML's own."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def parse_toml(file: str, text: str) -> dict[str, Any]:
    """Return the tables of a TOML text; may raise FormFilesError, with one fault."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise FormFilesError([Fault(file, "", _not_toml(str(err), text))]) from err
    except RecursionError as err:
        raise FormFilesError([Fault(file, "", "is nested too deeply")]) from err


def parse_form(file: str, text: str) -> FormDefinition:
    """Return the definition in a form file's text; `file` is its name (`contact.toml`).

    FormFilesError has every fault of the file.
    """
    named = bad_name(file, "form")
    text = plain_lines(text)
    try:
        data = parse_toml(file, text)
    except FormFilesError as err:
        raise FormFilesError([*named, *err.faults]) from err
    definition, errors = validate(FormDefinition, data)
    problems = [(_place(e["loc"]), key_of(e["loc"], data), problem_of(e)) for e in errors]
    problems += _meaning(data, errors)
    if definition is None or named or problems:
        lines = {shown(path, data): line for path, line in find_lines(text).items()}
        problems.sort(key=itemgetter(0))
        faults = [Fault(file, key, problem, line_of(lines, key)) for _, key, problem in problems]
        raise FormFilesError([*named, *faults])
    return definition


def validate(
    model: type[_Model], data: Mapping[str, Any]
) -> tuple[_Model | None, list[ErrorDetails]]:
    """Return the model of a file's tables, or None and pydantic's errors."""
    try:
        return model.model_validate(data), []
    except ValidationError as err:
        # A list with wrong entries counts as too short, which is a fault of an empty one only.
        found = err.errors(include_url=False)
        return None, [each for each in found if each["type"] != "too_short" or not each["input"]]


def line_of(lines: Mapping[str, int], key: str) -> int | None:
    """Return the line of a key, else of the table that lacks it."""
    while key and key not in lines:
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return lines.get(key)


def bad_name(file: str, kind: str) -> list[Fault]:
    name = file.removesuffix(".toml")
    if _NAME.fullmatch(name):
        return []
    rule = 'use lower-case letters, digits, "-" and "_", 64 characters at most'
    return [Fault(file, "", f"\"{name}\" can't be a {kind}'s name; {rule}")]


def _not_toml(reason: str, text: str) -> str:
    lines = text.split("\n")
    end = f"(at line {len(lines)}, column {len(lines[-1]) + 1}, the end of the file)"
    return f"is not valid TOML: {reason.replace(_END, end)}"


def _place(loc: Location) -> int:
    """Return the order of a fault: those of the form first, then field by field."""
    return int(loc[1]) if loc[0] == "fields" and len(loc) > 1 else -1


def _meaning(data: Mapping[str, Any], errors: list[ErrorDetails]) -> list[tuple[int, str, str]]:
    """Return place, key and text of what is wrong in everything that could be read."""
    draft = _draft(data, errors)
    found = [(-1, key, problem) for key, problem in check_texts(draft)]
    for index, key, problem in (*check_form(draft), *check_layout(draft)):
        if index is None:
            found.append((-1, key, problem))
        else:
            found.append((index, f"{field_key(data, index)}.{key}", problem))
    # A problem of what could not be read may be one of its stand-in.
    unread = [key_of(error["loc"], data) for error in errors]
    return [each for each in found if not any(_belongs(each[1], key) for key in unread)]


def _belongs(key: str, unread: str) -> bool:
    """Return whether a problem at this key may come from what could not be read."""
    if key == unread or key.startswith((f"{unread}.", f"{unread}[")):
        return True
    if key.endswith(".options"):
        return unread.startswith(f"{key}[")
    table, _, last = unread.rpartition(".")
    return last in _SOURCES and key == f"{table}.value"


class _LenientForm(FormDefinition):
    """A form that may have no fields."""

    fields: Listed[FieldDefinition] = ()


def _draft(data: Mapping[str, Any], errors: list[ErrorDetails]) -> Draft:
    read = copy.deepcopy(dict(data))
    unread: set[Location] = set()
    while True:
        for error in errors:
            path = path_of(error["loc"], data)
            unread.add(path)
            _mend(read, path, is_missing=error["type"] == "missing")
        try:
            form = _LenientForm.model_validate(read)
        except ValidationError as err:
            # Now of the stand-ins, which lack what is required.
            errors = err.errors(include_url=False)
        else:
            return Draft(form, frozenset(unread), read.get("texts", {}))


def _mend(table: Any, path: Location, begin: int = 0, *, is_missing: bool) -> bool:
    """Put a stand-in where a path ends; False if the table itself needs one."""
    step: Any = path[begin]
    is_last = begin + 1 == len(path)
    if isinstance(table, dict) and step not in table:
        if not is_missing or not is_last:
            return True  # an earlier error of it was the reason to take it out
        if step in _REQUIRED:
            table[step] = _REQUIRED[step] or _unique(path)
        return step in _REQUIRED
    if not isinstance(table, dict | list):
        return False
    if not is_last and _mend(table[step], path, begin + 1, is_missing=is_missing):
        return True
    if isinstance(table, dict):
        del table[step]
    elif path[begin - 1] == "origins":
        table[step] = _meant(table[step])
    elif path[begin - 1] == "accept":
        table[step] = "image/*"
    else:
        table[step] = {} if path[begin - 1] in _TABLES else _unique(path)
    return True


def _unique(path: Location) -> str:
    return "-".join(map(str, path))


def _meant(entry: Any) -> str:
    """Return the origin that a malformed entry seems to mean."""
    text = str(entry)
    return origin_of(text) or origin_of(f"https://{text}") or "https://unread.invalid"


_REQUIRED: dict[int | str, str | None] = {
    "title": "?",
    "label": "?",
    "type": "text",
    "name": None,
    "value": None,
}
"""Stand-ins for missing keys; None: a text that nothing else equals."""

_TABLES = {"fields", "options", "steps"}
"""Lists of tables; the others are lists of texts."""
