"""One installation under test: sandbox, bad line, web server, and where its leads are kept."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import requests

from formapp.db.database import Database
from formapp.db.upgrade import upgrade
from tests.proofs.faults.clock import FastClock
from tests.proofs.faults.editor import SITE
from tests.proofs.faults.nursery import Nursery
from tests.support.forked import ROOT, Process, pipe
from tests.support.processes import environ, free_port

FORMS = Path(__file__).parent / "forms"
SCALE = 20.0
"""So many seconds of the run's clock pass in one of the world's."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Weather:
    """What the stage does to those on it.

    Attributes:
        rate: share of calls that meet a fault on the line.
        edits: share of readings of a contact after which somebody else edits it.
        slow: seconds (the world's) by which a late call is late.
        sandbox: the sandbox's settings.
        budget: `WIX_RATE_LIMIT` of the workers.
        scale: of the clock.
    """

    rate: float = 0.0
    edits: float = 0.0
    slow: float = 0.6
    sandbox: Json = field(default_factory=dict)
    budget: int = 1_000_000
    scale: float = SCALE


class Stage:
    """Starts everything but the workers; a context manager."""

    def __init__(self, folder: Path, database_url: str, seed: str, weather: Weather) -> None:
        self.folder = folder
        self.clock = FastClock(time.time(), weather.scale)
        self.weather = weather
        self._seed = seed
        self._processes: list[Process] = []
        self._nurseries: list[Nursery] = []
        self.database_url = database_url
        self.database = Database(database_url)
        self.port = free_port()
        self.web_url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = self.line_url = ""

    def __enter__(self) -> Self:
        upgrade(self.database)
        settings = {"rate_limit": 0, "token_lifetime": 1_000_000, **self.weather.sandbox}
        self.sandbox_url = self._start(
            "sandbox",
            *("--clock", json.dumps(self.clock.as_json()), "--settings", json.dumps(settings)),
        )
        port = self.sandbox_url.rpartition(":")[2]
        weather = self.weather
        self.line_url = self._start(
            "proxy",
            *("--target", port, "--seed", self._seed, "--rate", str(weather.rate)),
            *("--edits", str(weather.edits), "--slow", str(weather.slow)),
        )
        return self

    def __exit__(self, *_: object) -> None:
        for nursery in self._nurseries:
            nursery.close()
        for process in self._processes:
            process.kill()
            process.wait()
        self.database.close()

    def _start(self, module: str, *args: str) -> str:
        reader, writer = pipe()
        with (self.folder / f"{module}.log").open("a") as log, writer:
            files = 0, writer.fileno(), log.fileno()
            name = f"tests.proofs.faults.{module}"
            self._processes.append(Process(name, [*args], ROOT, environ({}), files))
        with reader:
            url = reader.readline().strip()
        assert url, f"{module} didn't start: see {self.folder}"
        return url

    @property
    def settings(self) -> dict[str, str]:
        """Settings of formapp, without their prefix."""
        return {
            "DATABASE_URL": self.database_url,
            "FORMS": str(FORMS),
            "SECRET_KEY": "a key that is long enough for this",
            "BASE_URL": self.web_url,
            "LIMIT_PER_ADDRESS": "off",
            "LIMIT_PER_FORM": "off",
            "WIX_API_URL": self.line_url,
            "WIX_API_KEY": "IST.example",
            "WIX_SITE_ID": SITE,
            "WIX_RATE_LIMIT": str(self.weather.budget),
        }

    def nursery(self) -> Nursery:
        """A nursery of this installation's processes."""
        nursery = Nursery(self.settings)
        self._nurseries.append(nursery)
        return nursery

    def order(self, **more: Any) -> Json:
        """What every process of this installation is told."""
        log = str(self.folder / f"{more.get('kind', 'worker')}.log")
        return {"clock": self.clock.as_json(), "log": log, "port": self.port, **more}

    def wait_for_web(self, seconds: float = 60) -> None:
        """Wait until the web server answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                requests.get(f"{self.web_url}/healthz", timeout=2)
            except requests.RequestException:
                assert time.monotonic() < deadline, f"no web server: see {self.folder}"
                time.sleep(0.02)
            else:
                return

    def line(self, method: str = "GET") -> dict[str, int]:
        """Counts of the line; `DELETE` mends it."""
        counts: dict[str, int] = requests.request(
            method, f"{self.line_url}/_proxy", timeout=10
        ).json()
        return counts

    def control(self, method: str, path: str, body: Json | None = None) -> Json:
        """Call the sandbox's control path."""
        answer = requests.request(
            method, f"{self.sandbox_url}/_sandbox{path}", json=body, timeout=60
        )
        assert answer.status_code == 200, answer.text
        told: Json = answer.json()
        return told

    def definitions(self, kind: str, items: str) -> dict[str, str]:
        """Key to display name, of all labels or extended fields."""
        answer = requests.get(
            f"{self.sandbox_url}/contacts/v4/{kind}",
            headers={"Authorization": "IST.judge", "wix-site-id": SITE},
            timeout=10,
        )
        return {item["key"]: item["displayName"] for item in answer.json()[items]}
