"""Alerts: one when an incident begins and one when it ends, by mail or to a webhook."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from formapp import http
from formapp.mail.message import Message
from formapp.mail.smtp import SmtpMailer

_TITLES = {
    "failed": "failed deliveries",
    "paused": "paused",
    "backlog": "a backlog",
    "errands": "waiting mails or challenges",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to the owner.

    Attributes:
        kind: as of `Incident`.
        site: the site's name.
        state: `open` when the incident begins, `over` when it ends.
        detail: in words, never an answer.
        at: when it was noticed, aware.
    """

    kind: str
    site: str
    state: Literal["open", "over"]
    detail: str
    at: datetime

    @property
    def subject(self) -> str:
        """A few words."""
        end = " is over" if self.state == "over" else ""
        return f"formapp: site {self.site}: {_TITLES.get(self.kind, self.kind)}{end}"

    def as_json(self) -> dict[str, Any]:
        """Return the webhook's body; chat tools show `text`."""
        return {
            "text": f"{self.subject}: {self.detail}",
            "kind": self.kind,
            "site": self.site,
            "state": self.state,
            "detail": self.detail,
            "at": self.at.isoformat(),
        }


Channel = Callable[[Alert], None]
"""Sends an alert, or raises."""


class WebhookError(Exception):
    """The webhook did not accept the alert."""


class Webhook:
    """Posts alerts as JSON to a URL; any status from 200 to 299 accepts them."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, alert: Alert) -> None:
        """Post it.

        Raises:
            NoResponseError: there is no response in time.
            WebhookError: the response is no success.
        """
        status = http.post(self._url, json=alert.as_json()).status
        if not 200 <= status < 300:  # noqa: PLR2004 - success, by RFC 9110
            raise WebhookError(f"the webhook answered {status}")


class AlertMailer:
    """Sends alerts by e-mail."""

    def __init__(self, mailer: SmtpMailer, sender: str, to: tuple[str, ...]) -> None:
        self._mailer = mailer
        self._sender = sender
        self._to = to

    def __call__(self, alert: Alert) -> None:
        """Send it.

        Raises:
            MailError: the alert was not sent, or perhaps not.
        """
        text = f"{alert.detail}\n\nSite: {alert.site}\nNoticed: {alert.at}\n"
        self._mailer.send(Message(self._sender, self._to, alert.subject, text))
