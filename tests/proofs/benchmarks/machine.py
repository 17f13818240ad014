"""What a run is measured on and with: a figure without these says little."""

import importlib.metadata
import os
import platform
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

_PACKAGES = ("Flask", "Werkzeug", "waitress", "SQLAlchemy", "psycopg", "WTForms")


def heading(rounds: int, seconds: float, size: float) -> str:
    """The first lines of a result: date, machine, versions, command."""
    given = shlex.split(sysconfig.get_config_var("CONFIG_ARGS") or "")
    options = [each for each in given if each.startswith(("--enable-", "--with-lto"))]
    build = ", ".join([platform.python_compiler(), *options])
    python = f"{platform.python_implementation()} {platform.python_version()} ({build})"
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        f"# Benchmarks of {datetime.now(UTC):%Y-%m-%d}",
        (
            f"- {_processor()}, {os.cpu_count()} cores, {_memory()}; {platform.system()} "
            f"{platform.release()}; load before the run: {load}"
        ),
        (
            f"- {python}, SQLite {sqlite3.sqlite_version}, {_said('postgres', '--version')}, "
            f"{_said('wrk', '--version')}; {versions}"
        ),
        (
            f"- {rounds} interleaved rounds of {seconds:g} seconds, medians with least and most; "
            f"size {size:g} of the full form"
        ),
        f"- command: `python -m tests.proofs.benchmarks {shlex.join(sys.argv[1:])}`",
    ]
    return lines[0] + "\n\n" + "\n".join(lines[1:]) + "\n"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def _memory() -> str:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{pages * size / 2**30:.0f} GiB"


def _said(program: str, option: str) -> str:
    """The first words of what a program says of its version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    path = os.pathsep.join([os.environ.get("PATH", ""), *map(str, reversed(folders))])
    found = shutil.which(program, path=path)
    if found is None:
        return f"no {program}"
    done = subprocess.run([found, option], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).splitlines()[0]
    return " ".join(said.split()[:3]).removesuffix(" [epoll]")
