"""Faults on request: which there are, and which one strikes a call.

Kinds:

* `latency`: wait `seconds`, then go on as usual.
* `status`: answer `status`; with `code` an application error, with `retry_after` the header.
* `bad_gateway_html`: answer 502 with an HTML page, as a proxy in front of the service would.
* `cut_before`: close the connection without an answer, before the call is applied.
* `cut_after`: apply the call, then close the connection without an answer.
* `truncate`: apply the call, send half of the answer, then close the connection.
* `stall`: apply the call, send half of the answer, stay silent for `seconds`, then close.

`status` and `bad_gateway_html` leave the call unapplied unless `applied` is true.
"""

from __future__ import annotations

import random
import threading
import uuid
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Kind = Literal[
    "latency",
    "status",
    "bad_gateway_html",
    "cut_before",
    "cut_after",
    "truncate",
    "stall",
]
KINDS: tuple[str, ...] = get_args(Kind)
APPLYING = ("cut_after", "truncate", "stall")
MAX_SECONDS = 600
STATUSES = range(400, 600)


class FaultError(ValueError):
    """The description of a fault makes no sense; the text says why."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        operation: The operationId that it strikes; None strikes all.
        site: The site that it strikes; None strikes all.
        status: Of kind `status`.
        code: Application error code of kind `status`, if any.
        empty_body: Kind `status` answers without a body.
        applied: Kinds `status` and `bad_gateway_html` apply the call first.
        seconds: Of kinds `latency` and `stall`.
        times: How many calls it strikes before it is over; None has no end.
        probability: Of striking a call that fits.
        retry_after: Seconds in the header Retry-After of kind `status`.
    """

    kind: Kind
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

    @property
    def lets_call_through(self) -> bool:
        """Tell whether the call is applied although its answer is spoilt."""
        return self.kind in APPLYING or self.applied

    def fits(self, operation: str, site: str | None) -> bool:
        """Tell whether it may strike this call."""
        return self.operation in (None, operation) and self.site in (None, site)


def read_fault(sent: Mapping[str, Any], operations: Collection[str]) -> Fault:
    """Return the fault that `sent` describes.

    Raises:
        FaultError: a name is unknown or a value makes no sense.
    """
    known = {one.name for one in fields(Fault)}
    unknown = sorted(set(sent) - known)
    if unknown:
        raise FaultError(f"{unknown[0]} is not part of a fault")
    if sent.get("kind") not in KINDS:
        raise FaultError(f"kind must be one of {', '.join(KINDS)}")
    if sent.get("operation") is not None and sent["operation"] not in operations:
        raise FaultError(f"operation must be one of {', '.join(operations)}")
    for name, value in sent.items():
        _check(name, value)
    optional = ("operation", "site", "code", "times", "retry_after")
    return Fault(**{k: v for k, v in sent.items() if v is not None or k in optional})


def _check(name: str, value: Any) -> None:
    if name in ("site", "code") and not (value is None or isinstance(value, str)):
        raise FaultError(f"{name} must be a string or null")
    if name in ("empty_body", "applied") and not isinstance(value, bool):
        raise FaultError(f"{name} must be true or false")
    if name in _RANGES and value is not None:
        lowest, highest, whole = _RANGES[name]
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not number or not lowest <= value <= highest:
            raise FaultError(f"{name} must be a number from {lowest} to {highest}")


_RANGES: dict[str, tuple[float, float, bool]] = {
    "status": (STATUSES.start, STATUSES.stop - 1, True),
    "seconds": (0, MAX_SECONDS, False),
    "times": (1, 1_000_000, True),
    "probability": (0, 1, False),
    "retry_after": (0, 86_400, True),
}


class FaultBoard:
    """The faults that are on, in the order in which they were switched on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._struck: dict[str, int] = {}
        self._random = random.Random()  # noqa: S311 - decides about test faults, not secrets

    def add(self, fault: Fault) -> dict[str, Any]:
        """Switch a fault on and return it with its id."""
        fault_id = str(uuid.uuid4())
        with self._lock:
            self._faults[fault_id] = fault
            self._struck[fault_id] = 0
            return self._shown(fault_id)

    def read(self) -> list[dict[str, Any]]:
        """Return all faults, each with `id` and `struck`, the number of calls it has struck."""
        with self._lock:
            return [self._shown(fault_id) for fault_id in self._faults]

    def remove(self, fault_id: str) -> bool:
        """Switch a fault off; tell whether it was on."""
        with self._lock:
            return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._faults.clear()

    def draw(self, operation: str, site: str | None) -> tuple[float, Fault | None]:
        """Return how long the call has to wait, and the fault that spoils it, if any.

        Latencies add up; of the other faults the first that strikes counts.
        """
        wait, spoiling = 0.0, None
        with self._lock:
            for fault_id, fault in list(self._faults.items()):
                passed_over = fault.kind != "latency" and spoiling is not None
                if passed_over or not self._strikes(fault, operation, site):
                    continue
                self._count(fault_id, fault)
                if fault.kind == "latency":
                    wait += fault.seconds
                else:
                    spoiling = fault
        return wait, spoiling

    def _strikes(self, fault: Fault, operation: str, site: str | None) -> bool:
        return fault.fits(operation, site) and self._random.random() < fault.probability

    def _count(self, fault_id: str, fault: Fault) -> None:
        self._struck[fault_id] += 1
        if fault.times is not None and self._struck[fault_id] >= fault.times:
            del self._faults[fault_id]

    def _shown(self, fault_id: str) -> dict[str, Any]:
        fault = self._faults[fault_id]
        return {"id": fault_id, **asdict(fault), "struck": self._struck[fault_id]}
