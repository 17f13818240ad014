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
from formapp.notifications.channel import (
    ChannelJobs,
    Count,
    DigestJobs,
    SameReceiver,
    Send,
    WithheldError,
)
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


def make_channels(settings: Settings, database: Database, clock: Clock) -> Channels:
    server = settings.smtp_url
    mailer = SmtpMailer(server.get_secret_value()) if server else None
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


@dataclass(frozen=True, repr=False, kw_only=True)
class NotificationWorkers:
    """The work of notifications, by the form files of this process; jobs of others wait."""

    database: Database
    forms: Forms
    clock: Clock
    count: Count

    def work(self, channels: Channels) -> Iterator[Work]:
        """Yield one for each worker: a slow webhook holds up no mail, and nothing the planning."""
        if not self.forms:
            return
        planner = Planner(database=self.database, forms=self.forms, clock=self.clock)
        if not any(form.notify or form.reply for form in self.forms.values()):
            # What was stored before the tables were taken out of the form files is dropped.
            dropping = self._jobs(_never)
            yield self._runner({NOTIFY: planner, **dict.fromkeys(CHANNELS, dropping)}).run_next
            return
        yield self._runner({NOTIFY: planner}).run_next
        if channels.mail or channels.replies:
            yield self._mail_work(channels)
        if channels.webhook:
            webhooks = self._jobs(channels.webhook.send, self._forms_with_webhook)
            yield self._runner({WEBHOOK: webhooks}).run_next
        if chat := channels.chat:
            one = self._jobs(chat.send, lambda _form, _to: tuple(self.forms))
            yield self._runner({CHAT: ChatJobs(self.database, tuple(chat.urls), one)}).run_next

    def _mail_work(self, channels: Channels) -> Work:
        handlers: dict[str, Handler] = {}
        if channels.replies:
            handlers[REPLY] = self._jobs(channels.replies.send)
        if channels.mail is None:
            return self._runner(handlers).run_next
        handlers[MAIL] = self._jobs(channels.mail.send)
        digests = DigestJobs(
            database=self.database,
            forms=self.forms,
            clock=self.clock,
            send=channels.mail.send_digest,
            count=self.count,
        )
        mails = self._runner(handlers)
        later = self._runner({HOURLY: digests, DAILY: digests}, LONGEST_DIGEST)
        return lambda: mails.run_next() or later.run_next()

    def _jobs(self, send: Send, same_receiver: SameReceiver | None = None) -> ChannelJobs:
        return ChannelJobs(
            database=self.database,
            forms=self.forms,
            clock=self.clock,
            send=send,
            count=self.count,
            same_receiver=same_receiver,
        )

    def _runner(
        self, handlers: Mapping[str, Handler], longest_wait: timedelta = LONGEST_WAIT
    ) -> JobRunner:
        return JobRunner(self.database, handlers, self.clock, longest_wait=longest_wait)

    def _forms_with_webhook(self, form: str, _to: str | None) -> tuple[str, ...]:
        notify = self.forms[form].notify
        url = notify.webhook if notify else None
        return tuple(n for n, f in self.forms.items() if f.notify and f.notify.webhook == url)


def _never(_lead: AcceptedLead, _definition: FormDefinition, _to: str | None) -> None:
    """Stand in for a channel of which no form has a receiver."""
    raise WithheldError("the form file has no such receiver")
