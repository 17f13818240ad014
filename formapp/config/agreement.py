"""What the settings and the form files must agree on, checked when a process starts."""

from collections.abc import Mapping

from formapp.config.settings import Settings
from formapp.forms.definition.model import FormDefinition
from formapp.spam.providers import PROVIDERS

DEFAULT_SITE = "main"
"""The site of forms that name none."""


def site_faults(forms: Mapping[str, FormDefinition]) -> list[str]:
    """Return a line for each form of a site without credentials."""
    return [
        f'{name}.toml: site: {form.site!r} is not known; write "{DEFAULT_SITE}" or leave it out'
        for name, form in forms.items()
        if form.site not in {None, DEFAULT_SITE}
    ]


def confirm_faults(settings: Settings, forms: Mapping[str, FormDefinition]) -> list[str]:
    """Return a line for each setting that a form's confirmation needs and that is missing."""
    faults = []
    for name, form in forms.items():
        confirm = form.confirm
        if confirm is None:
            continue
        missing = settings.missing_for_mail()
        if not confirm.sender and not settings.sender:
            missing.append("MAIL_FROM")
        faults += [f"FORMAPP_{n}: is missing; [confirm] of {name}.toml needs it" for n in missing]
        if (form.keep_days or settings.keep_days) < confirm.days:
            rule = f"is less than confirm.days of {name}.toml"
            faults.append(f"FORMAPP_KEEP_DAYS: {rule}; answers would be gone before the link")
    return faults


def challenge_faults(settings: Settings, forms: Mapping[str, FormDefinition]) -> list[str]:
    """Return a line for each setting that a form's challenge needs and that is missing."""
    asked = {name: form.spam.challenge or "" for name, form in forms.items()}
    served = {name: service for name, service in asked.items() if service in PROVIDERS}
    if len(services := sorted(set(served.values()))) > 1:
        told = f"the challenges of {', '.join(served)} are of {' and '.join(services)}"
        return [f"{told}; one service serves all forms"]
    needed = {
        "CHALLENGE_SITE_KEY": settings.challenge_site_key,
        "CHALLENGE_SECRET": settings.challenge_secret,
    }
    return [
        f"FORMAPP_{name}: is missing; the challenge of {', '.join(served)} needs it"
        for name, value in needed.items()
        if served and not value
    ]
