"""Refusals and errors: every one is answered in the visitor's format, a page or JSON."""

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from formapp.forms.reading.text import TooManyMarksError
from formapp.languages import gettext_noop

_log = logging.getLogger(__name__)
_TEXTS = {
    404: (
        "NOT_FOUND",
        gettext_noop("There is no page at this address. Check that the address is correct."),
    ),
    405: ("METHOD_NOT_ALLOWED", gettext_noop("This address doesn't accept this kind of request.")),
}
_UNANSWERED = gettext_noop("We could not answer this request.")


class RefusalError(Exception):
    """Ends a request with a status, a code and a sentence.

    `code` is for programs: Formspree's where it has one. `msgid` is for people, in English, and
    repeats nothing that was sent but an origin; the catalogues extract it from where the refusal is
    raised, so it is a literal there. `params` are the values of its `%(name)s`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        msgid: str,
        headers: dict[str, str] | None = None,
        **params: object,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.headers = status, code, headers or {}
        self.msgid, self.params = msgid, params

    @property
    def text(self) -> str:
        """For people, in the language of the answer."""
        return str(gettext(self.msgid, **self.params))

    def as_json(self) -> dict[str, Any]:
        """The body of a JSON answer, in the form that Formspree's clients read."""
        return {"error": self.text, "errors": [{"code": self.code, "message": self.text}]}


def init_app(app: Flask, answer: Callable[[RefusalError], Response]) -> None:
    """Have `answer` render every refusal, HTTP error and unexpected exception of the app."""
    app.register_error_handler(RefusalError, answer)
    app.register_error_handler(TooManyMarksError, lambda _: answer(_of_marks()))
    app.register_error_handler(HTTPException, lambda error: answer(_of_http(error)))
    app.register_error_handler(Exception, lambda error: answer(_of_defect(error)))


def _of_marks() -> RefusalError:
    return RefusalError(
        400,
        "TOO_MANY_MARKS",
        "We could not read the request: a letter has more accents than any language uses.",
    )


def _of_http(error: HTTPException) -> RefusalError:
    status = error.code or 500
    code, text = _TEXTS.get(status, (f"HTTP_{status}", _UNANSWERED))
    allow = dict(error.get_headers()).get("Allow")
    return RefusalError(status, code, text, {"Allow": allow} if allow else None)


def _of_defect(error: Exception) -> RefusalError:
    # Neither the text of an unexpected exception nor a traceback is logged: both may quote answers.
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"
    _log.error("%s at %s while answering %s", type(error).__name__, where, request.endpoint)
    return RefusalError(
        500,
        "INTERNAL",
        "Something went wrong on our side. Nothing was sent. Please try again in a minute.",
    )
