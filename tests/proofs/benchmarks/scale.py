"""The same with few submissions and with 10,000,000, of which a tenth waits for Wix."""

import statistics
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from flask.testing import FlaskClient
from sqlalchemy import delete

from formapp.db.database import Database
from formapp.db.tables import pauses
from formapp.db.upgrade import upgrade
from formapp.delivery.claims import claim_many, release
from formapp.delivery.sites import Pauses
from formapp.leads import expire, totals
from formapp.leads.accept import GroupCommit, Submission
from formapp.monitoring.incidents import find_incidents
from formapp.monitoring.metrics import Metrics
from tests.proofs.benchmarks.bodies import answers, form
from tests.proofs.benchmarks.inbox import PAGES, client_of, seconds_of
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, ratios, spread, tell
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, NotHereError, Stage
from tests.support.many_leads import fill_leads

FEW, MANY = 1_000, 10_000_000
WAITING = 10
"""One of so many isn't delivered yet."""

FOUND = 100_000
"""So many of the newest are found by a search; in the suite `inbox` all are."""

GROWTH = 1.2
"""So much longer each may take with many than with few."""

EXPIRED = 5
"""Of either number of leads, so many have expired."""

SITE = "main"
TIMES = 15
SHOWN = (
    *("list", "form", "site", "state", "delivered", "two filters", "outcome", "overview", "name"),
    *("two words", "two names without a lead", "name, failed", "name, form", "beginning, failed"),
    "beginning, form",
)


@dataclass(frozen=True)
class Filled:
    """An installation with so many submissions; `numbers` make visitors who haven't come yet."""

    database: Database
    client: FlaskClient
    numbers: "count[int]" = field(default_factory=count)


Operation = Callable[[Filled], float]
"""Does it once; the seconds that it took."""


def run(setting: Setting) -> Report:
    """Play and judge."""
    report = Report(
        "Scale",
        ("what", "few ms", "many ms", "by few"),
        notes=[
            (
                f"In this process, durable: {FEW:,} submissions against "
                f"{setting.part(MANY, FEW):,} of a year, of either a tenth waiting."
            ),
            f"Each figure is the median of {TIMES} in a round, of pages the best of five.",
            "A look for incidents counts up to 1,000 leads of each form, so it isn't to hold.",
        ],
    )
    for kind in setting.kinds:
        with Stage() as stage:
            try:
                urls = [stage.database(kind) for _ in "12"]
            except NotHereError as error:
                report.missing[KINDS[kind]] = str(error)
                continue
            for url, number in zip(urls, (FEW, setting.part(MANY, FEW)), strict=True):
                tell(f"  filling {KINDS[kind]} with {number:,} submissions")
                fill(url, number)
            compare(report, KINDS[kind], *urls, rounds=setting.rounds)
    return report


def fill(url: str, number: int) -> None:
    """Make a database with so many submissions."""
    with closing(Database(url)) as database:
        upgrade(database)
        fill_leads(database, number, waiting=number // WAITING, found=FOUND)
        # As a worker does once a minute.
        totals.refresh(database, datetime.now(UTC))


def compare(report: Report, kind: str, few: str, many: str, *, rounds: int) -> None:
    """Add a row for each operation on two databases, and what must hold."""
    with closing(Database(few)) as first, closing(Database(many)) as second:
        filled = {
            "few": Filled(first, client_of(few)),
            "many": Filled(second, client_of(many)),
        }
        for name, operation in OPERATIONS.items():
            turns = {size: partial(operation, each) for size, each in filled.items()}
            seen = play(turns, rounds)
            grown = ratios(seen["many"], seen["few"])
            times = [spread(seen[size]).said(1, 1000) for size in filled]
            report.rows.append((f"{kind}: {name}", *times, grown.said(2)))
            tell(f"  {kind}: {name}: {', '.join(times)}, {grown.said(2)}")
            if name not in COUNTS:
                report.at_most(f"{kind}: {name}", GROWTH, grown)


def _accept(filled: Filled) -> float:
    group, took = GroupCommit(filled.database), []
    for number, _ in zip(filled.numbers, range(TIMES), strict=False):
        submission = _submission(number)
        started = time.perf_counter()
        group.keep(submission)
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def _submission(number: int) -> Submission:
    posted = form().reader.sort(answers(number, "scale").items())
    reading = form().reader.read(posted, default_site=SITE, page=None, referrer=None)
    return Submission(
        form=form().name,
        form_version=form().version,
        received_at=datetime.now(UTC),
        lead=reading.lead,
        answers=dict(reading.answers),
        key=f"scale:{time.time_ns()}",
    )


def _claim(filled: Filled, most: int = 50) -> float:
    took = []
    for _ in range(TIMES):
        started = time.perf_counter()
        claims = claim_many(filled.database, SITE, datetime.now(UTC), most)
        took.append(time.perf_counter() - started)
        if len(claims) != most:
            raise RuntimeError(f"{len(claims)} were claimed")
        release(filled.database, claims)
    return statistics.median(took)


def _claim_in_pause(filled: Filled) -> float:
    Pauses(filled.database).pause(SITE, datetime.now(UTC) + timedelta(minutes=1), "budget")
    try:
        return _median(lambda: claim_many(filled.database, SITE, datetime.now(UTC), 50))
    finally:
        with filled.database.write() as connection:
            connection.execute(delete(pauses))


def _median(what: Callable[[], object], times: int = TIMES) -> float:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        what()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def _retention(filled: Filled) -> float:
    """Find what has expired: of those that were never accepted, as many as are erased at once."""

    def find() -> None:
        with filled.database.read() as connection:
            expire.find_expired(connection, 400, datetime.now(UTC), limit=EXPIRED)

    return _median(find)


def _incidents(filled: Filled) -> float:
    backlog = timedelta(days=400)
    return _median(lambda: find_incidents(filled.database, datetime.now(UTC), backlog=backlog), 1)


def _metrics(filled: Filled) -> float:
    metrics = Metrics()
    return _median(lambda: metrics.read_queue(filled.database, datetime.now(UTC), [SITE]), 1)


def _page(address: str, filled: Filled) -> float:
    return seconds_of(filled.client, address)


OPERATIONS: dict[str, Operation] = {
    "accept": _accept,
    "claim 50": _claim,
    "claim during a pause": _claim_in_pause,
    "finding what has expired": _retention,
    **{f"inbox, {name}": partial(_page, PAGES[name]) for name in SHOWN},
    "looking for incidents": _incidents,
    "metrics": _metrics,
}
COUNTS = {"looking for incidents"}
