"""`formapp worker`, and the composition root of all workers: settings to what they do."""

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

import click

from formapp.cli.books import book_runners
from formapp.cli.channels import inbox_of, mailer_of, make_channels, notification_work
from formapp.cli.sites import now_in_utc as _now
from formapp.cli.sites import sites_of
from formapp.cli.wiring import (
    exit_on_signals,
    file_addresses,
    ignore_signals,
    limit_of,
    listening_on,
    on_signals,
    one_line_errors,
    open_database,
    read_settings,
    store_of,
)
from formapp.config.agreement import challenge_faults, confirm_faults, notify_faults
from formapp.config.settings import Settings
from formapp.confirmation.links import LinkSigner
from formapp.confirmation.sender import ConfirmationSender
from formapp.confirmation.store import CONFIRMATION_MAIL
from formapp.crm.conflicts import expire_conflicts
from formapp.crm.events import expire_events
from formapp.db import counters
from formapp.db.database import Database
from formapp.db.notify import Listener
from formapp.delivery.definitions import DefinitionReader
from formapp.delivery.deliver import Deliverer, Wait
from formapp.delivery.sites import Clock, Site
from formapp.files import sweep
from formapp.files.records import FILE_SCAN
from formapp.files.scan import Clamd, FileScanner
from formapp.files.store import FileStore
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.parse import FormFilesError, load_definitions
from formapp.jobs.queue import JobRunner
from formapp.jobs.worker import PeriodicTask, Work, Worker, WorkerGroup
from formapp.leads import expire, search_index, totals, wix_definitions
from formapp.leads.file_links import link_of_field
from formapp.leads.held import conclude_challenge
from formapp.monitoring import incidents, logs
from formapp.monitoring.alerts import Channel, mail_alert, post_alert
from formapp.monitoring.local_metrics import serve_metrics
from formapp.monitoring.metrics import Metrics
from formapp.spam.challenge_job import ChallengeChecks
from formapp.spam.providers import CHALLENGE_CHECK, PROVIDERS

_log = logging.getLogger(__name__)

JOB_DELAY_SECONDS = 0.05
"""Each post wakes all workers: if all looked at once, its delivery would be up to 14 ms late (with
PostgreSQL on 2 cores). A lead that waits for a challenge or a scan is so much later instead."""

LONGEST_LIFE = max(each.life for each in PROVIDERS.values())
"""After this time, no service accepts a token."""


@click.command("worker")
@click.option("--once", is_flag=True, help="Do what is due, then end.")
@click.option(
    "--metrics-port", type=int, help="Serve Prometheus metrics on 127.0.0.1 at this port."
)
def command(*, once: bool, metrics_port: int | None) -> None:
    """Deliver leads to Wix; several workers may run at once."""
    exit_on_signals()
    with one_line_errors():
        settings = read_settings(wix=True)
        logs.configure(settings.log_format)
        forms = _readable_forms(settings)
        _log_missing_settings(settings, forms)
        metrics = Metrics()
        if metrics_port is not None:
            with listening_on("127.0.0.1", metrics_port):
                serve_metrics(metrics.registry, metrics_port)
        database = open_database(settings, create=True)
        worker = make_worker_group(settings, database, metrics, forms)
        on_signals(worker.stop)
        if once:
            tried = worker.drain(_progress)
            _log.info("tried %d deliveries, %d mails, challenges and notifications", *tried)
        else:
            with woken_by(database, worker):
                _log.info("waiting for leads")
                worker.run()
        ignore_signals()
        database.close()
        if worker.defects:
            sys.exit(1)


def _readable_forms(settings: Settings) -> dict[str, FormDefinition]:
    """Read the forms; without them a worker delivers, and leaves notifications to others."""
    try:
        return load_definitions(settings.forms)
    except (FormFilesError, OSError):
        return {}


def _log_missing_settings(settings: Settings, forms: Mapping[str, FormDefinition]) -> None:
    """Log which mails, challenges and notifications this worker can't do."""
    checks = (challenge_faults, confirm_faults, notify_faults)
    for line in [line for check in checks for line in check(settings, forms)]:
        # Pages alone need that key.
        if not line.startswith("FORMAPP_CHALLENGE_SITE_KEY"):
            _log.error("%s; what this worker can't do waits for one that can", line)


def _progress(count: int) -> None:
    every = 50
    if count % every == 0:
        _log.info("%d so far", count)


def make_worker_group(
    settings: Settings,
    database: Database,
    metrics: Metrics,
    forms: Mapping[str, FormDefinition] = MappingProxyType({}),
) -> WorkerGroup:
    """Wire the workers: one for each site, each kind of job and each CRM book, and one monitors.

    So no site waits for another one that answers slowly, and no challenge for a mail server: a
    token is worthless after minutes. Without `forms`, notifications wait for another process.
    """
    backlog = timedelta(minutes=settings.alert_backlog)
    report = partial(
        incidents.report_incidents,
        database,
        _channels(settings),
        backlog,
        inbox=partial(inbox_of, settings, database),
    )
    channels = make_channels(settings, database, _now)
    notifications = notification_work(
        channels, database=database, forms=forms, clock=_now, count=metrics.notification
    )
    return WorkerGroup(
        [_delivery_worker(settings, database, metrics, site) for site in sites_of(settings)],
        _housekeeper(database, settings.keep_days),
        _file_keeper(database, store_of(settings, database)),
        # On its own: a slow alert must not hold up the others.
        _periodic((report, incidents.EVERY)),
        *(_job_worker(runner.run_next) for runner in _job_runners(settings, database, metrics)),
        *(
            _job_worker(runner.run_next, runner.stop)
            for runner in book_runners(settings, database, metrics)
        ),
        _definition_worker(settings, database, metrics),
        *(_job_worker(work) for work in notifications),
    )


def _housekeeper(database: Database, keep_days: int) -> Worker:
    """Make the worker that indexes and counts what is new, and erases what was kept long enough."""
    return _periodic(
        (partial(search_index.index_batch, database), search_index.EVERY),
        (partial(expire.expire, database, keep_days), expire.EVERY),
        (partial(counters.sweep, database), counters.EVERY),
        (partial(_expire_crm, database, keep_days), expire.EVERY),
        (partial(totals.refresh, database), totals.EVERY),
    )


def _file_keeper(database: Database, store: FileStore) -> Worker:
    """Make the worker that deletes contents; a store may take long to answer."""
    return _periodic(
        (partial(sweep.delete_erased, database, store), sweep.EVERY),
        (partial(sweep.sweep, database, store), sweep.ORPHANS_EVERY),
    )


def _periodic(*tasks: tuple[Callable[[datetime], object], timedelta]) -> Worker:
    """Make a worker that does these from time to time, and nothing else."""
    periodic = [PeriodicTask(task, every, _now) for task, every in tasks]
    return Worker(lambda: False, periodic=periodic)


def _expire_crm(database: Database, keep_days: int, now: datetime) -> None:
    expire_conflicts(database, keep_days, now)
    expire_events(database, now)


def _delivery_worker(
    settings: Settings, database: Database, metrics: Metrics, site: Site
) -> Worker:
    deliverer = make_deliverer(settings, database, metrics=metrics, sites=[site])
    return Worker(deliverer.deliver_next, interrupt=deliverer.interrupt)


def _definition_worker(settings: Settings, database: Database, metrics: Metrics) -> Worker:
    """Make the worker that reads labels and fields for the inbox; no lead waits for it."""
    read = DefinitionReader(database, sites_of(settings), _now, metrics)
    runner = JobRunner(database, {wix_definitions.KIND: read}, clock=_now)
    return _job_worker(runner.run_next, read.interrupt)


def _job_worker(work: Work, interrupt: Callable[[], None] = lambda: None) -> Worker:
    return Worker(work, interrupt=interrupt, wake_delay_seconds=JOB_DELAY_SECONDS)


def _job_runners(settings: Settings, database: Database, metrics: Metrics) -> Iterator[JobRunner]:
    """One for each kind of job that this process is configured for."""
    secret = settings.challenge_secret
    checks = ChallengeChecks(
        conclude=partial(conclude_challenge, database),
        secret=secret.get_secret_value() if secret else None,
        verify_url=settings.challenge_verify_url,
        clock=_now,
    )
    # Without the secret, only expired tokens: their submissions stay in quarantine.
    age = timedelta(0) if secret else LONGEST_LIFE
    yield JobRunner(database, {CHALLENGE_CHECK: checks.run}, clock=_now, age=age)
    if settings.clamd:
        clamd, store = Clamd(settings.clamd), store_of(settings, database)
        yield JobRunner(
            database, {FILE_SCAN: FileScanner(database, store, clamd, _now)}, clock=_now
        )
    # After the challenges: a passed one may leave a mail to send.
    mailer = mailer_of(settings)
    if mailer and settings.base_url and settings.secret_key:
        send = ConfirmationSender(
            database=database,
            mailer=mailer,
            links=LinkSigner(settings.keys),
            limit=limit_of(settings, database),
            sender=settings.sender,
            base_url=settings.base_url,
            clock=_now,
            answers_expire_at=partial(
                expire.unaccepted_expiry, database, keep_days=settings.keep_days
            ),
            count=metrics.mail,
        )
        yield JobRunner(database, {CONFIRMATION_MAIL: send}, clock=_now)


def make_deliverer(  # noqa: PLR0913 - collaborators, by keyword
    settings: Settings,
    database: Database,
    *,
    clock: Clock = _now,
    metrics: Metrics | None = None,
    sites: Sequence[Site] | None = None,
    wait: Wait = threading.Event.wait,
) -> Deliverer:
    """Wire a deliverer for these sites, or for all."""
    addresses = file_addresses(settings)
    return Deliverer(
        database,
        sites_of(settings) if sites is None else sites,
        grace=timedelta(seconds=settings.create_grace),
        clock=clock,
        metrics=metrics,
        wait=wait,
        file_link=partial(link_of_field, database, addresses) if addresses else None,
    )


def _channels(settings: Settings) -> list[Channel]:
    channels: list[Channel] = []
    if settings.alert_webhook:
        channels.append(partial(post_alert, settings.alert_webhook.get_secret_value()))
    mailer = mailer_of(settings)
    if settings.alert_email and mailer:
        sender = settings.alert_from or settings.alert_email[0]
        channels.append(partial(mail_alert, mailer, sender, settings.alert_email))
    return channels


@contextmanager
def woken_by(database: Database, worker: WorkerGroup) -> Iterator[None]:
    """Let other processes wake the worker, where the database can (PostgreSQL)."""
    if database.is_sqlite:
        yield
        return
    with closing(Listener(database, worker.wake)):
        yield
