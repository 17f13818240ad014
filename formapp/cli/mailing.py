"""The composition root of mail to visitors: from settings to a sender of confirmations."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from formapp.config.settings import Settings
from formapp.confirmation.links import LinkSigner
from formapp.confirmation.sender import ConfirmationSender
from formapp.db.database import Database
from formapp.leads.expire import unaccepted_expiry
from formapp.mail.limit import MailLimit
from formapp.mail.smtp import SmtpMailer
from formapp.monitoring.metrics import Metrics
from formapp.signing import COUNTED, Keyring


def make_confirmation_sender(
    settings: Settings, database: Database, metrics: Metrics, clock: Callable[[], datetime]
) -> ConfirmationSender | None:
    """Wire it; None if a setting is missing."""
    if not (settings.smtp_url and settings.base_url and settings.secret_key):
        return None
    return ConfirmationSender(
        database=database,
        mailer=SmtpMailer(settings.smtp_url.get_secret_value()),
        links=LinkSigner([key.get_secret_value() for key in settings.secret_key]),
        limit=limit_of(settings, database),
        sender=settings.sender,
        base_url=settings.base_url,
        clock=clock,
        answers_expire_at=partial(unaccepted_expiry, database, keep_days=settings.keep_days),
        count=metrics.mail,
    )


def limit_of(settings: Settings, database: Database) -> MailLimit:
    """Return the limit of mails; the settings must have a secret key."""
    keys = [key.get_secret_value() for key in settings.secret_key]
    return MailLimit(database, Keyring(keys, COUNTED))
