"""A form's quota that a submission uses only when it is released.

While a challenge is not yet verified, its token may be forged: only verified submissions may use
the quota up. So the quota is stored in the submission's `meta`.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from formapp.db.counters import UsageLimit, count_up

QUOTA = "quota"
"""The name in `meta` of a `UsageLimit` as JSON, with `seconds` in place of `until`."""

_log = logging.getLogger(__name__)


def quota_meta(quota: UsageLimit, now: datetime) -> dict[str, Any]:
    """Return a quota as JSON for `meta`, with its duration in place of its end."""
    stored = asdict(quota)
    return stored | {"seconds": (stored.pop("until") - now).total_seconds()}


def take_quota(connection: Connection, meta: Mapping[str, Any], now: datetime) -> str | None:
    """Use the stored quota, in the caller's transaction; returns the reason if it is used up.

    Logs a warning for the first submission beyond it.
    """
    if QUOTA not in meta:
        return None
    stored = dict(meta[QUOTA])
    quota = UsageLimit(until=now + timedelta(seconds=stored.pop("seconds")), **stored)
    count = count_up(connection, quota.hash, quota.until, now)
    if count == quota.amount + 1:
        _log.warning(
            "the quota of the form %s is used up: leads go to quarantine meanwhile", quota.name
        )
    return quota.reason if count > quota.amount else None


def without_quota(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return `meta` without the quota, which is used only once."""
    return {name: value for name, value in meta.items() if name != QUOTA}
