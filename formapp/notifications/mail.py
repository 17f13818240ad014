"""The channels by e-mail: to the owner, a digest, and the reply to the visitor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from formapp.files.store import FileStore
from formapp.forms.definition.model import FormDefinition
from formapp.mail.limit import APART, TOO_SOON, MailLimit, MailLimitError
from formapp.mail.message import Attachment, Message
from formapp.mail.smtp import MailError, MailRejectedError, MailUncertainError, SmtpMailer
from formapp.notifications.attached import attachments_of
from formapp.notifications.channel import NotSentError, RefusedError, WithheldError
from formapp.notifications.message import Envelope, write_digest, write_lead, write_reply
from formapp.notifications.store import AcceptedLead


@dataclass(frozen=True, repr=False)
class OwnerMail:
    """Mails to the addresses of `[notify]`. They count towards no limit: the owner chose them.

    `store` has the files to attach; digests have links alone.
    """

    mailer: SmtpMailer
    envelope: Envelope
    store: FileStore | None = None

    def send(self, lead: AcceptedLead, definition: FormDefinition, to: str | None) -> None:
        attached: tuple[Attachment, ...] = ()
        if self.store and lead.files and definition.notify and definition.notify.attach:
            attached = attachments_of(lead, self.store)
        _send(self.mailer, write_lead(lead, definition, to or "", self.envelope, attached))

    def send_digest(
        self, leads: Sequence[AcceptedLead], definition: FormDefinition, to: str
    ) -> None:
        _send(self.mailer, write_digest(leads, definition, to, self.envelope))


@dataclass(frozen=True, repr=False)
class Replies:
    """Replies to visitors, within the limits of mail to strangers.

    `sender` is used where the form has none of its own.
    """

    mailer: SmtpMailer
    limit: MailLimit
    sender: str | None
    clock: Callable[[], datetime]

    def send(self, lead: AcceptedLead, definition: FormDefinition, _to: str | None) -> None:
        """Reply to the visitor of one lead; raises NotSentError or WithheldError.

        A reply that waited for a free slot for a day would puzzle its reader: it is withheld.
        """
        sender = (definition.reply.sender if definition.reply else None) or self.sender
        if lead.email is None:
            raise WithheldError("the lead has no e-mail address")
        if sender is None:
            raise NotSentError("FORMAPP_MAIL_FROM is missing")
        try:
            reservation = self.limit.reserve(lead.form, lead.email, self.clock())
        except MailLimitError as error:
            if str(error) == TOO_SOON:
                raise NotSentError(TOO_SOON, APART) from None
            raise WithheldError(str(error)) from None
        try:
            _send(self.mailer, write_reply(lead, definition, lead.email, sender))
        except NotSentError as error:
            # A mail that may have been sent keeps its slot.
            if not error.uncertain:
                self.limit.cancel(reservation)
            raise


def _send(mailer: SmtpMailer, message: Message) -> None:
    try:
        mailer.send(message)
    except (MailRejectedError, ValueError) as error:
        raise RefusedError(str(error)) from None
    except MailError as error:
        uncertain = isinstance(error, MailUncertainError)
        raise NotSentError(str(error), uncertain=uncertain) from None
