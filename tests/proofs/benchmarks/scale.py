"""Scale of accepting: several web processes on PostgreSQL, and many rows kept before."""

from contextlib import closing

from formapp.db.database import Database
from formapp.db.upgrade import upgrade
from tests.proofs.benchmarks.accept import at, turns_of
from tests.proofs.benchmarks.contestant import Contestant
from tests.proofs.benchmarks.filling import fill
from tests.proofs.benchmarks.load import Load
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, ratios, spread, tell
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, NotHereError, Stage

PROCESSES = (1, 2, 4)
ROWS = (1_000, 100_000, 1_000_000)
GROWTH = 1.1
"""So much dearer one accept may be with the most rows than with the fewest."""


def run(setting: Setting) -> Report:
    """Play and judge."""
    report = Report(
        "Scale of accepting",
        ("installation", "posts a second", "p50 ms", "p99 ms", "by the first"),
        notes=[
            (
                "Web processes share one database, each with a port of its own and its share of "
                "wrk's 16 connections. The machine's cores bound what more processes can bring: "
                "wrk and the database need theirs."
            ),
            "Rows: kept and delivered submissions that were there before the round.",
        ],
    )
    _play_processes(report, setting)
    for kind in setting.kinds:
        _play_rows(report, setting, kind)
    return report


def _play_processes(report: Report, setting: Setting) -> None:
    with Stage() as stage:
        try:
            contestants = [_processes(stage, number) for number in PROCESSES]
        except NotHereError as error:
            report.missing["web processes on PostgreSQL"] = str(error)
            return
        tabulate(report, _play(contestants, stage, setting))


def _processes(stage: Stage, number: int) -> Contestant:
    url = stage.database("postgresql")
    bases = [stage.serve("--no-worker", DATABASE_URL=url) for _ in range(number)]
    name = f"PostgreSQL, {number} web process" + ("es" if number > 1 else "")
    return at(name, url, bases)


def _play_rows(report: Report, setting: Setting, kind: str) -> None:
    with Stage() as stage:
        try:
            contestants = [_rows(stage, kind, setting.part(each, 10)) for each in ROWS]
        except NotHereError as error:
            report.missing[f"many rows on {KINDS[kind]}"] = str(error)
            return
        seen = _play(contestants, stage, setting)
    tabulate(report, seen)
    fewest, *_, most = seen.values()
    growth = ratios([each.rate for each in fewest], [each.rate for each in most])
    what = f"{KINDS[kind]}: cost of one accept with the most rows by that with the fewest"
    report.at_most(what, GROWTH, growth)


def _rows(stage: Stage, kind: str, number: int) -> Contestant:
    url = stage.database(kind)
    tell(f"  filling {KINDS[kind]} with {number:,} rows")
    with closing(Database(url)) as database:
        upgrade(database)
        fill(database, number)
    base = stage.serve("--no-worker", DATABASE_URL=url)
    return at(f"{KINDS[kind]}, {number:,} rows", url, [base])


def _play(contestants: list[Contestant], stage: Stage, setting: Setting) -> dict[str, list[Load]]:
    turns = {each.name: turns_of(each, stage, setting) for each in contestants}
    return play(turns, setting.rounds)


def tabulate(report: Report, seen: dict[str, list[Load]]) -> None:
    """Add a row for each installation; ratios are by the first one's posts a second."""
    first = next(iter(seen.values()))
    for name, loads in seen.items():
        latencies = [
            spread([getattr(each, what) for each in loads]).said(1, 1000) for what in ("p50", "p99")
        ]
        rates, firsts = [each.rate for each in loads], [each.rate for each in first]
        ratio = "" if loads is first else ratios(rates, firsts).said(2)
        report.rows.append((name, spread(rates).said(), *latencies, ratio))
