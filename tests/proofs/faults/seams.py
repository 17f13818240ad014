"""Where a process of the harness can be killed: the seams of production code, wrapped from outside.

Nothing in production code knows of this. A step names a function and whether the process dies
before it runs, after it ran, or a moment after it began. `uncommitted` steps die inside a
transaction.
"""

import functools
import importlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

When = Literal["before", "after", "during"]
Die = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Seam:
    """One place.

    Attributes:
        owner: module, or module and class after a colon.
        name: of the function there.
        when: relative to the function.
        wants_result: count only calls that returned something.
        most: the process dies at one of the first so many calls.
    """

    owner: str
    name: str
    when: When
    wants_result: bool = False
    most: int = 3


_DELIVER = "formapp.delivery.deliver"
_DELIVERER = "formapp.delivery.deliver:Deliverer"
_FIND = "formapp.delivery.find"
_RESULTS = "formapp.delivery.results"
_CONTACTS = "formapp.wix.contacts:Contacts"
_KEYS = "formapp.delivery.find:KeyCache"
_BATCH = 12
"""Leads of a batch: somewhere in it the process dies."""

WORKER_STEPS: dict[str, Seam] = {
    "before_claim": Seam(_DELIVER, "claim_many", "before"),
    "claim_uncommitted": Seam(
        "formapp.delivery.claims", "_claim", "after", wants_result=True, most=_BATCH
    ),
    "after_claim": Seam(_DELIVER, "claim_many", "after", wants_result=True),
    "before_batch_search": Seam(f"{_FIND}:BatchSearch", "find", "before", most=_BATCH),
    "after_batch_search": Seam(_FIND, "_find_batch", "after", wants_result=True),
    "before_lead": Seam(_DELIVERER, "_deliver_lead", "before", most=_BATCH),
    "before_key_kept": Seam(_KEYS, "remember_key", "before"),
    "after_keys": Seam(_KEYS, "keys_for", "after"),
    "after_budget": Seam("formapp.delivery.sites:Budget", "take", "after"),
    "during_look_up": Seam(_CONTACTS, "query", "during"),
    "after_find": Seam(_DELIVER, "find_contact", "after"),
    "before_intent": Seam(_DELIVER, "intend", "before", most=_BATCH),
    "intent_uncommitted": Seam("formapp.delivery.claims", "write_held", "after"),
    "after_intent": Seam(_DELIVER, "intend", "after", most=_BATCH),
    "before_create": Seam(_CONTACTS, "create", "before"),
    "during_create": Seam(_CONTACTS, "create", "during"),
    "after_create": Seam(_CONTACTS, "create", "after", most=_BATCH),
    "before_update": Seam(_CONTACTS, "update", "before"),
    "during_update": Seam(_CONTACTS, "update", "during"),
    "after_update": Seam(_CONTACTS, "update", "after", most=_BATCH),
    "after_lane_paused": Seam("formapp.delivery.sites:Pauses", "pause", "after"),
    "before_finish": Seam(_RESULTS, "finish", "before"),
    "finish_uncommitted": Seam(_RESULTS, "_end_claim", "after"),
    "after_finish": Seam(_RESULTS, "finish", "after", most=_BATCH),
    "before_put_back": Seam(_RESULTS, "put_back", "before"),
    "put_back_uncommitted": Seam(_RESULTS, "write_held", "after"),
    "after_put_back": Seam(_RESULTS, "put_back", "after"),
    "after_lead": Seam(_DELIVERER, "_deliver_lead", "after", most=_BATCH),
    "before_release": Seam(_DELIVER, "release", "before"),
    "after_release": Seam(_DELIVER, "release", "after"),
}
"""Every step of a batch and of each lead in it, in the order in which they are met."""

WEB_STEPS: dict[str, Seam] = {
    "web_before_keep": Seam("formapp.leads.accept:GroupCommit", "keep", "before"),
    "web_uncommitted": Seam("formapp.leads.accept", "_insert", "after"),
    "web_committed": Seam("formapp.leads.accept:GroupCommit", "keep", "after"),
    "web_before_answer": Seam("formapp.web.public.accept", "_success", "after"),
}
"""The steps of a post, around its commit."""


def arm(seam: Seam, at: int, delay: float, die: Die) -> None:
    """Have the process die when the seam is reached for the `at`-th time.

    Args:
        seam: where.
        at: counted from 1.
        delay: seconds after the beginning, for `during`.
        die: does not return.
    """
    owner = _owner(seam.owner)
    original = getattr(owner, seam.name)
    count = _Count(at)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if seam.when == "before" and count.is_up():
            die()
        if seam.when == "during" and count.is_up():
            threading.Thread(target=_die_later, args=(delay, die), daemon=True).start()
        result = original(*args, **kwargs)
        if seam.when == "after" and not (seam.wants_result and not result) and count.is_up():
            die()
        return result

    setattr(owner, seam.name, wrapped)


def _owner(path: str) -> Any:
    module, _, name = path.partition(":")
    found = importlib.import_module(module)
    return getattr(found, name) if name else found


def _die_later(delay: float, die: Die) -> None:
    time.sleep(delay)
    die()


class _Count:
    """Counts calls from several threads."""

    def __init__(self, at: int) -> None:
        self._left = at
        self._lock = threading.Lock()

    def is_up(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == 0
