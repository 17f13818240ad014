"""Whatever goes wrong is answered in the visitor's format: a page, or JSON for every status."""

import logging

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from formapp.languages import gettext_noop
from formapp.web.refusal import RefusalError
from formapp.web.responses import refuse

_log = logging.getLogger(__name__)
_TEXTS = {
    404: ("NOT_FOUND", gettext_noop("There is nothing at this address.")),
    405: ("METHOD_NOT_ALLOWED", gettext_noop("This address doesn't take such requests.")),
}

_UNANSWERED = gettext_noop("This request could not be answered.")


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(RefusalError, refuse)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _defect)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    code, text = _TEXTS.get(status, (f"HTTP_{status}", _UNANSWERED))
    refusal = RefusalError(status, code, text)
    allow = dict(error.get_headers()).get("Allow")
    if allow:
        refusal.headers["Allow"] = allow
    return refuse(refusal)


def _defect(error: Exception) -> Response:
    # The text of an unforeseen exception may quote an answer, and a traceback its source lines'
    # values: type and place must do.
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    _log.error("%s at %s while answering %s", type(error).__name__, where, request.endpoint)
    return refuse(
        RefusalError(
            500,
            "INTERNAL",
            "Something went wrong on our side. Nothing was sent; please try again in a minute.",
        )
    )
