"""The page on which people switch faults and settings, and its texts."""

from flask import Response, render_template, request

from formapp.sandbox.api.errors import STATUS_MESSAGES
from formapp.sandbox.api.operations import OPERATION_NAMES
from formapp.sandbox.control.faults import KINDS
from formapp.sandbox.core import Sandbox
from formapp.sandbox.options import CHOICES, TEXTS
from formapp.sandbox.state import Json

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


def faults_page(sandbox: Sandbox, problem: str | None = None) -> Response:
    """Return the page; `problem` says why a form was refused."""
    page = render_template(
        "faults.html",
        problem=problem,
        faults=sandbox.faults.read(),
        presets=PRESETS,
        kinds=KINDS,
        operations=OPERATION_NAMES,
        sites=[site.id for site in sandbox.store.sites()],
        settings=TEXTS,
        values=sandbox.settings.as_json(),
        choices=CHOICES,
        counts=sandbox.calls.counts(),
        base=request.host_url.rstrip("/"),
    )
    return Response(page, 400 if problem else 200)


def error_page(status: int) -> Response:
    """Return the page for an error, such as an unknown address."""
    message = STATUS_MESSAGES.get(status, "Something went wrong")
    return Response(render_template("error.html", message=message, status=status), status)
