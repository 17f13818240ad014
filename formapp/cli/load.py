"""Loading the forms of the settings, for the commands that fill them in."""

from formapp.config.agreement import site_faults
from formapp.config.settings import Settings
from formapp.forms.definition.parse import FormFilesError, with_lines
from formapp.forms.form import Form, load_forms


def load(settings: Settings) -> dict[str, Form]:
    """Load the forms; raises FormFilesError, also if one names a site that doesn't exist."""
    forms = load_forms(settings.forms)
    definitions = {name: form.definition for name, form in forms.items()}
    if faults := site_faults(settings.project, definitions):
        raise FormFilesError(with_lines(faults, settings.forms))
    return forms
