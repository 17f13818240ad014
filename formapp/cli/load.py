"""Loading the forms of the settings, for the commands that fill them in."""

from formapp.config.agreement import DEFAULT_SITE
from formapp.config.settings import Settings, SettingsError
from formapp.forms.form import Form
from formapp.forms.loader import load_forms


def load(settings: Settings) -> dict[str, Form]:
    """Load the forms, each of which must go to a known site.

    Raises:
        FormFilesError: with every fault.
        SettingsError: a form goes to a site that has no credentials.
    """
    forms = load_forms(settings.forms)
    strays = [
        f"{name}.toml: site: {form.definition.site!r} is not known; "
        f'write "{DEFAULT_SITE}" or leave it out'
        for name, form in forms.items()
        if form.definition.site not in {None, DEFAULT_SITE}
    ]
    if strays:
        raise SettingsError(strays)
    return forms
