"""Loading the forms of the settings, for the commands that fill them in."""

from collections.abc import Mapping

from formapp.config.agreement import site_faults
from formapp.config.settings import Settings
from formapp.forms.definition.parse import FormFilesError, with_lines
from formapp.forms.form import Form, load_forms

_BEYOND = 12 * 1024 * 1024
"""Bytes beyond a form's limits that are read, so that the app can answer with the form."""


def load(settings: Settings) -> dict[str, Form]:
    """Load the forms; raises FormFilesError, also if one names a site that doesn't exist."""
    forms = load_forms(settings.forms)
    definitions = {name: form.definition for name, form in forms.items()}
    if faults := site_faults(settings.project, definitions):
        raise FormFilesError(with_lines(faults, settings.forms))
    return forms


def body_limits(forms: Mapping[str, Form]) -> dict[str, int]:
    """Return the most bytes of a body by the path of each form that takes files."""
    return {
        f"/f/{name}": form.max_bytes + form.definition.most_file_bytes + _BEYOND
        for name, form in forms.items()
        if form.takes_files
    }
