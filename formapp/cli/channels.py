"""The composition root of notifications: settings to the channels and the workers that use them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from formapp.cli.wiring import file_addresses, limit_of, store_of
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.forms.definition.model import FormDefinition
from formapp.jobs.backoff import LONGEST_WAIT
from formapp.jobs.queue import Handler, JobRunner
from formapp.jobs.worker import Work
from formapp.mail.smtp import SmtpMailer
from formapp.notifications.channel import ChannelJobs, Count, DigestJobs, WithheldError
from formapp.notifications.chat import ChatChannel, ChatJobs
from formapp.notifications.mail import OwnerMail, Replies
from formapp.notifications.message import Envelope
from formapp.notifications.plan import (
    CHANNELS,
    CHAT,
    DAILY,
    HOURLY,
    MAIL,
    NOTIFY,
    REPLY,
    WEBHOOK,
    Planner,
)
from formapp.notifications.store import LONGEST_DIGEST, AcceptedLead
from formapp.notifications.webhook import WebhookChannel
from formapp.users.store import Users

Forms = Mapping[str, FormDefinition]
Clock = Callable[[], datetime]


@dataclass(frozen=True, repr=False)
class Channels:
    """The channels that the settings allow; None where one is missing."""

    mail: OwnerMail | None
    replies: Replies | None
    webhook: WebhookChannel | None
    chat: ChatChannel | None


def mailer_of(settings: Settings) -> SmtpMailer | None:
    server = settings.smtp_url
    return SmtpMailer(server.get_secret_value()) if server else None


def make_channels(settings: Settings, database: Database, clock: Clock) -> Channels:
    mailer = mailer_of(settings)
    # Looked up for each message: people are added while this runs.
    sender, inbox = settings.sender, partial(inbox_of, settings, database)
    limit = limit_of(settings, database) if settings.secret_key else None
    files = file_addresses(settings)
    store = store_of(settings, database)
    return Channels(
        OwnerMail(mailer, Envelope(sender, inbox, files), store) if mailer and sender else None,
        Replies(mailer, limit, sender, clock) if mailer and limit else None,
        WebhookChannel(settings.webhook_secrets, clock, files=files)
        if settings.webhook_secret
        else None,
        ChatChannel(settings.chats, inbox, files=files) if settings.notify_chat else None,
    )


def inbox_of(settings: Settings, database: Database) -> str | None:
    """Return the prefix of a lead's page in the inbox; None while it has no user."""
    password = settings.owner_password
    users = Users(database, password.get_secret_value() if password else None)
    if settings.base_url is None or (users.is_empty() and not settings.inbox_user_header):
        return None
    return f"{settings.base_url}/inbox/leads/"


def notification_work(
    channels: Channels, *, database: Database, forms: Forms, clock: Clock, count: Count
) -> Iterator[Work]:
    """Yield the work of each worker, by the form files of this process; jobs of others wait.

    A slow webhook holds up no mail, and nothing the planning.
    """
    if not forms:
        return
    run = partial(_run_jobs, database, clock)
    jobs = partial(ChannelJobs, database=database, forms=forms, clock=clock, count=count)
    planner = Planner(database=database, forms=forms, clock=clock)
    if not any(form.notify or form.reply for form in forms.values()):
        # What was stored before the tables were taken out of the form files is dropped.
        yield run({NOTIFY: planner, **dict.fromkeys(CHANNELS, jobs(send=_never))})
        return
    yield run({NOTIFY: planner})
    mails: dict[str, Handler] = {}
    if channels.replies:
        mails[REPLY] = jobs(send=channels.replies.send)
    if mail := channels.mail:
        mails[MAIL] = jobs(send=mail.send)
        digests = DigestJobs(
            database=database, forms=forms, clock=clock, send=mail.send_digest, count=count
        )
        mail_next = run(mails)
        digest_next = run({HOURLY: digests, DAILY: digests}, longest_wait=LONGEST_DIGEST)
        yield lambda: mail_next() or digest_next()
    elif mails:
        yield run(mails)
    if channels.webhook:
        same = partial(_forms_with_webhook, forms)
        yield run({WEBHOOK: jobs(send=channels.webhook.send, same_receiver=same)})
    if chat := channels.chat:
        one = jobs(send=chat.send, same_receiver=lambda _form, _to: tuple(forms))
        yield run({CHAT: ChatJobs(database, tuple(chat.urls), one)})


def _run_jobs(
    database: Database,
    clock: Clock,
    handlers: Mapping[str, Handler],
    longest_wait: timedelta = LONGEST_WAIT,
) -> Work:
    return JobRunner(database, handlers, clock, longest_wait=longest_wait).run_next


def _forms_with_webhook(forms: Forms, form: str, _to: str | None) -> tuple[str, ...]:
    notify = forms[form].notify
    url = notify.webhook if notify else None
    return tuple(n for n, f in forms.items() if f.notify and f.notify.webhook == url)


def _never(_lead: AcceptedLead, _definition: FormDefinition, _to: str | None) -> None:
    """Stand in for a channel of which no form has a receiver."""
    raise WithheldError("the form file has no such receiver")
