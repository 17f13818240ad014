"""Loading the forms of the settings, for the commands that fill them in."""

from formapp.config.agreement import site_faults
from formapp.config.settings import Settings, SettingsError
from formapp.forms.form import Form, load_forms


def load(settings: Settings) -> dict[str, Form]:
    """Load the forms; raises FormFilesError, or SettingsError if a site has no credentials."""
    forms = load_forms(settings.forms)
    if faults := site_faults({name: form.definition for name, form in forms.items()}):
        raise SettingsError(faults)
    return forms
