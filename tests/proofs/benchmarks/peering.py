"""The peers' own environment: outside the tree, made once for each list of versions."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.proofs.benchmarks.rounds import tell

REQUIREMENTS = Path(__file__).parent / "peers" / "requirements.txt"
_DONE = "complete"


class NoPeersError(Exception):
    """The peers can't be installed here; the text says why, in one line."""


def cache() -> Path:
    """The folder for everything that is installed or kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "formapp-benchmarks"


def python() -> Path:
    """The interpreter that has the peers; makes their environment if it isn't there yet.

    Raises:
        NoPeersError: it can't be made.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    hashed = hashlib.sha256(REQUIREMENTS.read_bytes() + version.encode()).hexdigest()
    folder = cache() / f"peers-{hashed[:16]}"
    if not (folder / _DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        tell(f"installing the peers into {folder}")
        _call(sys.executable, "-m", "venv", str(folder))
        pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--no-deps", "-q")
        _call(*pip, "-r", str(REQUIREMENTS))
        (folder / _DONE).touch()
    return folder / "bin" / "python"


def versions() -> str:
    """The peers' versions that matter, as a sentence's part."""
    wanted = ("Django", "wagtail", "psycopg", "waitress")
    lines = REQUIREMENTS.read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    return ", ".join(f"{name} {pinned[name]}" for name in wanted)


def _call(*command: str) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise NoPeersError(said.strip().splitlines()[-1]) from error
