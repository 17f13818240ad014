"""Receivers of notifications of every kind, and the workers that send them, for tests."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from formapp.cli.channels import Channels, notification_work
from formapp.db.database import Database
from formapp.db.tables import jobs
from formapp.forms.definition.model import FormDefinition
from formapp.jobs.queue import Job
from formapp.leads.accept import Status, keep
from formapp.leads.report import show_submission
from formapp.mail.limit import MailLimit
from formapp.mail.smtp import SmtpMailer
from formapp.monitoring.metrics import Metrics
from formapp.notifications.chat import ChatChannel
from formapp.notifications.mail import OwnerMail, Replies
from formapp.notifications.message import Envelope
from formapp.notifications.plan import NOTIFY
from formapp.notifications.webhook import WebhookChannel
from formapp.signing import Keyring
from tests.support.clock import TurnedClock
from tests.support.leads import EMAIL, lead, submission
from tests.support.mailserver import MailServer
from tests.support.notifying import SECRET, form_of
from tests.support.receiver import Receiver

KEYS = ["a key that is long enough"]


class Office:
    """Receivers of every kind, the workers of notifications, and what visitors send."""

    def __init__(
        self, database: Database, clock: TurnedClock, mails: MailServer, hooks: Receiver
    ) -> None:
        self.database, self.clock, self.mails, self.hooks = database, clock, mails, hooks
        self.metrics = Metrics()
        self.limit = MailLimit(database, Keyring(KEYS))
        mailer = SmtpMailer(mails.url, step_seconds=5, total_seconds=10)
        self.channels = Channels(
            OwnerMail(mailer, Envelope("forms@example.com")),
            Replies(mailer, self.limit, "forms@example.com", clock),
            WebhookChannel([SECRET], clock),
            ChatChannel({"sales": f"json://127.0.0.1:{hooks.port}/sales"}, seconds=10),
        )
        self.forms: dict[str, FormDefinition] = {}

    def have(self, top: str, name: str = "contact") -> None:
        """Have a form with these tables."""
        self.forms[name] = form_of(top.replace("HOOK", self.hooks.url))

    def keep(self, form: str = "contact", **more: Any) -> str:
        """Keep a lead as the web side would."""
        held = more.get("status", Status.ACCEPTED) is not Status.ACCEPTED
        given = {"jobs": ()} if held else {"jobs": (Job(NOTIFY),)}
        meta = {NOTIFY: True, **more.pop("meta", {})}
        address = more.pop("address", EMAIL)
        sent = submission(lead(address, form=form), self.clock(), meta=meta, **given | more)
        return keep(self.database, sent).id

    def run(self, forms: Mapping[str, FormDefinition] | None = None) -> int:
        """Run all that is due; returns how many tries that were."""
        works = notification_work(
            self.channels,
            database=self.database,
            forms=self.forms if forms is None else forms,
            clock=self.clock,
            count=self.metrics.notification,
        )
        count = 0
        for work in works:
            while work():
                count += 1
        return count

    def shown(self, submission_id: str) -> list[dict[str, Any]]:
        """The notifications that wait or have failed."""
        found: list[dict[str, Any]] = show_submission(self.database, submission_id)["notifications"]
        return found

    def waiting(self) -> list[str]:
        """The kinds of all jobs."""
        with self.database.read() as connection:
            return [*connection.scalars(select(jobs.c.kind).order_by(jobs.c.id))]

    def counted(self, channel: str, outcome: str) -> float:
        """How often a notification of the contact form ended so."""
        labels = {"form": "contact", "channel": channel, "outcome": outcome}
        name = "formapp_notifications_total"
        return self.metrics.registry.get_sample_value(name, labels) or 0
