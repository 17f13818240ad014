"""The Wix sites of an installation, as settings and project file together describe them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from formapp.config.project import Project

DEFAULT_SITE = "main"
"""The site that the environment describes where no project file has any."""

SECRETS = ("wix_api_key", "wix_app_secret")
"""Settings whose name, with a site's behind it, is that site's own secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSettings:
    """One Wix site: its address, its rate limit and the parts of its credentials.

    `suffix` is what the names of its settings end with; empty for the site of the environment.
    """

    name: str
    api_url: str
    rate_limit: int
    suffix: str = ""
    site_id: str | None = None
    account_id: str | None = None
    app_id: str | None = None
    instance_id: str | None = None
    api_key: SecretStr | None = None
    app_secret: SecretStr | None = None

    def faults(self) -> list[str]:
        """Return a line for each missing part of one complete set of credentials."""
        return self._faults_beside_a_table() if self.suffix else self._faults_of_environment()

    def _faults_of_environment(self) -> list[str]:
        key = {"WIX_API_KEY": self.api_key, "WIX_SITE_ID": self.site_id}
        app = {
            "WIX_APP_ID": self.app_id,
            "WIX_APP_SECRET": self.app_secret,
            "WIX_INSTANCE_ID": self.instance_id,
        }
        if any(app.values()) and self.api_key:
            return ["FORMAPP_WIX_API_KEY: is set together with WIX_APP_…; use one of them"]
        wanted = app if any(app.values()) else key
        hint = " (or WIX_APP_ID, WIX_APP_SECRET and WIX_INSTANCE_ID)" if wanted is key else ""
        return [
            f"FORMAPP_{name}: is missing; deliveries to Wix need {' and '.join(wanted)}{hint}"
            for name, value in wanted.items()
            if not value
        ]

    def _faults_beside_a_table(self) -> list[str]:
        """The table has its ids: only the secret may be missing, or the other kind be set."""
        secrets = {"site_id": self.api_key, "app_id": self.app_secret}
        names = dict(zip(secrets, SECRETS, strict=True))
        held, other = ("site_id", "app_id") if self.site_id else ("app_id", "site_id")
        wanted, unused = (f"FORMAPP_{names[each].upper()}{self.suffix}" for each in (held, other))
        faults = []
        if not secrets[held]:
            faults.append(f"{wanted}: is missing; deliveries to the site {self.name} need it")
        if secrets[other]:
            faults.append(f"{unused}: isn't used; {held} of the site {self.name} needs {wanted}")
        return faults


def suffix_of(site: str) -> str:
    """Return what the names of a site's settings end with, such as `_NEW_YORK`."""
    return "_" + site.upper().replace("-", "_")


def secret_names(project: Project) -> set[str]:
    """Return the settings that the sites of the project file have, in lower case."""
    return {secret + suffix_of(site).lower() for site in project.sites for secret in SECRETS}


def sites_of(
    project: Project, secrets: Mapping[str, SecretStr], environment: SiteSettings
) -> tuple[SiteSettings, ...]:
    """Return the sites of the project file; of a file without any, the one of the environment.

    Which sites there are depends on no secret: a web process may lack them. Where a table has no
    address or rate limit, those of the environment hold.
    """
    defaults: dict[str, Any] = {
        "api_url": environment.api_url,
        "rate_limit": environment.rate_limit,
    }
    sites = []
    for name, table in project.sites.items():
        suffix = suffix_of(name)
        api_key, app_secret = (secrets.get(each + suffix.lower()) for each in SECRETS)
        own = defaults | table.model_dump(exclude_none=True)
        sites.append(
            SiteSettings(name=name, suffix=suffix, api_key=api_key, app_secret=app_secret, **own)
        )
    return tuple(sites) or (environment,)


def default_site(project: Project) -> str | None:
    """Return the site of forms that name none: `main`, else the only one; None: they must."""
    if not project.sites or DEFAULT_SITE in project.sites:
        return DEFAULT_SITE
    return next(iter(project.sites)) if len(project.sites) == 1 else None
