"""The sandbox as one object: its sites, switches, faults, tokens, limits and log."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from formapp.sandbox.api.auth import Tokens
from formapp.sandbox.api.ratelimit import RateLimiter
from formapp.sandbox.clock import Clock
from formapp.sandbox.control.calllog import CallLog
from formapp.sandbox.control.faults import FaultBoard
from formapp.sandbox.persistence import Keeper, load

if TYPE_CHECKING:
    from formapp.sandbox.options import SandboxOptions


class Sandbox:
    """Everything that one sandbox holds; nothing is shared between two of them.

    Raises:
        StateFileError: the state file cannot be read as one.
    """

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.settings = options.settings
        self.clock = Clock(options.clock)
        self.store = load(options.state_file)
        self.keeper = Keeper(self.store, options.state_file)
        self.tokens = Tokens()
        self.limiter = RateLimiter()
        self.faults = FaultBoard()
        self.calls = CallLog()
        self.closing = threading.Event()

    def reset(self) -> None:
        """Go back to the start: no sites, no faults, no tokens, the first settings."""
        self.store.forget()
        self.tokens.revoke_all()
        self.limiter.clear()
        self.faults.clear()
        self.calls.clear()
        self.clock.reset()
        self.settings = self.options.settings
        self.keeper.keep()

    def close(self) -> None:
        """Wake all calls that wait because of a fault. The state file is already up to date."""
        self.closing.set()
        self.keeper.keep()
