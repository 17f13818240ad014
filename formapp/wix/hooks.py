"""What runs around each HTTP call: a budget before it, an observer after it."""

import dataclasses
import logging
from collections.abc import Callable

from formapp.wix.operations import Operation
from formapp.wix.reply import Reply

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call that was made, for logs and metrics. Holds no id, body or header.

    Attributes:
        operation, method, path_template: see `Operation`.
        status: HTTP status; None when no whole answer came.
        request_id: `X-Wix-Request-Id`.
        code: Wix's error code.
        seconds: how long it took.
    """

    operation: str
    method: str
    path_template: str
    status: int | None
    request_id: str | None
    code: str | None
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Hooks:
    """The two hooks; either may be missing.

    Attributes:
        before_call: gets the operation's name; what it raises passes through, nothing is sent.
        on_call: gets the `Call` afterwards.
    """

    before_call: Callable[[str], None] | None = None
    on_call: Callable[[Call], None] | None = None

    def before(self, operation: Operation) -> None:
        """Run `before_call`."""
        if self.before_call:
            self.before_call(operation.name)

    def after(self, operation: Operation, reply: Reply, seconds: float) -> None:
        """Run `on_call`. What it raises is logged and dropped.

        An observer that fails must not hide the outcome of a write.
        """
        if not self.on_call:
            return
        call = Call(
            operation=operation.name,
            method=operation.method,
            path_template=operation.path,
            status=reply.status,
            request_id=reply.request_id,
            code=reply.code,
            seconds=seconds,
        )
        try:
            self.on_call(call)
        except Exception:  # noqa: BLE001 - it is somebody else's code; see above
            _log.exception("on_call failed for %s", operation.name)
