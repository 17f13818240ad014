"""The composition root of deliveries: settings to a worker and what goes on beside it."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from formapp.cli.mailing import make_confirmation_sender
from formapp.config.agreement import DEFAULT_SITE
from formapp.config.settings import Settings
from formapp.confirmation.store import CONFIRMATION_MAIL
from formapp.db.counters import Sweep
from formapp.db.database import Database
from formapp.delivery.budget import Budget
from formapp.delivery.client import Clock, RateLimitedClient
from formapp.delivery.deliver import Deliverer
from formapp.jobs.runner import Errands, Run
from formapp.jobs.worker import Worker, WorkerGroup
from formapp.leads.challenge import conclude_challenge
from formapp.leads.expire import Expiry
from formapp.mail.smtp import SmtpMailer
from formapp.monitoring.alerts import AlertMailer, Channel, Webhook
from formapp.monitoring.metrics import Metrics
from formapp.monitoring.monitor import Monitor
from formapp.spam.challenge_job import ChallengeChecks
from formapp.spam.providers import CHALLENGE_CHECK, PROVIDERS
from formapp.wix import ApiKey, AppToken, Auth, Call, Timeouts, WixContacts

TIMEOUTS = Timeouts(5, 20)
"""Connect and read, in seconds: a process that is asked to end has 30 for the call in flight."""

LONGEST_LIFE = max(each.life for each in PROVIDERS.values())
"""After this no service's token can be asked about."""


def _now() -> datetime:
    return datetime.now(UTC)


def make_crew(settings: Settings, database: Database, metrics: Metrics) -> WorkerGroup:
    """Wire the workers: one delivers, one monitors, and one runs each kind of job.

    So no challenge waits for a mail server that is slow: a token is worthless after minutes.
    """
    monitor = Monitor(
        database,
        _channels(settings),
        clock=_now,
        backlog=timedelta(minutes=settings.alert_backlog),
    )
    deliverer = make_deliverer(settings, database, metrics=metrics)
    expiry = Expiry(database, settings.keep_days, _now)
    chores = [expiry.run, Sweep(database, _now).run]
    return WorkerGroup(
        Worker(deliverer.deliver_next, interrupt=deliverer.interrupt, chores=chores),
        # On its own: an alert that takes long must not hold a delivery.
        Worker(lambda: False, chores=[monitor.check_if_due]),
        *(Worker(errands.run_next) for errands in _errands(settings, database, metrics)),
    )


def _errands(settings: Settings, database: Database, metrics: Metrics) -> Iterator[Errands]:
    """Who runs errands here, one for each kind: a process claims none that it can't run."""
    for kind, run in make_challenge_checks(settings, database, _now).items():
        # Without the secret only what nobody can ask about any more: it is told to its owner.
        age = timedelta(0) if settings.challenge_secret else LONGEST_LIFE
        yield Errands(database, {kind: run}, clock=_now, age=age)
    # After the challenges: a passed one may leave a mail to send.
    if sender := make_confirmation_sender(settings, database, metrics, _now):
        yield Errands(database, {CONFIRMATION_MAIL: sender}, clock=_now)


def make_deliverer(
    settings: Settings,
    database: Database,
    clock: Clock = _now,
    metrics: Metrics | None = None,
) -> Deliverer:
    """Wire a deliverer for the site of the settings."""
    budget = Budget(database, settings.wix_rate_limit)
    gate = RateLimitedClient(DEFAULT_SITE, partial(_connect, settings), budget, clock, metrics)
    return Deliverer(
        database,
        {DEFAULT_SITE: gate},
        grace=timedelta(seconds=settings.create_grace),
        clock=clock,
        metrics=metrics,
    )


def make_challenge_checks(settings: Settings, database: Database, clock: Clock) -> dict[str, Run]:
    """Who asks the service whose challenge the forms set, or without its secret gives up."""
    secret = settings.challenge_secret
    url = settings.challenge_verify_url
    known = secret.get_secret_value() if secret else None
    conclude = partial(conclude_challenge, database)
    return {CHALLENGE_CHECK: ChallengeChecks(conclude, known, url, clock=clock).run}


def _channels(settings: Settings) -> list[Channel]:
    channels: list[Channel] = []
    if settings.alert_webhook:
        channels.append(Webhook(settings.alert_webhook.get_secret_value()))
    if settings.alert_email and settings.smtp_url:
        sender = settings.alert_from or settings.alert_email[0]
        server = settings.smtp_url.get_secret_value()
        channels.append(AlertMailer(SmtpMailer(server), sender, settings.alert_email))
    return channels


@contextmanager
def woken_by(database: Database, worker: WorkerGroup) -> Iterator[None]:
    """Let other processes wake the worker, where the database can (PostgreSQL)."""
    if database.is_sqlite:
        yield
        return
    # It brings psycopg along, which takes a tenth of the memory and is of no use to SQLite.
    listening = importlib.import_module("formapp.db.listen")
    listener = listening.Listener(database.url, worker.wake)
    try:
        yield
    finally:
        listener.close()


def _connect(
    settings: Settings,
    *,
    before_call: Callable[[str], None],
    on_call: Callable[[Call], None],
) -> WixContacts:
    return WixContacts(
        auth_of(settings),
        base_url=settings.wix_api_url,
        timeouts=TIMEOUTS,
        before_call=before_call,
        on_call=on_call,
    )


def auth_of(settings: Settings) -> Auth:
    """The credentials of the site.

    Raises:
        ValueError: a value can't stand in a header.
    """
    if settings.wix_api_key and settings.wix_site_id:
        key = settings.wix_api_key.get_secret_value()
        return ApiKey(key, settings.wix_site_id, settings.wix_account_id)
    secret = settings.wix_app_secret
    return AppToken(
        settings.wix_app_id or "",
        secret.get_secret_value() if secret else "",
        settings.wix_instance_id or "",
    )
