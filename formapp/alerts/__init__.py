"""Alerts to the owner: a webhook, an e-mail. They hold numbers and codes, never an answer."""

from formapp.alerts.alert import Alert, Tell
from formapp.alerts.mail import Mailer
from formapp.alerts.webhook import Webhook

__all__ = ["Alert", "Mailer", "Tell", "Webhook"]
