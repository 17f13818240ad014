"""From a TOML document to a form definition, with every fault of it at once.

pydantic checks the shape. What keys mean together is then checked on as much as could be read:
the broken keys are left out, so that one slip doesn't hide the next.
"""

import re
import tomllib
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from formapp.confirmation.definition import Confirm
from formapp.forms.definition.checks_form import Draft, check_form
from formapp.forms.definition.checks_texts import check_texts
from formapp.forms.definition.explain import Location, field_key, key_of, problem_of
from formapp.forms.definition.faults import Fault, FormFilesError
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.definition.model import FormDefinition, Thanks
from formapp.forms.definition.theme import Theme

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_END = "(at end of document)"
_SOURCES = {"value", "from_query", "from"}
_ORIGINS: TypeAdapter[tuple[str, ...]] = TypeAdapter(
    FormDefinition.model_fields["origins"].rebuild_annotation()
)


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
    """Return every fault of every form file of a folder; empty means that all can be used."""
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
            definitions[path.stem] = parse_form(path.name, _text(path))
        except FormFilesError as err:
            faults += err.faults
    return definitions, faults


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as err:
        raise FormFilesError([Fault(path.name, "", f"can't be read: {err.strerror}")]) from err
    except UnicodeDecodeError as err:
        raise FormFilesError(
            [Fault(path.name, "", f"is not UTF-8 text (byte {err.start})")]
        ) from err


def parse_form(file: str, text: str) -> FormDefinition:
    """Return the definition that a form file's text holds; `file` is its name (`contact.toml`).

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
    definition, errors = _shape(data)
    placed = [
        (_place(error["loc"]), key_of(error["loc"], data), problem_of(error)) for error in errors
    ]
    placed += _meaning(data, errors)
    faults = named + [Fault(file, key, text) for _, key, text in sorted(placed, key=itemgetter(0))]
    if definition is None or faults:
        raise FormFilesError(faults)
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


def _shape(data: Mapping[str, Any]) -> tuple[FormDefinition | None, list[ErrorDetails]]:
    try:
        return FormDefinition.model_validate(data), []
    except ValidationError as err:
        # A list is only too short where it is empty: wrong entries are faults of their own.
        errors = err.errors(include_url=False)
        return None, [e for e in errors if e["type"] != "too_short" or not e["input"]]


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
        elif key.partition(".")[0].partition("[")[0] not in _broken(errors, index):
            found.append((index, f"{field_key(data, index)}.{key}", problem))
    fields = [field for _, field in draft.fields] if draft.complete else None
    wrong = {loc[1] for error in errors if (loc := error["loc"])[0] == "texts" and loc[1:]}
    return found + [(-1, key, text) for key, text in check_texts(data, fields, wrong)]


def _broken(errors: list[ErrorDetails], index: int) -> set[str]:
    """Return the keys of one field that pydantic has something against."""
    locs = [error["loc"] for error in errors]
    keys = {str(loc[2]) for loc in locs if loc[:2] == ("fields", index) and len(loc) > 2}  # noqa: PLR2004 - list, index, key
    return keys | _SOURCES if keys & _SOURCES else keys


def _draft(data: Mapping[str, Any], errors: list[ErrorDetails]) -> Draft:
    given = data.get("fields")
    tables = given if isinstance(given, list) else []
    fields = tuple(
        (index, field)
        for index, table in enumerate(tables)
        if (field := _field(index, table, _broken(errors, index))) is not None
    )
    targets_lost = any("to" in _broken(errors, index) for index in range(len(tables)))
    broken = {error["loc"][0] for error in errors}
    return Draft(
        fields=fields,
        complete=bool(fields) and len(fields) == len(tables) and not targets_lost,
        origins=None if "origins" in broken else _ORIGINS.validate_python(data.get("origins", [])),
        confirm=None if "confirm" in broken else _confirm(data.get("confirm")),
        keep_days=None if "keep_days" in broken else data.get("keep_days"),
        thanks=None if "thanks" in broken else Thanks.model_validate(data.get("thanks", {})),
        theme=None if "theme" in broken else _theme(data.get("theme")),
    )


def _theme(table: Any) -> Theme | None:
    return None if table is None else Theme.model_validate(table)


def _confirm(table: Any) -> Confirm | None:
    return None if table is None else Confirm.model_validate(table)


def _field(index: int, table: Any, broken: set[str]) -> FieldDefinition | None:
    """Return the field without its broken keys, or None where nothing sensible is left."""
    if not isinstance(table, dict) or "type" in broken:
        return None
    kept = {key: value for key, value in table.items() if key not in broken}
    return FieldDefinition.model_validate({"name": f"unnamed-{index}", **kept})
