"""Reading a folder of form files."""

from pathlib import Path

from formapp.forms.definition.faults import Fault, FormFilesError
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form


def load_forms(folder: Path) -> dict[str, Form]:
    """Return the forms of a folder by name, in alphabetical order.

    Raises:
        FormFilesError: With every fault of every file.
    """
    definitions, faults = _read_folder(folder)
    if faults:
        raise FormFilesError(faults)
    return {name: compile_form(name, definition) for name, definition in definitions.items()}


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
