"""Words for the page on which people switch faults and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from formapp.sandbox.control.faults import KINDS
from formapp.sandbox.options import CHOICES, Settings

if TYPE_CHECKING:
    from formapp.sandbox.state import Json

KIND_WORDS = {
    "latency": "Answer late",
    "status": "Answer with an error",
    "bad_gateway_html": "Answer with a proxy's HTML page (502)",
    "cut_before": "Cut the connection before the call is applied",
    "cut_after": "Apply the call, then cut the connection",
    "truncate": "Apply the call, then send half of the answer",
    "stall": "Apply the call, then stop half-way through the answer",
}

PRESETS: tuple[tuple[str, Json], ...] = (
    (
        "Lose the answer to the next create",
        {"kind": "cut_after", "operation": "createContact", "times": 1},
    ),
    ("Drop one answer in four", {"kind": "cut_after", "percent": 25}),
    ("Refuse connections half of the time", {"kind": "cut_before", "percent": 50}),
    ("Answer everything 2 seconds late", {"kind": "latency", "seconds": 2}),
    ("Be unavailable (503) for five calls", {"kind": "status", "status": 503, "times": 5}),
    ("Ask for a pause (429) three times", {"kind": "status", "status": 429, "times": 3}),
    ("Stop half-way through the next answer", {"kind": "stall", "seconds": 30, "times": 1}),
    ("Answer as a broken proxy, three times", {"kind": "bad_gateway_html", "times": 3}),
)

ROUTES: tuple[tuple[str, str], ...] = (
    ("GET, POST /_sandbox/faults", "shows the faults that are on, switches one on"),
    ("DELETE /_sandbox/faults[/id]", "switches them off"),
    ("GET, PATCH /_sandbox/settings", "shows and changes the settings"),
    ("GET, DELETE /_sandbox/calls", "shows and clears the log of calls and their counts"),
    ("GET, POST /_sandbox/clock", 'shows the time, puts it forward by {"advance": seconds}'),
    ("DELETE /_sandbox/tokens", "has all app tokens expire"),
    ("POST /_sandbox/members", "makes a contact a member, owner or contributor"),
    ("GET /_sandbox/sites", "lists the sites"),
    ("GET, POST /_sandbox/sites/<site>/contacts", "shows everything, creates as a person would"),
    ("PATCH, DELETE /_sandbox/sites/<site>/contacts/<id>", "edits and deletes as a person would"),
    ("POST /_sandbox/reset", "starts again"),
)

SETTING_WORDS: dict[str, tuple[str, str]] = {
    "credentials": ("Keys and tokens", "Refuse them all, as if a key had been revoked."),
    "rate_limit": ("Calls in 60 seconds", "Per key and site, or per app instance. 0 is no limit."),
    "query_delay": ("Delay of Query (seconds)", "How late Query Contacts sees a change."),
    "list_delay": ("Delay of List (seconds)", "How late List Contacts sees a change."),
    "duplicate_blind_window": (
        "Blind window (seconds)",
        "How long the duplicate check overlooks a contact after its creation.",
    ),
    "job_delay": ("Length of a bulk job (seconds)", "How long labelling in bulk takes."),
    "token_lifetime": ("Lifetime of a token (seconds)", "The service gives 14400."),
    "extended_fields": ("Extended fields in Update", "Merge them one by one, or replace all."),
    "labels_quota": ("Labels of a site", "More are refused."),
    "fields_quota": ("Custom fields of a site", "More are refused."),
    "any_email_duplicates": (
        "Compare all emails for duplicates",
        "Otherwise only the primary email of other contacts counts.",
    ),
    "refuse_optional_filters": (
        "Refuse optional filters",
        "Fields that only some sources of the contract list.",
    ),
    "random_key_suffixes": (
        "Random keys",
        "Keys of labels and fields get an ending that nobody can guess.",
    ),
}


def kinds() -> list[tuple[str, str]]:
    """Return the kinds of fault as value and words."""
    return [(kind, KIND_WORDS[kind]) for kind in KINDS]


def settings_rows(settings: Settings) -> list[Json]:
    """Return one row per setting: name, words, value and the control it needs."""
    values = settings.as_json()
    return [
        {
            "name": name,
            "label": label,
            "help": text,
            "value": values[name],
            "choices": CHOICES.get(name),
            "control": _control(values[name]),
        }
        for name, (label, text) in SETTING_WORDS.items()
    ]


def _control(value: Any) -> str:
    if isinstance(value, bool):
        return "checkbox"
    if isinstance(value, str):
        return "select"
    return "whole" if isinstance(value, int) else "decimal"


def fault_words(fault: Json) -> Json:
    """Return a fault that is on, as a sentence and the facts that matter to its kind."""
    facts = [
        f"on {fault['operation'] or 'every operation'}",
        f"on site {fault['site']}" if fault["site"] else "",
        f"status {fault['status']}" if fault["kind"] == "status" else "",
        f"{fault['seconds']:g} s" if fault["kind"] in ("latency", "stall") else "",
        "applied first" if fault["applied"] else "",
        f"{fault['probability']:.0%} of the calls" if fault["probability"] < 1 else "",
        f"{fault['times'] - fault['struck']} more to come"
        if fault["times"]
        else "until switched off",
        f"struck {fault['struck']} so far",
    ]
    words = KIND_WORDS[fault["kind"]]
    return {"id": fault["id"], "words": words, "facts": ", ".join(one for one in facts if one)}
