"""Faults on request: the active ones, which calls they affect, and what they do to an answer.

`status` and `bad_gateway_html` do not apply the call unless `applied` is true.

A cut is real: the server passes its socket in `environ["werkzeug.socket"]`, and the fault shuts it
down in both directions, as when a process dies.
"""

import random
import socket
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from flask import Response, make_response

from formapp.sandbox.api.errors import envelope
from formapp.sandbox.api.operations import OPERATION_NAMES
from formapp.sandbox.options import Range, Rules, check

KINDS = ("latency", "status", "bad_gateway_html", "cut_before", "cut_after", "truncate", "stall")
FAULT_RULES: Rules = {
    "kind": KINDS,
    "operation": OPERATION_NAMES,
    "site": str,
    "status": Range(400, 599),
    "code": str,
    "empty_body": bool,
    "applied": bool,
    "seconds": Range(0, 600.0),
    "times": Range(1, 1_000_000),
    "probability": Range(0, 1.0),
    "retry_after": Range(0, 86_400),
}
BAD_GATEWAY = (
    "<!doctype html>\n<html><head><title>502 Bad Gateway</title></head>\n"
    "<body><h1>502 Bad Gateway</h1></body></html>\n"
)


@dataclass
class Fault:
    """One fault, of all calls unless it has an `operation` or a `site`.

    `status`, `code`, `empty_body` and `retry_after` (seconds) are for kind `status`, `seconds` for
    `latency` and `stall`. `applied`: kinds `status` and `bad_gateway_html` apply the call first.
    It affects the share `probability` of the calls, and ends after `times`; `struck` counts them.
    """

    id: str = field(default_factory=lambda: str(uuid.uuid4()), init=False)
    kind: str
    operation: str | None = None
    site: str | None = None
    status: int = 503
    code: str | None = None
    empty_body: bool = False
    applied: bool = False
    seconds: float = 1.0
    times: int | None = None
    probability: float = 1.0
    retry_after: int | None = None
    struck: int = field(default=0, init=False)

    @property
    def applies_call(self) -> bool:
        """Whether the call is applied although its answer is replaced."""
        return self.kind in ("cut_after", "truncate", "stall") or self.applied

    @property
    def cuts_connection(self) -> bool:
        """Whether the client receives no answer at all."""
        return self.kind in ("cut_before", "cut_after")

    def replace(
        self, answer: Response, environ: Mapping[str, Any], closing: threading.Event
    ) -> Response:
        """Return the response that the client receives instead of `answer`."""
        if self.kind == "status":
            return self._error()
        if self.kind == "bad_gateway_html":
            return Response(BAD_GATEWAY, 502, content_type="text/html; charset=utf-8")
        whole = answer.get_data()

        def part(body: bytes, pause: float) -> Iterator[bytes]:
            """Send nothing before the cut if there is no body: the server asks for it first."""
            if body:
                yield body
            closing.wait(pause)
            _cut(environ)

        if self.cuts_connection:
            return Response(part(b"", 0.0), 503)  # the status never reaches the client
        pause = self.seconds if self.kind == "stall" else 0.0
        half = part(whole[: len(whole) // 2], pause)
        truncated = Response(half, answer.status_code, content_type=answer.content_type)
        truncated.content_length = len(whole)
        return truncated

    def _error(self) -> Response:
        body = b"" if self.empty_body else envelope(self.status, self.code).body
        answer = make_response(body, self.status)
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        return answer


def _cut(environ: Mapping[str, Any]) -> None:
    connection = environ.get("werkzeug.socket")
    if connection is None:  # most servers drop the connection after an error
        raise ConnectionAbortedError("this server passes no socket to cut")
    with suppress(OSError):  # the client may have disconnected first
        connection.shutdown(socket.SHUT_RDWR)


def read_fault(sent: Mapping[str, Any]) -> Fault:
    """Return the fault that `sent` describes, or raise `SettingError`; null is the default."""
    given = {name: value for name, value in sent.items() if value is not None}
    return Fault(**check({**given, "kind": given.get("kind")}, FAULT_RULES, "part of a fault"))


class Faults:
    """The active faults, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._random = random.Random()  # noqa: S311 - selects calls for test faults, no secrets

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults[fault.id] = fault

    def read(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults.values()]

    def remove(self, fault_id: str) -> bool:
        """Deactivate a fault; return whether it was active."""
        with self._lock:
            return self._faults.pop(fault_id, None) is not None

    def draw(self, operation: str, site: str | None) -> tuple[float, Fault | None]:
        """Return the seconds that a call must wait, and the fault that replaces its answer.

        Latencies add up; of the other faults only the first that affects the call counts.
        """
        delay, replacing = 0.0, None
        with self._lock:
            for fault in list(self._faults.values()):
                superseded = fault.kind != "latency" and replacing is not None
                matches = fault.operation in (None, operation) and fault.site in (None, site)
                if superseded or not matches or self._random.random() >= fault.probability:
                    continue
                fault.struck += 1
                if fault.struck == fault.times:
                    del self._faults[fault.id]
                if fault.kind == "latency":
                    delay += fault.seconds
                else:
                    replacing = fault
        return delay, replacing
