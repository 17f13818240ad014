"""An alert as an e-mail."""

from formapp.mail import Message, SmtpMailer
from formapp.monitoring.alerts import Alert


class AlertMailer:
    """Sends alerts by SMTP.

    Args:
        server: as `formapp.mail.SmtpMailer` takes it.
        sender: the From address.
        to: the addresses that it goes to.

    Raises:
        MailError: when it is called and the alert was not taken.
    """

    def __init__(self, server: str, sender: str, to: tuple[str, ...]) -> None:
        self._office = SmtpMailer(server)
        self._sender = sender
        self._to = to

    def __call__(self, alert: Alert) -> None:
        """Send it."""
        text = f"{alert.detail}\n\nSite: {alert.site}\nNoticed: {alert.at}\n"
        self._office.send(Message(self._sender, self._to, alert.subject, text))
