"""A refusal: what went wrong with a request, in words for the visitor and a code for programs."""

from typing import Any

from flask_babel import gettext


class RefusalError(Exception):
    """Ends a request with a status, a code and a sentence.

    Attributes:
        status: HTTP status.
        code: for programs; Formspree's where it has one.
        msgid: for people, in English; never repeats what was sent. The catalogues take it from
            where the refusal is written, so it is a plain text there.
        headers: further headers of the answer.
        params: what is put into the text, by its name in `%(name)s`.
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
        self.status = status
        self.code = code
        self.msgid = msgid
        self.headers = headers or {}
        self.params = params

    @property
    def text(self) -> str:
        """For people, in the language of the answer at hand."""
        return str(gettext(self.msgid, **self.params))

    def as_json(self) -> dict[str, Any]:
        """The body of a JSON answer, in the form that Formspree's clients read."""
        return {"error": self.text, "errors": [{"code": self.code, "message": self.text}]}
