"""The composition root of Wix sites: from settings to credentials, sites and clients."""

from datetime import UTC, datetime

from formapp.config.settings import Settings
from formapp.config.sites import SiteSettings
from formapp.delivery.sites import Site
from formapp.wix import ApiKey, AppToken, Auth, Timeouts

TIMEOUTS = Timeouts(5, 20)
"""Connect and read, in seconds: a stopping process has 30 for the call in flight."""


def now_in_utc() -> datetime:
    return datetime.now(UTC)


def sites_of(settings: Settings) -> list[Site]:
    """All sites; ValueError if a credential is missing or not valid in a header."""
    return [
        Site(site.name, auth_of(site), site.rate_limit, base_url=site.api_url, timeouts=TIMEOUTS)
        for site in settings.sites
    ]


def auth_of(site: SiteSettings) -> Auth:
    """The credentials of a site; ValueError if one is missing or not valid in a header."""
    if site.api_key and site.site_id:
        return ApiKey(site.api_key.get_secret_value(), site.site_id, site.account_id)
    secret = site.app_secret.get_secret_value() if site.app_secret else ""
    return AppToken(site.app_id or "", secret, site.instance_id or "")
