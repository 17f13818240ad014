"""Loading a folder of form files as forms that can be rendered and filled in."""

from pathlib import Path

from formapp.forms.definition.parse import load_definitions
from formapp.forms.form import Form, compile_form


def load_forms(folder: Path) -> dict[str, Form]:
    """Return the forms of a folder by name, in alphabetical order.

    Raises:
        FormFilesError: With every fault of every file.
    """
    definitions = load_definitions(folder)
    return {name: compile_form(name, definition) for name, definition in definitions.items()}
