"""The quota of a form that a submission takes of later: once it is let through.

Where a challenge's service is still to be asked, anybody can make a token up: only what the service
lets through may use the quota up. So the quota is noted in the submission's `meta`.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from formapp.db.counters import UsageLimit, count_up

QUOTA = "quota"
"""Where in `meta` it stands: as `UsageLimit`, with `seconds` in place of `until`."""

_log = logging.getLogger(__name__)


def noted(quota: UsageLimit, now: datetime) -> dict[str, Any]:
    """A quota as JSON: its count, if it begins with this, lasts as long as it would from now."""
    kept = asdict(quota)
    seconds = (kept.pop("until") - now).total_seconds()
    return kept | {"seconds": seconds}


def take_quota(connection: Connection, meta: Mapping[str, Any], now: datetime) -> str | None:
    """Take of the quota that is noted, in the caller's transaction; the reason if none is left.

    The owner is told in the log by the first one beyond.
    """
    if QUOTA not in meta:
        return None
    kept = dict(meta[QUOTA])
    quota = UsageLimit(until=now + timedelta(seconds=kept.pop("seconds")), **kept)
    count = count_up(connection, quota.hash, quota.until, now)
    if count == quota.amount + 1:
        _log.warning(
            "the quota of the form %s is used up: leads go to quarantine meanwhile", quota.name
        )
    return quota.reason if count > quota.amount else None


def without_quota(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The same once it is decided: it is taken once at most."""
    return {name: value for name, value in meta.items() if name != QUOTA}
