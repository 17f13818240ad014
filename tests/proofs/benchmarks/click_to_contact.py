"""From click to contact when Wix takes 100 ms for each answer: how much formapp adds.

The clock starts when the post is sent and stops when the sandbox answers the call that created the
contact. A lead of a new person needs two calls: the look-up and the create.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import count

import requests

from tests.proofs.benchmarks.bodies import FORM, answers, own_token
from tests.proofs.benchmarks.report import Report
from tests.proofs.benchmarks.rounds import play, spread
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import KINDS, NotHereError, Stage
from tests.proofs.benchmarks.wixside import WixSide

LEADS = 20
LATENCY = 0.1
CALLS = 2
TARGET = 1.2
PATIENCE = 30.0

Post = Callable[[], float]
"""Posts one lead; seconds until its contact was there."""


def run(setting: Setting) -> Report:
    """Play and judge."""
    leads = setting.part(LEADS, 3)
    report = Report(
        "From click to contact",
        ("installation", "median ms", "slowest ms", "by the two calls"),
        notes=[
            (
                f"{leads} leads of new people in each round, one after the other; the sandbox "
                f"answers each call after {LATENCY:g} s, so two calls take {CALLS * LATENCY:g} s."
            ),
        ],
    )
    with Stage() as stage, ExitStack() as beside:
        posts: dict[str, Post] = {}
        for kind in setting.kinds:
            try:
                posts |= _installations(stage, kind, beside)
            except NotHereError as error:
                report.missing[KINDS[kind]] = str(error)
        for post in posts.values():
            # The first lead of all looks up labels and fields.
            post()
        turns = {name: partial(_turn, post, leads) for name, post in posts.items()}
        seen = play(turns, setting.rounds)
    for name, rounds in seen.items():
        middles = [sorted(took)[len(took) // 2] for took in rounds]
        by_calls = spread([each / (CALLS * LATENCY) for each in middles])
        slowest = spread([max(took) for took in rounds])
        report.rows.append(
            (name, spread(middles).said(0, 1000), slowest.said(0, 1000), by_calls.said(2))
        )
        report.at_most(f"{name}: median by the two calls", TARGET, by_calls)
    return report


def _turn(post: Post, leads: int) -> list[float]:
    return [post() for _ in range(leads)]


def _installations(stage: Stage, kind: str, beside: ExitStack) -> dict[str, Post]:
    """On SQLite the worker in the server's process, on PostgreSQL one of its own, too."""
    apart = {f"{KINDS[kind]}, worker in the server": True}
    if kind == "postgresql":
        apart[f"{KINDS[kind]}, worker apart"] = False
    posts: dict[str, Post] = {}
    for name, together in apart.items():
        url, wix = stage.database(kind), beside.enter_context(WixSide())
        wix.control("POST", "/faults", {"kind": "latency", "seconds": LATENCY})
        given = {
            "DATABASE_URL": url,
            "WIX_API_URL": wix.url,
            "WIX_RATE_LIMIT": "1000000",
        }
        base = stage.serve(*([] if together else ["--no-worker"]), **given)
        if not together:
            stage.formapp("worker", **given)
        session = beside.enter_context(requests.Session())
        posts[name] = partial(_post, session, base, wix, count(1))
    return posts


def _post(session: requests.Session, base: str, wix: WixSide, numbers: "count[int]") -> float:
    created = threading.Event()
    ended = 0.0

    def note() -> None:
        nonlocal ended
        ended = time.perf_counter()
        created.set()

    wix.created = note
    data = {"_token": own_token(), **answers(next(numbers))}
    headers = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
    started = time.perf_counter()
    answer = session.post(
        f"{base}/f/{FORM}?_use=page", data=data, headers=headers, allow_redirects=False, timeout=30
    )
    if answer.status_code != 303 or not created.wait(PATIENCE):
        raise ValueError(f"the post was answered {answer.status_code}, and no contact came of it")
    return ended - started
