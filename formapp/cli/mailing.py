"""The composition root of mail to visitors: settings to whoever sends confirmations."""

from collections.abc import Callable
from datetime import datetime

from formapp.config.settings import PREFIX, Settings
from formapp.confirmation.links import LinkSigner
from formapp.confirmation.sender import Confirmer, Means
from formapp.db.database import Database
from formapp.keyring import COUNTED, Keyring
from formapp.mail.limit import MailLimit
from formapp.mail.smtp import SmtpMailer
from formapp.monitoring.metrics import Metrics


def make_confirmer(
    settings: Settings, database: Database, metrics: Metrics, clock: Callable[[], datetime]
) -> Confirmer:
    """Wire it; where a setting is missing, it sends nothing and says so."""
    missing = ", ".join(PREFIX + name for name in settings.missing_for_mail())
    return Confirmer(
        database,
        _means(settings, database),
        clock=clock,
        keep_days=settings.keep_days,
        missing=missing,
        metrics=metrics,
    )


def limit_of(settings: Settings, database: Database) -> MailLimit:
    """How much mail one address gets; the settings have a secret key."""
    keys = [key.get_secret_value() for key in settings.secret_key]
    return MailLimit(database, Keyring(keys, COUNTED))


def _means(settings: Settings, database: Database) -> Means | None:
    if not (settings.smtp_url and settings.base_url and settings.secret_key):
        return None
    return Means(
        office=SmtpMailer(settings.smtp_url.get_secret_value()),
        links=LinkSigner([key.get_secret_value() for key in settings.secret_key]),
        limit=limit_of(settings, database),
        sender=settings.sender,
        base_url=settings.base_url,
    )
