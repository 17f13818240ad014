"""Many callers at once: exactly one wins."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

C = "/contacts/v4/contacts"
CALLERS = 12


def at_once(http: Any, method: str, path: str, bodies: list[Any]) -> list[int]:
    """Return the statuses of calls that start together."""
    barrier = threading.Barrier(len(bodies))

    def call(body: Any) -> int:
        barrier.wait(10)
        return int(http.call(method, path, body).status_code)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return sorted(pool.map(call, bodies))


def test_of_updates_with_the_same_revision_exactly_one_wins(http: Any) -> None:
    contact = http.call("POST", C, {"info": {"name": {"first": "Ines"}}}).json()["contact"]
    for revision in range(1, 6):
        bodies = [
            {"revision": revision, "info": {"company": f"{revision}-{number}"}}
            for number in range(CALLERS)
        ]
        statuses = at_once(http, "PATCH", f"{C}/{contact['id']}", bodies)
        assert statuses == [200] + [409] * (CALLERS - 1)
    assert http.contacts()[0]["revision"] == 6


def test_of_creates_with_the_same_email_exactly_one_wins(http: Any) -> None:
    for number in range(5):
        emails = {"items": [{"email": f"{number}@example.com"}]}
        statuses = at_once(http, "POST", C, [{"info": {"emails": emails}}] * CALLERS)
        assert statuses == [200] + [409] * (CALLERS - 1)
    assert len(http.contacts()) == 5


def test_with_a_blind_window_creates_at_once_all_pass(http: Any) -> None:
    http.call("PATCH", "/_sandbox/settings", {"duplicate_blind_window": 60})
    body = {"info": {"emails": {"items": [{"email": "a@example.com"}]}}}
    assert at_once(http, "POST", C, [body] * CALLERS) == [200] * CALLERS


def test_a_label_is_created_once(http: Any) -> None:
    assert at_once(http, "POST", "/contacts/v4/labels", [{"displayName": "News"}] * CALLERS)
    assert http.call("GET", "/contacts/v4/labels").json()["metadata"]["total"] == 3


def test_the_rate_limit_counts_exactly(http: Any) -> None:
    http.call("PATCH", "/_sandbox/settings", {"rate_limit": 5})
    assert at_once(http, "GET", C, [None] * CALLERS) == [200] * 5 + [429] * (CALLERS - 5)
