"""JSON answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Response

if TYPE_CHECKING:
    from formapp.sandbox.api.errors import WixError


def json_answer(body: Any, status: int = 200) -> Response:
    """Return `body` as a JSON answer."""
    return Response(json.dumps(body), status, content_type="application/json")


def error_answer(error: WixError) -> Response:
    """Return the answer for an error of the API."""
    return json_answer(error.body, error.status)
