"""An alert as an e-mail."""

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from formapp.alerts.alert import Alert

_SECONDS = 10


class Mailer:
    """Sends alerts by SMTP.

    Args:
        server: `smtp://user:password@host:587` (STARTTLS where the server offers it) or
            `smtps://…:465` (TLS from the start).
        sender: the From address.
        to: the addresses that it goes to.

    Raises:
        smtplib.SMTPException, OSError: when it is called and the alert was not taken.
    """

    def __init__(self, server: str, sender: str, to: tuple[str, ...]) -> None:
        self._server = urlsplit(server)
        self._sender = sender
        self._to = to

    def __call__(self, alert: Alert) -> None:
        """Send it."""
        message = EmailMessage()
        message["Subject"] = alert.subject
        message["From"] = self._sender
        message["To"] = ", ".join(self._to)
        message.set_content(f"{alert.detail}\n\nSite: {alert.site}\nNoticed: {alert.at}\n")
        with self._connect() as connection:
            if self._server.username:
                password = unquote(self._server.password or "")
                connection.login(unquote(self._server.username), password)
            connection.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        host = self._server.hostname or "localhost"
        context = ssl.create_default_context()
        if self._server.scheme == "smtps":
            port = self._server.port or 465
            return smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=context)
        connection = smtplib.SMTP(host, self._server.port or 25, timeout=_SECONDS)
        connection.ehlo()
        if connection.has_extn("starttls"):
            connection.starttls(context=context)
            connection.ehlo()
        return connection
