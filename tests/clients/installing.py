"""Other people's clients, installed by npm as their users install them.

`package-lock.json` pins each by its hash and names no registry, so that npm asks the one that it is
set up for. Nothing is shipped and nothing is written into the tree: the packages go to pytest's
cache, into a folder named by the lock file's hash.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json")


def install(cache: Path) -> "Clients":
    """Install the packages unless the cache has them; skip where that can't be (but fail in CI)."""
    if not (shutil.which("npm") and shutil.which("node")):
        _give_up("npm is missing: install Node.js 18 or later with npm to run this")
    locked = b"".join((HERE / name).read_bytes() for name in _FILES)
    folder = cache / hashlib.sha256(locked).hexdigest()[:16]
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _install(cache, folder)
    return Clients(folder)


def _install(cache: Path, folder: Path) -> None:
    """Install beside and move: a folder of that name is complete."""
    beside = Path(tempfile.mkdtemp(dir=cache))
    for name in _FILES:
        shutil.copy(HERE / name, beside)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=beside,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(beside)
        _give_up(f"npm can't install the clients: {done.stderr.strip()[-500:]}")
    try:
        beside.rename(folder)
    except OSError:  # another run was quicker
        shutil.rmtree(beside)


def _give_up(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (in CI nothing is skipped)")
    pytest.skip(reason)


@dataclass(frozen=True)
class Clients:
    """The installed packages.

    Attributes:
        folder: the one that holds `node_modules`.
    """

    folder: Path

    def version(self, package: str) -> str:
        """The version that was installed."""
        found = json.loads((self._modules / package / "package.json").read_text())
        return str(found["version"])

    def core(self, job: dict[str, Any]) -> dict[str, Any]:
        """Run `core.mjs` in Node; gives what it prints."""
        script = (HERE / "core.mjs").read_text()
        printed = self._run(["node", "--input-type=module", "-", json.dumps(job)], script)
        return dict(json.loads(printed))

    def webhooks(self, public_key: str, tokens: list[str]) -> list[dict[str, Any]]:
        """Run `webhooks.mjs` in Node; gives what it prints, in the order of the tokens."""
        script = (HERE / "webhooks.mjs").read_text()
        job = json.dumps({"publicKey": public_key, "tokens": tokens})
        return list(json.loads(self._run(["node", "--input-type=module", "-", job], script)))

    def ajax(self) -> str:
        """The script that a page without a bundler loads."""
        return (self._modules / "@formspree/ajax/dist/global.js").read_text()

    def react(self) -> str:
        """`react.jsx`, bundled for a browser with React and Formspree's package."""
        esbuild = self._modules / ".bin/esbuild"
        options = ["--bundle", "--loader=jsx", '--define:process.env.NODE_ENV="production"']
        return self._run([str(esbuild), *options], (HERE / "react.jsx").read_text())

    @property
    def _modules(self) -> Path:
        return self.folder / "node_modules"

    def _run(self, command: list[str], text: str) -> str:
        """Run in the folder: what a script on standard input imports is looked for there."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
