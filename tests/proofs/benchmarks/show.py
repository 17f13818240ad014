"""Showing the form: beside a bare answer of its size, on the scales, in Lighthouse, embedded."""

import gzip
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from playwright.sync_api import Page, Request

from tests.proofs.benchmarks import lighthouse, load
from tests.proofs.benchmarks.bodies import FORM
from tests.proofs.benchmarks.report import Report, Verdict
from tests.proofs.benchmarks.rounds import Spread, play, ratios, spread, tell
from tests.proofs.benchmarks.setting import Setting
from tests.proofs.benchmarks.stage import Stage
from tests.support.browser import DESKTOP, PHONE, chromium
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.proofs.benchmarks.load import Load

KIB = 1024
TALL = 4000
BUNDLED = ("contact", "quote", "newsletter")
_SHIFTS = """
window.shifts = []; window.known = null;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput) window.shifts.push([entry.startTime, entry.value]);
}).observe({type: "layout-shift", buffered: true});
document.addEventListener("formapp:height", () => {
  window.known ??= performance.now();
});
"""
# The first height moves what stands below the frame, in one of the next frames.
_APPLIED_MS = 100
_AFTERWARDS_MS = 2_000


def run(setting: Setting) -> Report:
    """Play and judge."""
    report = Report("Showing the form", ("page", "pages a second", "p50 ms", "p99 ms", "by Flask"))
    with Stage() as stage:
        _speed(report, stage, setting)
        port, wix_port = free_port(), free_port()
        base, example = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{wix_port}/example/"
        data = str(stage.folder / "demo")
        ports = ("--port", str(port), "--sandbox-port", str(wix_port))
        # The demo has the bundled forms, and a page that embeds one.
        stage.formapp("demo", *ports, "--data", data, FORMS="")
        stage.wait_for_answer(f"{base}/readyz")
        for form in BUNDLED:
            _weigh(report, base, form)
        _look(report, base, example)
        _lighthouse(report, f"{base}/f/{FORM}", stage.folder, setting)
    return report


def _speed(report: Report, stage: Stage, setting: Setting) -> None:
    base = stage.serve("--no-worker", DATABASE_URL=stage.database("sqlite"))
    ours = {"hosted": f"{base}/f/{FORM}", "embedded": f"{base}/f/{FORM}/embed"}
    turns: dict[str, Callable[[], Load]] = {}
    for name, url in ours.items():
        size = len(requests.get(url, timeout=10).content)
        flask = f"{stage.flask(size)}/f/{FORM}"
        turns[f"Flask, {size:,} bytes"] = partial(load.get, flask, setting.seconds)
        turns[f"formapp, {name}"] = partial(load.get, url, setting.seconds)
        turns[f"formapp, {name}, each time another query"] = partial(
            load.get, url, setting.seconds, fresh=True
        )
    seen = play(turns, setting.rounds)
    names = list(seen)
    for theirs, mine, fresh in zip(names[::3], names[1::3], names[2::3], strict=True):
        rates = [each.rate for each in seen[theirs]]
        for name in (theirs, mine, fresh):
            ratio = ratios([each.rate for each in seen[name]], rates)
            latencies = [
                spread([getattr(each, what) for each in seen[name]]).said(1, 1000)
                for what in ("p50", "p99")
            ]
            rate = spread([each.rate for each in seen[name]]).said()
            report.rows.append((name, rate, *latencies, "" if name is theirs else ratio.said(2)))
            if name is not theirs:
                report.at_least(f"{name} by {theirs}", 0.65, ratio)


def _weigh(report: Report, base: str, form: str) -> None:
    page = requests.get(f"{base}/f/{form}", timeout=10).text
    loaded = re.findall(r'(?:src|href)="(/static/[^"#]+|/f/[^"#]+\.css[^"#]*)"', page)
    bodies = [page.encode()]
    bodies += [requests.get(base + path, timeout=10).content for path in loaded]
    weight = sum(len(gzip.compress(body, 9)) for body in bodies) / KIB
    what = f"{form}: KiB of page, style and script, compressed"
    report.at_most(what, 14, Spread(weight, weight, weight), 1)


def _look(report: Report, base: str, example: str) -> None:
    """What a browser asks for, and what moves on a page that embeds the form."""
    try:
        with chromium() as browser:
            for width in (DESKTOP, PHONE):
                page = browser.new_page(viewport={"width": width, "height": 900})
                asked: list[str] = []
                page.on("request", partial(_note, asked))
                page.goto(f"{base}/f/{FORM}", wait_until="networkidle")
                others = [url for url in asked if not url.startswith((base, "data:"))]
                verdict = Verdict(
                    f"{width} px: requests to anyone else", "none", str(len(others)), not others
                )
                report.verdicts.append(verdict)
                _shifts(report, page, example, width)
                page.close()
    except pytest.skip.Exception as error:
        report.missing["Chromium"] = str(error)


def _note(asked: list[str], request: Request) -> None:
    asked.append(request.url)


def _shifts(report: Report, page: Page, example: str, width: int) -> None:
    # Only what is in view shifts: the whole page is.
    page.set_viewport_size({"width": width, "height": TALL})
    page.add_init_script(_SHIFTS)
    page.goto(example)
    page.wait_for_function("window.known !== null")
    page.wait_for_timeout(_AFTERWARDS_MS)
    after, whole = (
        sum(value for at, value in page.evaluate("window.shifts") if at > since)
        for since in (page.evaluate("window.known") + _APPLIED_MS, 0)
    )
    page.evaluate("document.querySelector('iframe').style.marginTop = '80px'")
    # The browser must have told of this one, else it would have told of none.
    page.wait_for_function(f"window.shifts.some(([at]) => at > window.known + {_AFTERWARDS_MS})")
    what = f"{width} px: layout shift by the embedded form once its height is known"
    said = f"{after:.3f} ({whole:.3f} with what came before)"
    report.verdicts.append(Verdict(what, "0", said, after == 0))


def _lighthouse(report: Report, url: str, folder: Path, setting: Setting) -> None:
    try:
        tell("  Lighthouse")
        scores = lighthouse.scores(url, folder, min(setting.rounds, 3))
    except lighthouse.NoLighthouseError as error:
        report.missing["Lighthouse"] = str(error)
        return
    report.notes.append(f"Lighthouse {lighthouse.VERSION}, its default: a slow phone.")
    for category, values in scores.items():
        report.at_least(f"Lighthouse: {category}", 100, spread(values), 0)
