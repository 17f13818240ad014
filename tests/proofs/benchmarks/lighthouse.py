"""Lighthouse from npm, with Debian's Chromium; installed once, outside the tree."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.proofs.benchmarks.peering import cache
from tests.proofs.benchmarks.rounds import tell
from tests.support.browser import CHROMIUM

VERSION = "13.5.0"
CATEGORIES = ("performance", "accessibility", "best-practices")
_DONE = "complete"


class NoLighthouseError(Exception):
    """It can't be installed or run here; the text says why, in one line."""


def scores(url: str, folder: Path, times: int) -> dict[str, list[float]]:
    """What the page scores, of 100, by category; one value for each time.

    Raises:
        NoLighthouseError: it can't be installed or run.
    """
    program = _installed()
    found: dict[str, list[float]] = {category: [] for category in CATEGORIES}
    for number in range(times):
        result = folder / f"lighthouse-{number}.json"
        _call(
            program,
            url,
            "--quiet",
            "--output=json",
            f"--output-path={result}",
            f"--only-categories={','.join(CATEGORIES)}",
            # As root the browser's own sandbox can't be set up.
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        )
        said = json.loads(result.read_text("utf-8"))["categories"]
        for category in CATEGORIES:
            found[category].append(100 * said[category]["score"])
    return found


def _installed() -> str:
    if shutil.which("npm") is None or not CHROMIUM.exists():
        raise NoLighthouseError(f"needs npm and {CHROMIUM}: install Debian's npm and chromium")
    folder = cache() / f"lighthouse-{VERSION}"
    if not (folder / _DONE).exists():
        tell(f"installing Lighthouse into {folder}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        options = ("--no-audit", "--no-fund", "--no-save", "--prefix", str(folder))
        _call("npm", "install", *options, f"lighthouse@{VERSION}")
        (folder / _DONE).touch()
    return str(folder / "node_modules" / ".bin" / "lighthouse")


def _call(*command: str) -> None:
    environment = os.environ | {"CHROME_PATH": str(CHROMIUM)}
    try:
        subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=300
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise NoLighthouseError(said[0]) from error
