"""An alert as a JSON post."""

import requests

from formapp.monitoring.alerts import Alert

_SECONDS = (5, 10)


class Webhook:
    """Posts alerts to an address; any status of 200 to 299 is fine.

    Raises:
        requests.RequestException: when it is called and the alert did not arrive.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, alert: Alert) -> None:
        """Post it."""
        answer = requests.post(
            self._url, json=alert.as_json(), timeout=_SECONDS, allow_redirects=False
        )
        answer.raise_for_status()
        if answer.is_redirect:
            raise requests.HTTPError("the webhook redirects")
