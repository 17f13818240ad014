"""Alerts: one when an incident begins and one when it ends, by mail or to a webhook."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from formapp import http
from formapp.mail.message import Message
from formapp.mail.smtp import SmtpMailer

_TITLES = {
    "failed": "failed deliveries",
    "paused": "paused",
    "backlog": "a backlog",
    "errands": "waiting mails, challenges or notifications",
    "notify": "failed notifications",
    "infected": "infected files",
    "crm_paused": "paused",
    "crm_failing": "a side that fails",
    "crm_conflicts": "conflicts that wait for you",
    "crm_lag": "waiting changes",
}


ALL_SITES = "all"
"""The site of an incident of the whole installation."""


def place_of(kind: str, site: str) -> str:
    """Return what an incident is about, such as `site main`; of a CRM's, `site` is the book."""
    if site == ALL_SITES:
        return "all sites"
    return f"{'CRM book' if kind.startswith('crm_') else 'site'} {site}"


@dataclass(frozen=True, slots=True)
class Alert:
    """A message to the owner when an `Incident` begins (`open`) or ends (`over`).

    `link` is the page that shows it; None where the owner has no pages.
    """

    kind: str
    site: str
    state: Literal["open", "over"]
    detail: str
    at: datetime
    advice: str = ""
    forms: tuple[str, ...] = ()
    link: str | None = None

    @property
    def subject(self) -> str:
        end = " is over" if self.state == "over" else ""
        forms = f" of {', '.join(self.forms)}" if self.forms else ""
        return f"formapp: {self.place}: {_TITLES.get(self.kind, self.kind)}{forms}{end}"

    @property
    def place(self) -> str:
        return place_of(self.kind, self.site)

    def as_json(self) -> dict[str, Any]:
        """Return the webhook's body; chat tools show `text`."""
        advice = f"What to do: {self.advice}" if self.advice else ""
        parts = (f"{self.subject}: {self.detail}", advice, self.link or "")
        text = ". ".join(part for part in parts if part)
        return {"text": text, **asdict(self), "at": self.at.isoformat()}


Channel = Callable[[Alert], None]
"""Sends an alert, or raises."""


class WebhookError(Exception):
    """The webhook did not accept the alert."""


def post_alert(url: str, alert: Alert) -> None:
    """Post an alert as JSON to a webhook; may raise NoResponseError or WebhookError."""
    status = http.post(url, json=alert.as_json()).status
    if not 200 <= status < 300:  # noqa: PLR2004 - success, by RFC 9110
        raise WebhookError(f"the webhook answered {status}")


def mail_alert(mailer: SmtpMailer, sender: str, to: tuple[str, ...], alert: Alert) -> None:
    """Send an alert by e-mail, or raise MailError."""
    parts = [
        alert.detail,
        f"What to do: {alert.advice}" if alert.advice else "",
        alert.link or "",
        (
            f"Where: {alert.place}\nForms: {', '.join(alert.forms) or '-'}\n"
            f"Noticed: {alert.at:%Y-%m-%d %H:%M} UTC"
        ),
    ]
    text = "\n\n".join(part for part in parts if part)
    mailer.send(Message(sender, to, alert.subject, f"{text}\n"))
