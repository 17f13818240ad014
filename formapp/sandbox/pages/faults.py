"""The page on which people switch faults and settings, and its texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, render_template, request

from formapp.sandbox.api.errors import STATUS_MESSAGES
from formapp.sandbox.api.operations import OPERATION_NAMES
from formapp.sandbox.options import CHOICES

if TYPE_CHECKING:
    from formapp.sandbox.core import Sandbox
    from formapp.sandbox.options import Settings
    from formapp.sandbox.state import Json

KIND_TEXTS = {
    "latency": "Answer late",
    "status": "Answer with an error",
    "bad_gateway_html": "Answer with a proxy's HTML page (502)",
    "cut_before": "Cut the connection before applying the call",
    "cut_after": "Apply the call, then cut the connection",
    "truncate": "Apply the call, then send half of the answer",
    "stall": "Apply the call, then stop halfway through the answer",
}

PRESETS: tuple[tuple[str, Json], ...] = (
    (
        "Lose the answer to the next create",
        {"kind": "cut_after", "operation": "createContact", "times": 1},
    ),
    ("Drop one answer in four", {"kind": "cut_after", "percent": 25}),
    ("Refuse half of the connections", {"kind": "cut_before", "percent": 50}),
    ("Answer every call 2 seconds late", {"kind": "latency", "seconds": 2}),
    ("Be unavailable (503) for five calls", {"kind": "status", "status": 503, "times": 5}),
    ("Answer 429 to three calls", {"kind": "status", "status": 429, "times": 3}),
    ("Stop halfway through the next answer", {"kind": "stall", "seconds": 30, "times": 1}),
    ("Answer like a broken proxy three times", {"kind": "bad_gateway_html", "times": 3}),
)

ROUTES: tuple[tuple[str, str], ...] = (
    ("GET, POST /_sandbox/faults", "lists the active faults, activates one"),
    ("DELETE /_sandbox/faults[/id]", "deactivates faults"),
    ("GET, PATCH /_sandbox/settings", "shows and changes the settings"),
    ("GET, DELETE /_sandbox/calls", "shows and clears the log of calls and their counts"),
    ("GET, POST /_sandbox/clock", 'shows the time, moves it forward by {"advance": seconds}'),
    ("DELETE /_sandbox/tokens", "lets all app tokens expire"),
    ("POST /_sandbox/members", "makes a contact a member, owner or contributor"),
    ("GET /_sandbox/sites", "lists the sites"),
    ("GET, POST /_sandbox/sites/<site>/contacts", "shows all contacts, creates one as a person"),
    ("PATCH, DELETE /_sandbox/sites/<site>/contacts/<id>", "edits and deletes one as a person"),
    ("POST /_sandbox/reset", "resets everything"),
)

SETTING_TEXTS: dict[str, tuple[str, str]] = {
    "credentials": ("Keys and tokens", "Refuse all of them, as if a key had been revoked."),
    "rate_limit": ("Calls in 60 seconds", "Per key and site, or per app instance. 0 is no limit."),
    "query_delay": ("Delay of Query (seconds)", "Time until Query Contacts sees a change."),
    "list_delay": ("Delay of List (seconds)", "Time until List Contacts sees a change."),
    "duplicate_blind_window": (
        "Blind window (seconds)",
        "How long the duplicate check misses a new contact.",
    ),
    "job_delay": ("Length of a bulk job (seconds)", "How long labelling in bulk takes."),
    "token_lifetime": ("Lifetime of a token (seconds)", "14400 at Wix."),
    "extended_fields": ("Extended fields in Update", "Merge them one by one, or replace all."),
    "labels_quota": ("Labels per site", "The sandbox refuses more."),
    "fields_quota": ("Custom fields per site", "The sandbox refuses more."),
    "any_email_duplicates": (
        "Compare all emails for duplicates",
        "Otherwise only the primary email of other contacts counts.",
    ),
    "refuse_optional_filters": (
        "Refuse optional filters",
        "Filter fields that only some sources of the contract list.",
    ),
    "random_key_suffixes": (
        "Random keys",
        "Keys of labels and fields get an unpredictable ending.",
    ),
}


def faults_page(sandbox: Sandbox, problem: str | None = None) -> Response:
    """Return the page; `problem` says why a form was refused."""
    page = render_template(
        "faults.html",
        problem=problem,
        faults=[_fault_as_text(one) for one in sandbox.faults.read()],
        presets=PRESETS,
        kinds=KIND_TEXTS.items(),
        operations=OPERATION_NAMES,
        sites=[site.id for site in sandbox.store.sites()],
        settings=_settings_rows(sandbox.settings),
        counts=sandbox.calls.counts(),
        routes=ROUTES,
        base=request.host_url.rstrip("/"),
    )
    return Response(page, 400 if problem else 200)


def error_page(status: int) -> Response:
    """Return the page for an error, such as an unknown address."""
    message = STATUS_MESSAGES.get(status, "Something went wrong")
    return Response(render_template("error.html", message=message, status=status), status)


def _settings_rows(settings: Settings) -> list[Json]:
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
        for name, (label, text) in SETTING_TEXTS.items()
    ]


def _control(value: Any) -> str:
    if isinstance(value, bool):
        return "checkbox"
    if isinstance(value, str):
        return "select"
    return "whole" if isinstance(value, int) else "decimal"


def _fault_as_text(fault: Json) -> Json:
    """Return an active fault as a title and the facts that matter to its kind."""
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
        f"{fault['struck']} calls so far",
    ]
    title = KIND_TEXTS[fault["kind"]]
    return {"id": fault["id"], "title": title, "facts": ", ".join(one for one in facts if one)}
