"""Settings: environment variables with the prefix `FORMAPP_`, declared once, checked all at once.

A setting may also come from a file: `FORMAPP_SECRET_KEY_FILE=/run/secrets/key` reads the value from
there. The tables of the project file (`formapp.config.project`) are part of them. Only the
composition roots (`formapp.cli`, `formapp.app`) read settings and pass them on.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from formapp.config import checks
from formapp.config.project import Project, ProjectFile, load_project
from formapp.config.sites import DEFAULT_SITE, SiteSettings, default_site, secret_names, sites_of
from formapp.files.s3 import S3Access
from formapp.resources import BUNDLED_FORMS

PREFIX = "FORMAPP_"

BOOKS = f"{PREFIX}CRM_"
"""Begins the secrets of CRM books, which `formapp.crm.books` reads."""

_CREDENTIALS = ("site_id", "account_id", "app_id", "instance_id", "api_key", "app_secret")
_log = logging.getLogger(__name__)


class SettingsError(Exception):
    """Every fault of the settings, as `NAME: what is wrong and what would be right`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _checked(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda value: SecretStr(check(value.get_secret_value())))


_SPLIT = BeforeValidator(checks.split)
_Limit = Annotated[str | None, BeforeValidator(checks.limit)]
_Secret = Annotated[SecretStr, _checked(checks.secret)]
_Token = Annotated[SecretStr, _checked(checks.word)]
_ApiToken = Annotated[_Secret, _checked(checks.word)]
_Word = Annotated[str, AfterValidator(checks.word)]
_Address = Annotated[str, AfterValidator(checks.address)]
_Host = Annotated[str, AfterValidator(checks.host)]
_WebhookSecret = Annotated[SecretStr, _checked(checks.webhook_secret)]
_Mailbox = Annotated[str, AfterValidator(checks.mailbox)]


class Settings(BaseModel):
    """All settings. Secrets show as stars in any text form."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    project: Project = Project()
    site_secrets: dict[str, _Token] = {}
    config: Path | None = None
    database_url: Annotated[str, AfterValidator(checks.database), Field(repr=False)] = (
        "sqlite:///formapp.db"
    )
    forms: Annotated[Path, AfterValidator(checks.folder)] = BUNDLED_FORMS
    crm: Annotated[Path, AfterValidator(checks.folder)] | None = None
    secret_key: Annotated[tuple[_Secret, ...], _SPLIT] = ()
    base_url: Annotated[_Address, AfterValidator(checks.base)] | None = None
    trusted_hosts: Annotated[tuple[_Host, ...], _SPLIT] = ()
    proxy_hops: Annotated[int, Field(ge=0, le=10)] = 0
    api_token: Annotated[tuple[_ApiToken, ...], _SPLIT] = ()
    metrics_token: Annotated[SecretStr, _checked(checks.metrics_token)] | None = None
    owner_password: Annotated[SecretStr, _checked(checks.password)] | None = None
    inbox_user_header: Annotated[str, AfterValidator(checks.header)] | None = None
    log_format: Literal["console", "json"] = "console"
    alert_webhook: Annotated[SecretStr, _checked(checks.link)] | None = None
    alert_email: Annotated[tuple[_Mailbox, ...], _SPLIT] = ()
    alert_from: _Mailbox | None = None
    mail_from: _Mailbox | None = None
    alert_backlog: Annotated[float, Field(gt=0)] = 15.0
    smtp_url: Annotated[SecretStr, _checked(checks.smtp)] | None = None
    webhook_secret: Annotated[tuple[_WebhookSecret, ...], _SPLIT] = ()
    notify_chat: Annotated[SecretStr, _checked(checks.chats)] | None = None
    wix_api_url: _Address = "https://www.wixapis.com"
    wix_api_key: _Token | None = None
    wix_site_id: _Word | None = None
    wix_account_id: _Word | None = None
    wix_app_id: _Word | None = None
    wix_app_secret: _Token | None = None
    wix_instance_id: _Word | None = None
    wix_public_key: str | None = None
    limit_per_address: _Limit = "120/minute"
    limit_per_form: _Limit = "1200/minute"
    limit_storage: Annotated[SecretStr, _checked(checks.storage)] = SecretStr("memory")
    challenge_site_key: _Word | None = None
    challenge_secret: _Token | None = None
    challenge_verify_url: Annotated[str, AfterValidator(checks.link)] | None = None
    files: Annotated[str, AfterValidator(checks.file_store)] | None = None
    files_per_address: Annotated[int | None, BeforeValidator(checks.bytes_a_day)] = 200_000_000
    files_per_form: Annotated[int | None, BeforeValidator(checks.bytes_a_day)] = 5_000_000_000
    s3_endpoint: _Address | None = None
    s3_region: _Word | None = None
    s3_key_id: _Word | None = None
    s3_secret: _Token | None = None
    clamd: Annotated[str, AfterValidator(checks.clamd)] | None = None
    wix_rate_limit: Annotated[int, Field(ge=2)] = 200
    keep_days: Annotated[int, Field(ge=1, le=36500)] = 90
    create_grace: Annotated[float, Field(ge=0, le=86400)] = 60.0

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str],
        *,
        web: bool = False,
        wix: bool = False,
        project: Project | None = None,
    ) -> Self:
        """Read and check every setting; SettingsError has all wrong and missing ones.

        `web` requires `SECRET_KEY`, `wix` the credentials of each site. A `project` that is given
        replaces the file's.
        """
        file = load_project(environ) if project is None else ProjectFile(project)
        values, faults = _values(environ, cls.names(file.project), quiet=bool(file.faults))
        secrets = {name: values.pop(name) for name in secret_names(file.project) & values.keys()}
        values |= {"project": file.project, "site_secrets": secrets}
        faults += file.faults
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            faults += [_fault(each) for each in error.errors()]
            settings = cls.model_construct(**values)
        if web and not checks.split(values.get("secret_key")):
            faults.append(f"{PREFIX}SECRET_KEY: is missing; it signs the tokens of form pages")
        faults += settings._unused_faults()  # noqa: SLF001 - an instance of this class
        if wix and not file.faults:
            faults += [line for site in settings.sites for line in site.faults()]
        if settings.inbox_user_header and not settings.proxy_hops:
            faults.append(
                f"{PREFIX}INBOX_USER_HEADER: needs PROXY_HOPS; without a proxy in front anybody "
                "could send this header"
            )
        if settings.alert_email and not settings.smtp_url:
            faults.append(f"{PREFIX}SMTP_URL: is missing; ALERT_EMAIL needs a mail server")
        if faults:
            # Those of the project file in the order of its lines, behind the others.
            own = {line for line in faults if line.startswith(PREFIX)}
            raise SettingsError([*sorted(own), *(line for line in faults if line not in own)])
        return settings

    @classmethod
    def names(cls, project: Project) -> set[str]:
        """The names of all settings, in lower case and without the prefix."""
        return cls.model_fields.keys() - {"project", "site_secrets"} | secret_names(project)

    @property
    def keys(self) -> list[str]:
        """The secret keys; the first one signs."""
        return [key.get_secret_value() for key in self.secret_key]

    @property
    def crm_folder(self) -> Path | None:
        return self.crm or default_crm(self.forms)

    @property
    def sender(self) -> str | None:
        """The From address of mail to visitors, unless a form has its own."""
        return self.mail_from or self.alert_from

    @property
    def webhook_secrets(self) -> list[str]:
        return [each.get_secret_value() for each in self.webhook_secret]

    @property
    def chats(self) -> dict[str, str]:
        """Apprise's addresses by name."""
        return checks.chat_urls(self.notify_chat.get_secret_value()) if self.notify_chat else {}

    @property
    def s3_access(self) -> S3Access:
        secret = self.s3_secret.get_secret_value() if self.s3_secret else None
        return S3Access(self.s3_endpoint, self.s3_region, self.s3_key_id, secret)

    @property
    def sites(self) -> tuple[SiteSettings, ...]:
        """The Wix sites; at least one, though its credentials may be incomplete."""
        environment = SiteSettings(
            name=DEFAULT_SITE,
            api_url=self.wix_api_url,
            rate_limit=self.wix_rate_limit,
            **{name: getattr(self, f"wix_{name}") for name in _CREDENTIALS},
        )
        return sites_of(self.project, self.site_secrets, environment)

    @property
    def default_site(self) -> str:
        """The site of forms that name none; where each must, `main`, which doesn't exist."""
        return default_site(self.project) or DEFAULT_SITE

    def _unused_faults(self) -> list[str]:
        """Return a line for each setting of a site that the project file's sites replace."""
        if not self.project.sites:
            return []
        return [
            f"{PREFIX}WIX_{name.upper()}: isn't used beside [sites] of the project file; "
            f"describe that site there, such as [sites.{DEFAULT_SITE}]"
            for name in _CREDENTIALS
            if getattr(self, f"wix_{name}")
        ]


def default_crm(forms: Path) -> Path | None:
    """The folder `crm` beside the forms, if it is there."""
    beside = forms.absolute().parent / "crm"
    return beside if beside.is_dir() else None


def _values(
    environ: Mapping[str, str], known: set[str], *, quiet: bool
) -> tuple[dict[str, Any], list[str]]:
    """The texts by name, and faults; `quiet` where names may belong to sites that are unknown."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or not text.strip() or variable.startswith(BOOKS):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in known:
            values[name] = text.strip()
        elif name.removesuffix("_file") in known:
            if environ.get(variable.removesuffix("_FILE"), "").strip():
                faults.append(f"{variable}: is set beside the value itself; use one of them")
                continue
            try:
                values[name.removesuffix("_file")] = Path(text.strip()).read_text("utf-8").strip()
            except (OSError, ValueError) as error:
                # The text may be a secret instead of a file name, so the fault leaves it out.
                reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
                faults.append(f"{variable}: names a file that can't be read: {reason}")
        elif not quiet:
            _log.warning("%s is no setting of formapp and was ignored", variable)
    return values, faults


def _fault(error: Any) -> str:
    place = error["loc"]
    name = PREFIX + str(place[1] if place[0] == "site_secrets" else place[0]).upper()
    problem = error["msg"].removeprefix("Value error, ")
    if error["type"] != "value_error":
        problem = "is wrong: " + problem[0].lower() + problem[1:]
    return f"{name}: {problem}"
