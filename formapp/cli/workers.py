"""The composition root of deliveries: settings to a worker and what goes on beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from formapp.cli.mailing import make_confirmer
from formapp.config.agreement import DEFAULT_SITE
from formapp.config.settings import Settings
from formapp.confirmation.store import CONFIRM
from formapp.db.counters import Sweep
from formapp.db.database import Database
from formapp.db.notify import Listener
from formapp.delivery.deliver import Deliverer
from formapp.delivery.sites import Clock, Site
from formapp.jobs.runner import Handler, JobRunner
from formapp.jobs.worker import Worker, WorkerGroup
from formapp.leads.expire import Expiry
from formapp.monitoring.alert import Tell
from formapp.monitoring.alert_mail import AlertMailer
from formapp.monitoring.alert_webhook import Webhook
from formapp.monitoring.metrics import Metrics
from formapp.monitoring.monitor import Monitor
from formapp.spam.challenge_job import ChallengeChecks
from formapp.spam.providers import ERRAND as CHALLENGE
from formapp.spam.providers import PROVIDERS
from formapp.wix import ApiKey, AppToken, Auth, Timeouts

TIMEOUTS = Timeouts(5, 20)
"""Connect and read, in seconds: a process that is asked to end has 30 for the call in flight."""

LONGEST_LIFE = max(each.life for each in PROVIDERS.values())
"""After this no service's token can be asked about."""


def _now() -> datetime:
    return datetime.now(UTC)


def make_crew(settings: Settings, database: Database, metrics: Metrics) -> WorkerGroup:
    """Wire the workers: one delivers and runs the periodic tasks; one runs the jobs of each kind.

    So no challenge waits for a mail server that is slow: a token is worthless after minutes.
    """
    watch = Monitor(
        database,
        _channels(settings),
        clock=_now,
        backlog=timedelta(minutes=settings.alert_backlog),
    )
    deliverer = make_deliverer(settings, database, metrics=metrics)
    expiry = Expiry(database, settings.keep_days, _now)
    periodic = [watch.look_if_due, expiry.run, Sweep(database, _now).run]
    return WorkerGroup(
        Worker(deliverer.deliver_next, interrupt=deliverer.interrupt, periodic=periodic),
        *(Worker(runner.run_next) for runner in _job_runners(settings, database, metrics)),
    )


def _job_runners(settings: Settings, database: Database, metrics: Metrics) -> Iterator[JobRunner]:
    """One for each kind of job that this process is configured for."""
    for kind, run in make_challenge_checks(settings, database, _now).items():
        # Without the secret only what nobody can ask about any more: it is told to its owner.
        age = timedelta(0) if settings.challenge_secret else LONGEST_LIFE
        yield JobRunner(database, {kind: run}, clock=_now, age=age)
    # After the challenges: who passes one may have to be written to.
    if not settings.missing_for_mail():
        confirmer = make_confirmer(settings, database, metrics, _now)
        yield JobRunner(database, {CONFIRM: confirmer}, clock=_now)


def make_deliverer(
    settings: Settings,
    database: Database,
    clock: Clock = _now,
    metrics: Metrics | None = None,
) -> Deliverer:
    """Wire a deliverer for the site of the settings."""
    site = Site(
        DEFAULT_SITE,
        auth_of(settings),
        settings.wix_rate_limit,
        base_url=settings.wix_api_url,
        timeouts=TIMEOUTS,
    )
    return Deliverer(
        database,
        [site],
        grace=timedelta(seconds=settings.create_grace),
        clock=clock,
        metrics=metrics,
    )


def make_challenge_checks(
    settings: Settings, database: Database, clock: Clock
) -> dict[str, Handler]:
    """Who asks the service whose challenge the forms set, or without its secret gives up."""
    secret = settings.challenge_secret
    url = settings.challenge_verify_url
    known = secret.get_secret_value() if secret else None
    return {CHALLENGE: ChallengeChecks(database, known, url, clock=clock).run}


def _channels(settings: Settings) -> list[Tell]:
    channels: list[Tell] = []
    if settings.alert_webhook:
        channels.append(Webhook(settings.alert_webhook.get_secret_value()))
    if settings.alert_email and settings.smtp_url:
        sender = settings.alert_from or settings.alert_email[0]
        server = settings.smtp_url.get_secret_value()
        channels.append(AlertMailer(server, sender, settings.alert_email))
    return channels


@contextmanager
def woken_by(database: Database, worker: WorkerGroup) -> Iterator[None]:
    """Let other processes wake the worker, where the database can (PostgreSQL)."""
    if database.is_sqlite:
        yield
        return
    listener = Listener(database, worker.wake)
    try:
        yield
    finally:
        listener.close()


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
