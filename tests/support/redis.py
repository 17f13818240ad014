"""A real Redis for tests: a server of its own, in memory, on a free port."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis

from tests.support.processes import free_port


class RedisServer:
    """A running server that keeps nothing on disk.

    Attributes:
        url: as formapp takes it.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = ("--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp")  # noqa: S108 - nothing is written there
        self._process = subprocess.Popen(
            [self._program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        with redis.Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                except redis.ConnectionError:
                    assert time.monotonic() < deadline, "redis-server didn't answer"
                    time.sleep(0.05)
                else:
                    return

    def keys(self) -> list[str]:
        """Every key that is kept."""
        with redis.Redis.from_url(self.url, decode_responses=True) as client:
            return [str(key) for key in client.scan_iter()]

    def clear(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        """End it, as a crash would."""
        self._process.kill()
        self._process.wait()


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run a server; where Redis isn't installed, skip (but fail in CI)."""
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing; in CI nothing is skipped")
        pytest.skip("redis-server is missing: install Debian's redis-server to run this")
    server = RedisServer(program)
    try:
        yield server
    finally:
        server.stop()
