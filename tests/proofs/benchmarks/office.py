"""formapp in this process: leads are posted to its app and brought to a sandbox by its worker."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from formapp.app import create_app
from formapp.cli.worker import make_deliverer
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.db.upgrade import upgrade
from tests.proofs.benchmarks.bodies import FORM, FORMS, SECRET, Answers, own_token
from tests.proofs.benchmarks.stage import NEVER
from tests.support.processes import SITE

BASE = "http://127.0.0.1"


class Office:
    """One installation on a database of its own."""

    def __init__(self, database_url: str, sandbox_url: str, **more: str) -> None:
        self.given = {
            "DATABASE_URL": database_url,
            "SECRET_KEY": SECRET,
            "BASE_URL": BASE,
            "FORMS": str(FORMS),
            "LIMIT_PER_ADDRESS": NEVER,
            "LIMIT_PER_FORM": NEVER,
            "WIX_API_URL": sandbox_url,
            "WIX_API_KEY": "IST.benchmark",
            "WIX_SITE_ID": SITE,
            "WIX_RATE_LIMIT": "1000000",
            **more,
        }
        named = {f"FORMAPP_{name}": text for name, text in self.given.items()}
        self.settings = Settings.read(named, web=True, wix=True)
        self.database = Database(database_url)
        upgrade(self.database)
        app = create_app(self.settings, database=self.database)
        self._client = app.test_client(use_cookies=False)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def post(self, leads: Iterable[Answers]) -> None:
        """Have each sent from a page of ours."""
        for answers in leads:
            answer = self._client.post(
                f"/f/{FORM}?_use=page",
                base_url=BASE,
                data=urlencode({"_token": own_token(), **answers}),
                content_type="application/x-www-form-urlencoded",
                headers={"Origin": BASE, "Sec-Fetch-Site": "same-origin"},
            )
            if answer.status_code != 303:
                raise ValueError(f"a prepared lead is refused with {answer.status}")

    def deliver(self) -> None:
        """Deliver all that is due, as one worker."""
        deliverer = make_deliverer(self.settings, self.database)
        while deliverer.deliver_next():
            pass


def outcomes(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many deliveries have which state and outcome."""
    counted: dict[str, int] = {}
    for row in rows:
        name = row["outcome"] or row["state"]
        counted[name] = counted.get(name, 0) + 1
    return counted
