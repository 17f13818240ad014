"""An alert as an e-mail."""

from formapp.mail import Letter, PostOffice
from formapp.monitoring.alert import Alert


class Mailer:
    """Sends alerts by SMTP.

    Args:
        server: as `formapp.mail.PostOffice` takes it.
        sender: the From address.
        to: the addresses that it goes to.

    Raises:
        MailFailed: when it is called and the alert was not taken.
    """

    def __init__(self, server: str, sender: str, to: tuple[str, ...]) -> None:
        self._office = PostOffice(server)
        self._sender = sender
        self._to = to

    def __call__(self, alert: Alert) -> None:
        """Send it."""
        text = f"{alert.detail}\n\nSite: {alert.site}\nNoticed: {alert.at}\n"
        self._office.send(Letter(self._sender, self._to, alert.subject, text))
