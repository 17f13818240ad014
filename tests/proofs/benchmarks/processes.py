"""Accepting by one process and by several on one address: `formapp serve --processes N`."""

from tests.proofs.benchmarks.accept import at, turns_of
from tests.proofs.benchmarks.contestant import Contestant
from tests.proofs.benchmarks.load import Load
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, ratios, spread
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, NotHereError, Stage

NUMBERS = (1, 2)
GAIN = 1.3
"""So many times as many posts two processes must take as one, on two cores or more."""


def run(setting: Setting) -> Report:
    """Play and judge."""
    report = Report(
        "Several processes",
        ("installation", "posts a second", "p50 ms", "p99 ms", "by the first"),
        notes=[
            (
                "All processes of an installation accept from one socket; wrk, with 16 kept "
                "connections, and PostgreSQL need their share of the same cores."
            )
        ],
    )
    for kind in setting.kinds:
        with Stage() as stage:
            try:
                contestants = [_installation(stage, kind, number) for number in NUMBERS]
            except NotHereError as error:
                report.missing[KINDS[kind]] = str(error)
                continue
            turns = {each.name: turns_of(each, stage, setting) for each in contestants}
            seen = play(turns, setting.rounds)
        _tabulate(report, seen)
        one, several = seen.values()
        rates = ratios([each.rate for each in several], [each.rate for each in one])
        tails = ratios([each.p99 for each in several], [each.p99 for each in one])
        report.at_least(f"{KINDS[kind]}: two processes by one", GAIN, rates)
        report.at_most(f"{KINDS[kind]}: their slowest hundredth by that of one", 1, tails)
        longest = spread([each.longest for each in several])
        report.at_most(f"{KINDS[kind]}: longest request of two", 1, longest, 2, " s")
    return report


def _installation(stage: Stage, kind: str, number: int) -> Contestant:
    url = stage.database(kind)
    base = stage.serve("--no-worker", "--processes", str(number), DATABASE_URL=url)
    return at(f"{KINDS[kind]}, {number} process" + ("es" if number > 1 else ""), url, [base])


def _tabulate(report: Report, seen: dict[str, list[Load]]) -> None:
    first = next(iter(seen.values()))
    for name, loads in seen.items():
        latencies = [
            spread([getattr(each, what) for each in loads]).said(1, 1000) for what in ("p50", "p99")
        ]
        rates, firsts = [each.rate for each in loads], [each.rate for each in first]
        ratio = "" if loads is first else ratios(rates, firsts).said(2)
        report.rows.append((name, spread(rates).said(), *latencies, ratio))
