"""Load by wrk: keep-alive, 16 connections, bodies that were prepared and are sent once each."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
HERE = Path(__file__).parent
PATIENCE = 30
"""Seconds after which wrk gives a request up: long, so that slow ones show in the latencies."""


class NoLoadError(Exception):
    """wrk isn't there, or its run makes no sense."""


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw; latencies in seconds.

    Attributes:
        requests: how many were answered.
        seconds: how long it took.
        left: prepared bodies that were not sent.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    longest: float
    left: int = 0

    @property
    def rate(self) -> float:
        """Requests answered a second."""
        return self.requests / self.seconds


def wrk() -> str:
    """The program.

    Raises:
        NoLoadError: it isn't installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise NoLoadError("wrk is missing: install it with `apt-get install -y wrk`")
    return found


def get(url: str, seconds: float, connections: int = CONNECTIONS, *, fresh: bool = False) -> Load:
    """Ask for a page for so many seconds; where `fresh`, each time with another query.

    Raises:
        NoLoadError: wrk is missing, or a request failed.
    """
    options = ["-s", str(HERE / "get.lua"), "-t1", f"-c{connections}"]
    return _run(options, url, seconds, ["fresh"] if fresh else [])


def post(
    urls: Sequence[str],
    bodies: Path,
    seconds: float,
    headers: Sequence[str] = (),
    connections: int = CONNECTIONS,
) -> Load:
    """Post prepared bodies for so many seconds, or until there is none left.

    Args:
        urls: the same path on one or several ports of 127.0.0.1; each gets its share.
        bodies: a file with an urlencoded body a line.
        seconds: at most.
        headers: further headers, as `Name: value`.
        connections: in all.

    Raises:
        NoLoadError: wrk is missing, or a request was refused or broke.
    """
    options = ["-s", str(HERE / "post.lua"), f"-t{len(urls)}", f"-c{connections}"]
    ports = " ".join(url.split("/")[2].rpartition(":")[2] for url in urls)
    return _run(options, urls[0], seconds, [str(bodies), *headers], BENCHMARK_PORTS=ports)


def _run(options: list[str], url: str, seconds: float, args: list[str], **environ: str) -> Load:
    # wrk knows whole seconds only.
    whole = f"-d{max(1, round(seconds))}s"
    done = subprocess.run(
        [wrk(), *options, whole, f"--timeout={PATIENCE}s", url, "--", *args],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return _read(json.loads(line.removeprefix("RESULT ")), url)
    raise NoLoadError(f"wrk ended with {done.returncode}: {done.stdout}{done.stderr}")


def _read(said: dict[str, int], url: str) -> Load:
    if said["refused"] or said["broken"] or not said["requests"]:
        raise NoLoadError(f"{url}: {said}")
    second = 1_000_000
    return Load(
        requests=said["requests"],
        seconds=said["us"] / second,
        p50=said["p50"] / second,
        p99=said["p99"] / second,
        longest=said["max"] / second,
        left=said["left"],
    )
