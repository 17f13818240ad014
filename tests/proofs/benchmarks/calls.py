"""Calls a lead, counted by the sandbox over mixes of leads that wait together, and for lone ones.

A mix has leads from people whom Wix doesn't know, from contacts who tell something new, and from
contacts who tell nothing new. The contacts came by another installation: this one has never seen
them and knows neither their ids nor the keys of labels and fields. The keys are looked up once in
an installation's life, so those calls are told apart: the mix is judged without them.
"""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proofs.benchmarks.bodies import Answers, answers
from tests.proofs.benchmarks.office import Office, outcomes
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import Spread, spread
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.wixside import WixSide
from tests.support.ledger import rows

LEADS = 1_000
MIXES = {"60/25/15": 0.90, "90/8/2": 1.02, "20/50/30": 0.75}
"""Of a hundred leads new ones, ones with news and ones without, to the most calls a lead."""

ALONE, LONE = 10, 2.0
"""So many new people's leads come one by one, and cost so many calls each."""

KEYS = ("findOrCreateLabel", "findOrCreateExtendedField", "queryLabels", "queryExtendedFields")
"""What looks up the key of a label or a field: once for each of them, whatever leads follow."""


def run(setting: Setting) -> Report:
    """Play and judge."""
    leads = setting.part(LEADS, 20)
    report = Report(
        "Calls a lead",
        ("leads: new/with news/without", "searches", "writes and others", "in all"),
        notes=[
            (
                f"{leads:,} leads that wait together, counted by the sandbox, without the calls "
                "that look up the keys of labels and fields once."
            ),
        ],
    )
    for mix, target in MIXES.items():
        seen = [_count(mix, leads, seed) for seed in range(setting.rounds)]
        _tell(report, mix, leads, seen)
        report.at_most(f"{mix}: calls a lead", target, _per_lead(seen, leads), 3)
    alone = [_count("100/0/0", ALONE, seed, alone=True) for seed in range(setting.rounds)]
    _tell(report, "100/0/0, one by one", ALONE, alone)
    report.at_most("calls for a new person's lone lead", LONE, _per_lead(alone, ALONE), 2)
    return report


def _tell(report: Report, name: str, leads: int, seen: Sequence[Counter[str]]) -> None:
    searches = spread([each["queryContacts"] / leads for each in seen])
    every = _per_lead(seen, leads)
    rest = spread([(_counted(each) - each["queryContacts"]) / leads for each in seen])
    report.rows.append((name, *(each.said(3) for each in (searches, rest, every))))


def _per_lead(seen: Sequence[Counter[str]], leads: int) -> Spread:
    return spread([_counted(each) / leads for each in seen])


def _counted(seen: Counter[str]) -> int:
    return seen.total() - sum(seen[name] for name in KEYS)


def _count(mix: str, leads: int, seed: int, *, alone: bool = False) -> Counter[str]:
    """Calls by operation; `alone` has each lead delivered before the next one is posted."""
    with TemporaryDirectory() as folder, WixSide() as wix:
        people = people_of(mix, leads)
        introduce(wix, people, f"sqlite:///{Path(folder) / 'before.db'}")
        waiting = mixed(people, seed)
        with closing(Office(f"sqlite:///{Path(folder) / 'now.db'}", wix.url)) as now:
            for posted in [[each] for each in waiting] if alone else [waiting]:
                now.post(posted)
                now.deliver()
            check(outcomes(rows(now.database, "deliveries")), people)
        return Counter(wix.control("GET", "/calls")["counts"])


def people_of(mix: str, leads: int) -> dict[str, list[Answers]]:
    """The leads of a mix by sort: `new`, `news` and `no news`."""
    _, news, no_news = (int(part) / 100 for part in mix.split("/"))
    counts = {"news": round(leads * news), "no news": round(leads * no_news)}
    counts["new"] = leads - sum(counts.values())
    numbers = iter(range(leads))
    return {
        name: [answers(next(numbers), name.replace(" ", "-")) for _ in range(count)]
        for name, count in counts.items()
    }


def mixed(people: dict[str, list[Answers]], seed: int) -> list[Answers]:
    """All leads in an order drawn from the seed."""
    leads = [each for group in people.values() for each in group]
    random.Random(seed).shuffle(leads)  # noqa: S311 - an order, no secret
    return leads


def introduce(wix: WixSide, people: dict[str, list[Answers]], database_url: str) -> None:
    """Have another installation make the contacts of those whom Wix knows, and forget its calls."""
    with closing(Office(database_url, wix.url, WIX_API_KEY="IST.before")) as before:
        before.post([_before(each) for each in people["news"]] + people["no news"])
        before.deliver()
    wix.control("DELETE", "/calls")


def _before(later: Answers) -> Answers:
    """What somebody with news had said the first time."""
    return {name: text for name, text in later.items() if name not in {"phone", "company"}}


def check(found: dict[str, int], people: dict[str, list[Answers]]) -> None:
    """The mix must be the one that is said."""
    named = {"new": "created", "news": "updated", "no news": "unchanged"}
    wanted = {outcome: len(people[name]) for name, outcome in named.items() if people[name]}
    if found != wanted:
        raise ValueError(f"another mix came out: {found}, not {wanted}")
