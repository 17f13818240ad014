"""What happened to a submission, in words."""

from typing import Any

import pytest

from formapp.leads.timeline import events_of

AT = "2026-11-27T09:48:00+00:00"
REASON = "sent in under two seconds"


def _entry(state: str, **meta: Any) -> dict[str, Any]:
    return {
        "state": state,
        "received_at": AT,
        "meta": {"suspect": [REASON], **meta},
        "confirmation": None,
        "deliveries": [],
        "notified": [],
        "notifications": [],
        "erased_at": None,
    }


@pytest.mark.parametrize(
    ("state", "meta", "texts"),
    [
        ("spam", {}, ["Received", "Caught by the honeypot"]),
        ("quarantined", {}, ["Received", "Held in quarantine"]),
        (
            "delivered",
            {"released_at": "2026-11-27T10:00:00+00:00"},
            ["Received", "Held in quarantine", "Released from quarantine"],
        ),
        ("delivered", {}, ["Received", "Accepted, though a little suspicious"]),
        ("pending", {"suspect": []}, ["Received"]),
    ],
)
def test_a_reason_for_suspicion_is_called_what_it_led_to(
    state: str, meta: dict[str, Any], texts: list[str]
) -> None:
    events = events_of(_entry(state, **meta))
    assert [event.text for event in events] == texts
    assert [event.detail for event in events[1:2]] == ([REASON] if len(texts) > 1 else [])
