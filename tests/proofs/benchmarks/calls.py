"""Calls a lead, counted by the sandbox over a realistic mix of leads.

Of 1,000 leads 600 are from people whom Wix doesn't know, 250 from contacts who tell something new,
and 150 from contacts who tell nothing new. The contacts came by another installation: this one has
never seen them and knows neither their ids nor the keys of labels and fields. The keys are looked
up once in an installation's life, so those calls are told apart: the mix is judged without them.
"""

import random
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proofs.benchmarks.bodies import Answers, answers
from tests.proofs.benchmarks.office import Office, outcomes
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, spread
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.wixside import WixSide
from tests.support.ledger import rows

LEADS = 1_000
KNOWN = {"news": 0.25, "no news": 0.15}
TARGET = 1.85
KEYS = ("findOrCreateLabel", "findOrCreateExtendedField", "queryLabels", "queryExtendedFields")
"""What looks up the key of a label or a field: once for each of them, whatever leads follow."""


def run(setting: Setting) -> Report:
    """Play and judge."""
    leads = setting.part(LEADS, 20)
    report = Report(
        "Calls a lead",
        ("operation", "calls a lead"),
        notes=[
            (
                f"{leads:,} leads: 60 % new, 25 % of contacts with news, 15 % without; counted "
                "by the sandbox. The keys of labels and fields are looked up once, by the first "
                "lead that needs them: the fewer the leads, the more that weighs."
            ),
        ],
    )
    seeds = iter(range(setting.rounds))
    seen = play({"formapp": lambda: _count(leads, next(seeds))}, setting.rounds)["formapp"]
    for operation in sorted({name for each in seen for name in each}):
        report.rows.append((operation, spread([each[operation] / leads for each in seen]).said(3)))
    keys = spread([_of_keys(each) for each in seen])
    report.rows.append(("all", spread([each.total() / leads for each in seen]).said(3)))
    report.rows.append(("of all, calls that looked up keys once", f"{keys.said()} in all"))
    mix = spread([(each.total() - _of_keys(each)) / leads for each in seen])
    report.rows.append(("all, once the keys are known", mix.said(3)))
    report.at_most("calls a lead once the keys are known", TARGET, mix, 3)
    return report


def _of_keys(seen: Counter[str]) -> int:
    return sum(seen[name] for name in KEYS)


def _count(leads: int, seed: int) -> Counter[str]:
    """Calls by operation."""
    with TemporaryDirectory() as folder, WixSide() as wix:
        people = _people(leads)
        with closing(Office(f"sqlite:///{Path(folder) / 'before.db'}", wix.url)) as before:
            before.post([_before(each) for each in people["news"]] + people["no news"])
            before.deliver()
        wix.control("DELETE", "/calls")
        mixed = [each for group in people.values() for each in group]
        random.Random(seed).shuffle(mixed)  # noqa: S311 - an order, no secret
        with closing(Office(f"sqlite:///{Path(folder) / 'now.db'}", wix.url)) as now:
            now.post(mixed)
            now.deliver()
            _check(outcomes(rows(now.database, "deliveries")), people)
        return Counter(wix.control("GET", "/calls")["counts"])


def _people(leads: int) -> dict[str, list[Answers]]:
    counts = {name: round(leads * share) for name, share in KNOWN.items()}
    counts["new"] = leads - sum(counts.values())
    numbers = iter(range(leads))
    return {
        name: [answers(next(numbers), name.replace(" ", "-")) for _ in range(count)]
        for name, count in counts.items()
    }


def _before(later: Answers) -> Answers:
    """What somebody with news had said the first time."""
    return {name: text for name, text in later.items() if name not in {"phone", "company"}}


def _check(found: dict[str, int], people: dict[str, list[Answers]]) -> None:
    """The mix must be the one that is said."""
    named = {"new": "created", "news": "updated", "no news": "unchanged"}
    wanted = {outcome: len(people[name]) for name, outcome in named.items() if people[name]}
    if found != wanted:
        raise ValueError(f"another mix came out: {found}, not {wanted}")
