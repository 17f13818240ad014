"""One run: leads come while the worker is killed, then a last worker does what is left."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from formapp.db.database import Database
from formapp.db.tables import jobs
from formapp.jobs.queue import Job
from formapp.leads.accept import keep
from formapp.notifications.plan import NOTIFY
from tests.proofs.faults.clock import FastClock
from tests.proofs.notifications.victim import work_of
from tests.support.leads import lead, submission
from tests.support.mailserver import MailServer, mail_server
from tests.support.notifying import FIELDS, SECRET
from tests.support.receiver import Receiver, receiver
from tests.support.schema import give_schema

OWNER = "owner@example.com"
SCALE = 20.0
"""A lease of two minutes takes 6 s: longer than any try may take on a busy machine."""

PATIENCE = 60.0
"""Seconds without any progress after the last kill, until the rest counts as left."""


@dataclass(frozen=True)
class Plan:
    """How many kills and leads."""

    kills: int
    leads: int
    seed: int


@dataclass
class Result:
    """What came out.

    Attributes:
        kills: by the step at which the worker died.
        copies: by channel, how often each lead arrived.
    """

    leads: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    copies: dict[str, Counter[str]] = field(default_factory=dict)
    left: int = 0

    @property
    def violations(self) -> list[str]:
        """What was promised and not held."""
        found = [f"{self.left} jobs are left"] if self.left else []
        for channel, copies in self.copies.items():
            if missing := self.leads - len(copies):
                found.append(f"{missing} leads are missing by {channel}")
            if self.doubled(channel) > self.kills.total():
                found.append(f"{self.doubled(channel)} are doubled by {channel}")
        return found

    def doubled(self, channel: str) -> int:
        """How many copies too many arrived."""
        return sum(self.copies[channel].values()) - len(self.copies[channel])

    def __str__(self) -> str:
        doubled = ", ".join(f"{self.doubled(each)} by {each}" for each in self.copies)
        kills = ", ".join(f"{step} {number}" for step, number in sorted(self.kills.items()))
        said = "; ".join(self.violations) or "none missing"
        total = self.kills.total()
        return f"{self.leads} leads, {total} kills ({kills}): {said}; doubled: {doubled}"


def run(url: str, plan: Plan) -> Result:
    """Run a plan on an empty database."""
    with closing(Database(url)) as database, mail_server() as mails, receiver() as hooks:
        give_schema(database)
        clock = FastClock(time.time(), SCALE)
        order = _order(url, plan, clock, mails, hooks)
        result = Result()
        ids = _kill(database, order, plan, clock, result)
        result.leads, result.left = len(ids), _finish(database, order)
        result.copies = {
            "mail": Counter(mail.message["Message-ID"][1:37] for mail in mails.taken),
            "webhook": Counter(json.loads(post.body)["data"]["id"] for post in hooks.posts),
        }
        assert all(copies.keys() <= ids for copies in result.copies.values())
        return result


def _order(
    url: str, plan: Plan, clock: FastClock, mails: MailServer, hooks: Receiver
) -> dict[str, Any]:
    table = f'title = "T"\n[notify]\nemail = "{OWNER}"\nwebhook = "{hooks.url}"\n{FIELDS}'
    settings = {"SMTP_URL": mails.url, "MAIL_FROM": "forms@example.com", "WEBHOOK_SECRET": SECRET}
    more = {"kills": plan.kills, "seed": plan.seed, "clock": clock.as_json()}
    return {"url": url, "form": table, "settings": settings, **more}


def _kill(
    database: Database, order: Mapping[str, Any], plan: Plan, clock: FastClock, result: Result
) -> set[str]:
    """Accept leads while workers die; returns the ids."""
    ids: set[str] = set()
    command = [sys.executable, "-m", "tests.proofs.notifications.victim", json.dumps(order)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout
        _accept(database, ids, plan.leads // 10, clock)
        for number, line in enumerate(victim.stdout, 1):
            result.kills[line.strip()] += 1
            _accept(database, ids, plan.leads * number // plan.kills, clock)
    assert victim.returncode == 0
    return ids


def _accept(database: Database, ids: set[str], until: int, clock: FastClock) -> None:
    while len(ids) < until:
        given = submission(lead(f"person{len(ids)}@example.com"), clock(), jobs=(Job(NOTIFY),))
        ids.add(keep(database, given).id)


def _finish(database: Database, order: dict[str, Any]) -> int:
    """Do what is left; returns how many jobs could not be done."""
    work = work_of(order, database)
    least, since = _count(database), time.monotonic()
    while (left := _count(database)) and time.monotonic() < since + PATIENCE:
        if left < least:
            least, since = left, time.monotonic()
        busy = sum(each() for each in work)  # each of them, whatever the others have done
        if not busy:
            time.sleep(0.05)
    return left


def _count(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(jobs)).scalar_one()
