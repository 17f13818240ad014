"""From TOML files to form definitions, with every fault of every file at once.

pydantic checks the shape. What keys mean together is then checked on as much as could be read:
broken keys are left out, so that one slip doesn't hide the next.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

from pydantic import Strict, ValidationError
from pydantic_core import ErrorDetails

from formapp.forms.definition.checks import Draft, check_form, check_texts
from formapp.forms.definition.explain import Location, field_key, key_of, problem_of
from formapp.forms.definition.model import FieldDefinition, FormDefinition

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_END = "(at end of document)"
_SOURCES = {"value", "from_query", "from"}


@dataclass(frozen=True, order=True)
class Fault:
    """One fault. `file` is the file's name, `key` a path such as `fields[2] (budget).to`."""

    file: str
    key: str
    problem: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.problem) if part)


class FormFilesError(Exception):
    """Form files that can't be used. Its text lists all faults, one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def load_definitions(folder: Path) -> dict[str, FormDefinition]:
    """Return the definitions of a folder by name, in alphabetical order.

    Raises:
        FormFilesError: With every fault of every file.
    """
    definitions, faults = _read_folder(folder)
    if faults:
        raise FormFilesError(faults)
    return definitions


def check_forms(folder: Path) -> list[Fault]:
    """Return every fault of every form file of a folder."""
    return _read_folder(folder)[1]


def _read_folder(folder: Path) -> tuple[dict[str, FormDefinition], list[Fault]]:
    definitions: dict[str, FormDefinition] = {}
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except OSError as err:
        return {}, [Fault(str(folder), "", f"can't be read as a folder: {err.strerror}")]
    faults = [] if files else [Fault(str(folder), "", "holds no form file (*.toml)")]
    for path in files:
        try:
            definitions[path.stem] = parse_form(path.name, path.read_bytes().decode())
        except OSError as err:
            faults.append(Fault(path.name, "", f"can't be read: {err.strerror}"))
        except UnicodeDecodeError as err:
            faults.append(Fault(path.name, "", f"is not UTF-8 text (byte {err.start})"))
        except FormFilesError as err:
            faults += err.faults
    return definitions, faults


def parse_form(file: str, text: str) -> FormDefinition:
    """Return the definition in a form file's text; `file` is its name (`contact.toml`).

    Raises:
        FormFilesError: With every fault of the file.
    """
    named = _bad_name(file)
    try:
        data = tomllib.loads(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as err:
        raise FormFilesError([*named, Fault(file, "", _not_toml(str(err), text))]) from err
    except RecursionError as err:
        raise FormFilesError([*named, Fault(file, "", "is nested too deeply")]) from err
    definition: FormDefinition | None = None
    errors: list[ErrorDetails] = []
    try:
        definition = FormDefinition.model_validate(data)
    except ValidationError as err:
        # A list with wrong entries counts as too short, which is a fault of an empty one only.
        found = err.errors(include_url=False)
        errors = [each for each in found if each["type"] != "too_short" or not each["input"]]
    problems = [(_place(e["loc"]), key_of(e["loc"], data), problem_of(e)) for e in errors]
    problems += _meaning(data, errors)
    faults = [Fault(file, key, text) for _, key, text in sorted(problems, key=itemgetter(0))]
    if definition is None or named or faults:
        raise FormFilesError([*named, *faults])
    return definition


def _bad_name(file: str) -> list[Fault]:
    name = file.removesuffix(".toml")
    if _NAME.fullmatch(name):
        return []
    rule = 'use lower-case letters, digits, "-" and "_", 64 characters at most'
    return [Fault(file, "", f"\"{name}\" can't be a form's name; {rule}")]


def _not_toml(reason: str, text: str) -> str:
    lines = text.split("\n")
    end = f"(at line {len(lines)}, column {len(lines[-1]) + 1}, the end of the file)"
    return f"is not valid TOML: {reason.replace(_END, end)}"


def _place(loc: Location) -> int:
    """Return the order of a fault: those of the form first, then field by field."""
    return int(loc[1]) if loc[0] == "fields" and len(loc) > 1 else -1


def _meaning(data: Mapping[str, Any], errors: list[ErrorDetails]) -> list[tuple[int, str, str]]:
    """Return place, key and text of what is wrong in everything that could be read."""
    found = []
    draft = _draft(data, errors)
    for index, key, problem in check_form(draft):
        if index is None:
            found.append((-1, key, problem))
        elif re.split(r"[.\[]", key)[0] not in _broken(errors, index):
            found.append((index, f"{field_key(data, index)}.{key}", problem))
    wrong = {loc[1] for error in errors if (loc := error["loc"])[0] == "texts" and loc[1:]}
    return found + [(-1, key, text) for key, text in check_texts(data, draft, wrong)]


class _LenientForm(FormDefinition):
    """A form whose required keys may be missing."""

    title: str = ""
    fields: Annotated[tuple[FieldDefinition, ...], Strict(strict=False)] = ()


def _draft(data: Mapping[str, Any], errors: list[ErrorDetails]) -> Draft:
    given = data.get("fields")
    tables = dict(enumerate(given if isinstance(given, list) else []))
    broken = {index: _broken(errors, index) for index in tables}
    # Of a field whose type is broken nothing can be checked.
    fields = {
        index: {"name": f"unnamed-{index}"}
        | {key: value for key, value in table.items() if key not in broken[index]}
        for index, table in tables.items()
        if isinstance(table, dict) and "type" not in broken[index]
    }
    broken_keys = frozenset(error["loc"][0] for error in errors)
    kept = {key: value for key, value in data.items() if key not in broken_keys}
    lost_targets = any("to" in keys for keys in broken.values())
    return Draft(
        form=_LenientForm.model_validate(kept | {"fields": list(fields.values())}),
        places=tuple(fields),
        complete=bool(fields) and len(fields) == len(tables) and not lost_targets,
        broken=broken_keys,
    )


def _broken(errors: list[ErrorDetails], index: int) -> set[str]:
    """Return the keys of one field that pydantic rejects."""
    locs = [error["loc"] for error in errors]
    keys = {str(loc[2]) for loc in locs if loc[:2] == ("fields", index) and len(loc) > 2}  # noqa: PLR2004 - list, index, key
    return keys | _SOURCES if keys & _SOURCES else keys
