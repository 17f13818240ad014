"""A refusal: what went wrong with a request, in words for the visitor and a code for programs."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - it is an answer, not a defect
    """Ends a request with a status, a code and a sentence.

    Attributes:
        status: HTTP status.
        code: for programs; Formspree's where it has one.
        text: for people; never repeats what was sent.
        headers: further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        text: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.text = text
        self.headers = headers or {}

    def as_json(self) -> dict[str, Any]:
        """The body of a JSON answer, in the form that Formspree's clients read."""
        return {"error": self.text, "errors": [{"code": self.code, "message": self.text}]}
