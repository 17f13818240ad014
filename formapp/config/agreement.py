"""What the settings and the form files must agree on, checked when a process starts.

Most functions return a line for each setting that is missing or wrong.
"""

from collections.abc import Mapping
from pathlib import Path

from formapp.config.project import Project, load_project
from formapp.config.settings import Settings
from formapp.config.sites import DEFAULT_SITE, default_site
from formapp.files.images import can_strip
from formapp.forms.definition.explain import one_of, suggestion
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import (
    Fault,
    FormFilesError,
    load_definition,
    load_definitions,
    with_lines,
)
from formapp.spam.providers import PROVIDERS


def site_faults(project: Project, forms: Mapping[str, FormDefinition]) -> list[Fault]:
    """Return a fault for each form whose site doesn't exist."""
    known, default = sorted(project.sites or {DEFAULT_SITE}), default_site(project)
    choice = f"the sites are {one_of(known, 'and')}"
    faults = []
    for name, form in forms.items():
        if form.site is None and default is None:
            faults.append(Fault(f"{name}.toml", "site", f"is missing; {choice}"))
        elif form.site is not None and form.site not in known:
            hint = suggestion(form.site, known) or choice
            if not project.sites:
                hint = f'write "{DEFAULT_SITE}" or leave it out'
            problem = f'"{form.site}" is not known; {hint}'
            faults.append(Fault(f"{name}.toml", "site", problem))
    return faults


def check_files(
    place: Path, environ: Mapping[str, str]
) -> tuple[dict[str, FormDefinition], list[str]]:
    """Return the forms of a folder or a file, and what is wrong with them and the project file.

    Without forms where a form file has a fault.
    """
    folder = place.parent if place.is_file() else place
    file = load_project(environ, folder)
    faults = [*file.faults]
    try:
        forms = {place.stem: load_definition(place)} if place.is_file() else load_definitions(place)
    except FormFilesError as error:
        return {}, [*faults, *map(str, error.faults)]
    if not file.faults:
        faults += map(str, with_lines(site_faults(file.project, forms), folder))
    return forms, faults


def settings_faults(settings: Settings, forms: Mapping[str, FormDefinition]) -> list[str]:
    checks = (challenge_faults, confirm_faults, file_faults, notify_faults, link_faults)
    return [line for check in checks for line in check(settings, forms)]


def confirm_faults(settings: Settings, forms: Mapping[str, FormDefinition]) -> list[str]:
    faults = []
    for name, form in forms.items():
        confirm = form.confirm
        if confirm is None:
            continue
        needed = {
            "SMTP_URL": settings.smtp_url,
            "BASE_URL": settings.base_url,
            "SECRET_KEY": settings.secret_key,
            "MAIL_FROM": confirm.sender or settings.sender,
        }
        faults += _missing(needed, "confirm", name)
        if (form.keep_days or settings.keep_days) < confirm.days:
            rule = f"is less than confirm.days of {name}.toml"
            faults.append(f"FORMAPP_KEEP_DAYS: {rule}; answers would be gone before the link")
    return faults


def notify_faults(settings: Settings, forms: Mapping[str, FormDefinition]) -> list[str]:
    faults = []
    for name, form in forms.items():
        needed: dict[str, object] = {}
        if form.notify and form.notify.email:
            needed |= {"SMTP_URL": settings.smtp_url, "MAIL_FROM": settings.sender}
        if form.notify and form.notify.webhook:
            needed["WEBHOOK_SECRET"] = settings.webhook_secret
        if form.notify and form.notify.chat:
            needed["NOTIFY_CHAT"] = settings.notify_chat
        faults += _missing(needed, "notify", name)
        if form.notify and settings.notify_chat and form.notify.chat is not True:
            unknown = [each for each in form.notify.chat or () if each not in settings.chats]
            faults += [f"FORMAPP_NOTIFY_CHAT: has no {n}; {name}.toml names it" for n in unknown]
        if form.reply:
            needed = {"SMTP_URL": settings.smtp_url, "SECRET_KEY": settings.secret_key}
            needed["MAIL_FROM"] = form.reply.sender or settings.sender
            faults += _missing(needed, "reply", name)
    return faults


def link_faults(settings: Settings, forms: Mapping[str, FormDefinition]) -> list[str]:
    """Return a line for each form whose links to files at Wix would have no address."""
    if settings.base_url:
        return []
    return [
        f"FORMAPP_BASE_URL: is missing; the links to files of {name}.toml need it"
        for name, form in forms.items()
        if any(field.type == "file" and field.to for field in form.fields)
    ]


def _missing(needed: Mapping[str, object], table: str, form: str) -> list[str]:
    """Return a line for each of these settings that has no value."""
    problem = f"is missing; [{table}] of {form}.toml needs it"
    return [f"FORMAPP_{name}: {problem}" for name, value in needed.items() if not value]


def file_faults(_settings: Settings, forms: Mapping[str, FormDefinition]) -> list[str]:
    """Return a line for each form whose files need a package that is missing."""
    wanted = [
        name for name, form in forms.items() if any(field.strip_metadata for field in form.fields)
    ]
    return [
        f"{name}.toml: strip_metadata needs the package pillow: pip install 'formapp[images]'"
        for name in wanted
        if not can_strip()
    ]


def challenge_faults(settings: Settings, forms: Mapping[str, FormDefinition]) -> list[str]:
    services = {
        name: form.spam.challenge
        for name, form in forms.items()
        if form.spam.challenge in PROVIDERS
    }
    names, different = ", ".join(services), sorted(set(map(str, services.values())))
    if len(different) > 1:
        problem = f"the challenges of {names} are of {' and '.join(different)}"
        return [f"{problem}; one service serves all forms"]
    needed = {
        "CHALLENGE_SITE_KEY": settings.challenge_site_key,
        "CHALLENGE_SECRET": settings.challenge_secret,
    }
    return [
        f"FORMAPP_{name}: is missing; the challenge of {names} needs it"
        for name, value in needed.items()
        if services and not value
    ]
