"""Accepting a lead: formapp beside a floor that keeps nothing and beside what others use.

Everybody serves a form with the same six fields by waitress, one process, with its protection on,
and answers after a durable commit. formapp and the floor have formapp's threads, Django and Wagtail
eight, with which they are faster.
"""

from collections.abc import Callable
from functools import partial
from itertools import count

from tests.proofs.benchmarks import peering
from tests.proofs.benchmarks.bodies import (
    FORM,
    SECRET,
    bodies,
    floor_token,
    own_token,
    plain_bodies,
)
from tests.proofs.benchmarks.contestant import Contestant, browser_headers
from tests.proofs.benchmarks.load import Load
from tests.proofs.benchmarks.peering import NoPeersError
from tests.proofs.benchmarks.peers.flask_site import signer
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, ratios, spread
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, NotHereError, Stage, rows

FLOOR = "Flask, validate only"
FLOOR_TARGET = 0.9
TARGETS = {"Django": 1.8, "Wagtail": 8.0}
_CSRF = "c" * 32


def run(setting: Setting) -> Report:
    """Play and judge."""
    report = Report(
        "Accepting a lead",
        ("contestant", "posts a second", "p50 ms", "p99 ms", "longest ms", "formapp by it"),
        notes=[
            (
                "A real form of six fields, each post with an e-mail address and a nonce of its "
                "own; wrk with 16 kept connections; answered after a durable commit; token or "
                "CSRF protection and limits on (the Django peers have no limits); one process "
                "each."
            ),
            f"Peers: {peering.versions()}. Every answer was checked against the rows kept.",
        ],
    )
    with Stage() as stage:
        contestants = _contestants(stage, setting, report.missing)
        turns = {each.name: turns_of(each, stage, setting) for each in contestants}
        seen = play(turns, setting.rounds)
    _tabulate(report, seen)
    _judge(report, seen)
    return report


def turns_of(each: Contestant, stage: Stage, setting: Setting) -> Callable[[], Load]:
    """Its turn, each time with other visitors."""
    numbers = count(1)
    return lambda: each.turn(stage.folder, setting.seconds, f"r{next(numbers)}")


def ours(stage: Stage, kind: str) -> Contestant:
    """Start formapp, without a worker.

    Raises:
        NotHereError: this kind of database isn't installed.
    """
    url = stage.database(kind)
    return at(f"formapp, {KINDS[kind]}", url, [stage.serve("--no-worker", DATABASE_URL=url)])


def at(name: str, database_url: str, bases: list[str]) -> Contestant:
    """Take part with formapp's servers at these addresses, which share a database."""
    return Contestant(
        name,
        [f"{base}/f/{FORM}?_use=page" for base in bases],
        partial(bodies, token=own_token),
        browser_headers(bases[0]),
        partial(rows, database_url, "submissions"),
    )


def floor(stage: Stage) -> Contestant:
    """Start the Flask app that checks the same posts and keeps nothing."""
    url, token = f"{stage.flask()}/f/{FORM}", partial(floor_token, signer(SECRET).dumps)
    return Contestant(FLOOR, [url], partial(bodies, token=token), browser_headers(url), None)


def _django(stage: Stage, kind: str, product: str) -> Contestant:
    module, path, table = {
        "Django": ("django_site", f"/f/{FORM}", "leads_lead"),
        "Wagtail": ("wagtail_site", f"/{FORM}/", "wagtailforms_formsubmission"),
    }[product]
    database_url = stage.database(kind)
    url = stage.peer(module, path, database_url)
    return Contestant(
        f"{product}, {KINDS[kind]}",
        [url],
        partial(plain_bodies, csrfmiddlewaretoken=_CSRF),
        [*browser_headers(url), f"Cookie: csrftoken={_CSRF}"],
        partial(rows, database_url, table),
    )


def _contestants(stage: Stage, setting: Setting, missing: dict[str, str]) -> list[Contestant]:
    found = [floor(stage)]
    for kind in setting.kinds:
        try:
            found.append(ours(stage, kind))
        except NotHereError as error:
            missing[f"formapp, {KINDS[kind]}"] = str(error)
        for product in ("Django", "Wagtail"):
            try:
                found.append(_django(stage, kind, product))
            except (NotHereError, NoPeersError) as error:
                missing[f"{product}, {KINDS[kind]}"] = str(error)
    return found


def _rates(loads: list[Load]) -> list[float]:
    return [each.rate for each in loads]


def _tabulate(report: Report, seen: dict[str, list[Load]]) -> None:
    for name, loads in seen.items():
        kind = name.rpartition(", ")[2]
        mine = seen.get(f"formapp, {kind}") or seen.get("formapp, SQLite")
        ratio = ratios(_rates(mine), _rates(loads)).said(2) if mine and mine is not loads else ""
        latencies = [
            spread([getattr(each, what) for each in loads]).said(1, 1000)
            for what in ("p50", "p99", "longest")
        ]
        report.rows.append((name, spread(_rates(loads)).said(), *latencies, ratio))


def _judge(report: Report, seen: dict[str, list[Load]]) -> None:
    for said in KINDS.values():
        loads = seen.get(f"formapp, {said}")
        if loads is None:
            continue
        mine = _rates(loads)
        by_floor = ratios(mine, _rates(seen[FLOOR]))
        report.at_least(f"{said}: formapp by {FLOOR}", FLOOR_TARGET, by_floor)
        for product, target in TARGETS.items():
            if theirs := seen.get(f"{product}, {said}"):
                report.at_least(
                    f"{said}: formapp by {product}", target, ratios(mine, _rates(theirs))
                )
        tail = spread([each.p99 / each.p50 for each in loads])
        report.at_most(f"{said}: p99 by p50", 5, tail, 1)
        report.at_most(f"{said}: longest request", 1, spread([e.longest for e in loads]), 2, " s")
