"""Settings, form files, channels of notifications, and the public address."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import requests

from formapp.cli.doctor.findings import Finding, fault, hint, ok
from formapp.config.agreement import challenge_faults, confirm_faults, notify_faults, site_faults
from formapp.config.project import Project, ProjectFile, load_project
from formapp.config.settings import BOOKS, PREFIX, Settings, SettingsError
from formapp.config.sites import SECRETS
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import FormFilesError, load_definitions, with_lines
from formapp.forms.definition.targets import targets_of
from formapp.http import MAX_BYTES, DeadlineAdapter
from formapp.mail.smtp import MailError, SmtpMailer
from formapp.notifications.chat import is_address

_GOOD_LENGTH = 32
_FEW_CHARACTERS = 10
_OLD = timedelta(days=365)
_NEW_KEY = (
    'create one with: python3 -c "import secrets; print(secrets.token_hex(32))"; '
    "put it in front of the old one"
)
_WIX_LIMIT = 200
_RATE_LIMIT = f"{PREFIX}WIX_RATE_LIMIT"
_SECONDS = 5
_TEST = "send a sample with `formapp notify test FORM`"


@dataclass(frozen=True)
class Reading:
    """The settings, with defaults in place of faulty ones, and a line for each fault."""

    settings: Settings
    faults: list[str]
    file: ProjectFile

    def has(self, name: str) -> bool:
        """Whether no setting that begins with this name is faulty, so that checks make sense."""
        return not any(line.startswith(PREFIX + name) for line in self.faults)


def read_valid_settings(environ: Mapping[str, str]) -> Reading:
    """Read the settings, leaving out invalid ones."""
    file = load_project(environ)
    names = _known(file.project)
    known = {name: value for name, value in environ.items() if name.removesuffix("_FILE") in names}
    faults = list(file.faults)
    try:
        settings = Settings.read(known, web=True, wix=not faults, project=file.project)
    except SettingsError as error:
        faults += error.faults
    else:
        return Reading(settings, faults, file)
    wrong = {line.partition(":")[0].removesuffix("_FILE") for line in faults}
    valid = {
        name: value for name, value in known.items() if name.removesuffix("_FILE") not in wrong
    }
    try:
        return Reading(Settings.read(valid, project=file.project), faults, file)
    except SettingsError:
        return Reading(Settings(project=file.project), faults, file)


def _known(project: Project) -> set[str]:
    return {PREFIX + name.upper() for name in Settings.names(project)}


def check_settings(
    reading: Reading, environ: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    """Invalid settings, unknown names and weak choices."""
    settings = reading.settings
    for line in reading.faults:
        place = "environment" if line.startswith(PREFIX) else "project file"
        yield fault("settings", line, f"correct it in the {place}: see README, the settings")
    if not reading.faults:
        where = f", with {reading.file.path}" if reading.file.path else ""
        yield ok("settings", f"all settings are valid{where}")
    yield from _check_names(environ, reading.file)
    if reading.has("SECRET_KEY"):
        yield from _check_keys(settings, environ, now)
    if reading.has("BASE_URL") and reading.has("PROXY_HOPS"):
        yield from _check_proxy(settings)
    for site in settings.sites:
        if site.rate_limit > _WIX_LIMIT:
            own = site.name in settings.project.sites and settings.project.sites[site.name]
            name = f"sites.{site.name}.rate_limit" if own and own.rate_limit else _RATE_LIMIT
            message = f"{name} is above {_WIX_LIMIT}, which is what Wix allows in a minute"
            yield hint("settings", message, "remove it, unless Wix has granted you more")


def _check_names(environ: Mapping[str, str], file: ProjectFile) -> Iterator[Finding]:
    known = _known(file.project)
    # The sites of a faulty file are unknown.
    of_sites = [f"{PREFIX}{secret.upper()}_" for secret in SECRETS] if file.faults else []
    elsewhere = (BOOKS, *of_sites)
    for name in sorted(environ):
        if name.startswith(elsewhere):
            continue
        if name.startswith(PREFIX) and name.removesuffix("_FILE") not in known:
            close = difflib.get_close_matches(name, known, 1)
            advice = f"did you mean {close[0]}?" if close else "remove it"
            yield hint("settings", f"{name} is no setting of formapp", advice)


def _check_keys(settings: Settings, environ: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    for number, key in enumerate(settings.secret_key, 1):
        text = key.get_secret_value()
        if len(text) < _GOOD_LENGTH or len(set(text)) < _FEW_CHARACTERS:
            message = f"key {number} of {PREFIX}SECRET_KEY is short or regular: it may be guessed"
            yield hint("settings", message, _NEW_KEY)
    # Only a file shows how old its key is.
    if name := environ.get(f"{PREFIX}SECRET_KEY_FILE", "").strip():
        changed = datetime.fromtimestamp(Path(name).stat().st_mtime, UTC)
        if now - changed > _OLD:
            message = f"the file of {PREFIX}SECRET_KEY is unchanged since {changed:%Y-%m-%d}"
            yield hint("settings", message, _NEW_KEY)


def _check_proxy(settings: Settings) -> Iterator[Finding]:
    if not settings.proxy_hops and (settings.base_url or "").startswith("https:"):
        message = (
            f"{PREFIX}BASE_URL is https, which formapp doesn't speak, and {PREFIX}PROXY_HOPS "
            "is 0: behind a proxy, limits and sign-in take all visitors for one address"
        )
        advice = (
            f"set {PREFIX}PROXY_HOPS to the number of proxies in front that send X-Forwarded-For; "
            "leave it if TLS ends elsewhere and visitors' own addresses arrive here"
        )
        yield hint("proxy", message, advice)


def check_form_files(reading: Reading) -> tuple[dict[str, FormDefinition], list[Finding]]:
    """The forms, none if a file is faulty, and the findings."""
    settings = reading.settings
    try:
        forms = load_definitions(settings.forms)
    except FormFilesError as error:
        advice = f"correct the file, then check with: formapp forms check {settings.forms}"
        return {}, [fault("forms", str(each), advice) for each in error.faults]
    findings: list[Finding] = []
    if not reading.file.faults:
        unknown = with_lines(site_faults(settings.project, forms), settings.forms)
        findings += [fault("forms", *str(each).split("; ", 1)) for each in unknown]
        for site in settings.sites:
            findings += _check_data_types(forms_of(settings, site.name, forms))
    advice = "set what the service gave you for this site, or change [spam]"
    findings += [fault("forms", line, advice) for line in challenge_faults(settings, forms)]
    return forms, findings or [ok("forms", f"{', '.join(forms)} in {settings.forms}")]


def _check_data_types(forms: Mapping[str, FormDefinition]) -> Iterator[Finding]:
    for name, types in targets_of(forms).fields.items():
        if len(types) > 1:
            listed = ", ".join(f"{kind} in {' and '.join(of)}" for kind, of in types.items())
            message = f'the extended field "{name}" has several data types: {listed}'
            yield fault("forms", message, "a field has one: correct data_type, or rename one")


def forms_of(
    settings: Settings, site: str, forms: Mapping[str, FormDefinition]
) -> dict[str, FormDefinition]:
    default = settings.default_site
    return {name: form for name, form in forms.items() if (form.site or default) == site}


def check_confirmations(
    settings: Settings, forms: Mapping[str, FormDefinition]
) -> Iterator[Finding]:
    """Missing settings are faults; a mail server that can't be reached from here is a hint."""
    confirmed = [name for name, form in forms.items() if form.confirm]
    if not confirmed:
        return
    faults = confirm_faults(settings, forms)
    for line in faults:
        yield fault("confirmations", line, "set it, or remove [confirm] from the form file")
    if faults:
        return
    found = list(_check_mail_server(settings, "confirmations"))
    yield from found
    if not found:
        yield ok("confirmations", f"the mail server answers, for {', '.join(confirmed)}")


def _check_mail_server(settings: Settings, check: str) -> Iterator[Finding]:
    """A hint if it can't be reached or refuses the credentials; sends nothing."""
    if settings.smtp_url is None:
        return
    server = settings.smtp_url.get_secret_value()
    try:
        SmtpMailer(server, step_seconds=_SECONDS, total_seconds=2 * _SECONDS).check()
    except MailError as error:
        advice = "check FORMAPP_SMTP_URL and the firewall; mails wait meanwhile"
        yield hint(check, str(error), advice)


def check_notifications(
    settings: Settings, forms: Mapping[str, FormDefinition], has: Callable[[str], bool]
) -> Iterator[Finding]:
    """What `[notify]` and `[reply]` need: a missing setting is a fault, an absent server a hint.

    It asks servers for their page and sends nothing. `has` is `Reading.has`.
    """
    using = {name: form for name, form in forms.items() if form.notify or form.reply}
    if not using:
        return
    faults = notify_faults(settings, using)
    wrong = [line for line in faults if has(line.partition(":")[0].removeprefix(PREFIX))]
    for line in wrong:
        yield fault("notifications", line, "set it, or take it out of the form file")
    by_mail = any(form.reply or (form.notify and form.notify.email) for form in using.values())
    mail = _check_mail_server(settings, "notifications") if by_mail else ()
    found = [*mail, *_check_chats(settings), *_check_webhooks(using)]
    yield from found
    if not wrong and not found:
        yield ok("notifications", f"channels of {', '.join(using)} are set; {_TEST}")


def _check_chats(settings: Settings) -> Iterator[Finding]:
    for name, url in settings.chats.items():
        if not is_address(url):
            message = f"Apprise can't read the address of {name} in FORMAPP_NOTIFY_CHAT"
            yield fault("notifications", message, "see https://appriseit.com for its form")


def _check_webhooks(using: Mapping[str, FormDefinition]) -> Iterator[Finding]:
    urls = {form.notify.webhook for form in using.values() if form.notify and form.notify.webhook}
    for url in sorted(urls):
        if fetch(url) is None:
            message = f"the webhook's server {urlsplit(url).hostname} doesn't answer from here"
            yield hint("notifications", message, "check its address and the firewall")


def check_base_url(settings: Settings) -> Iterator[Finding]:
    """Hints only: visitors may reach the server by another route than this machine."""
    url = settings.base_url
    if url is None:
        message = "FORMAPP_BASE_URL isn't set: only visitors on this machine are served"
        yield hint("address", message, "set it to where visitors reach the server")
        return
    host = urlsplit(url).hostname or ""
    if url.startswith("http:") and host not in {"localhost", "127.0.0.1", "::1"}:
        message = f"{url} is not https: pages on https can't embed the forms"
        yield hint("address", message, "put a proxy with a certificate in front")
    answer = fetch(f"{url}/healthz")
    if answer is not None and answer.status_code == requests.codes.ok:
        yield ok("address", f"{url} answers")
    else:
        status = f" ({answer.status_code})" if answer is not None else ""
        message = f"{url}/healthz doesn't answer from here{status}"
        yield hint("address", message, "start `formapp serve`, or check the proxy and the firewall")


def fetch(url: str) -> requests.Response | None:
    """Get an address without credentials; None if there is no answer."""
    adapter = DeadlineAdapter(max_bytes=MAX_BYTES)
    try:
        with requests.Session() as session:
            session.mount("https://", adapter)
            session.mount("http://", adapter)
            # An auth callable keeps requests from reading ~/.netrc.
            return session.get(
                url, timeout=_SECONDS, allow_redirects=False, auth=lambda request: request
            )
    except (OSError, ValueError):
        return None
