"""The edge: an HTTP response becomes a checked answer or a typed error (contract section 3)."""

import email.utils
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests

from formapp.wix import errors
from formapp.wix.operations import CREATE_TOKEN, Operation
from formapp.wix.parsing import MalformedAnswerError, array, mapping, text
from formapp.wix.reply import Reply, Violation
from formapp.wix.verdict import error_for

T = TypeVar("T")

_OK = 200
# What may stand in a log: codes, rule names and request ids, but nothing a person would type.
_CODE = re.compile(r"[A-Za-z][A-Za-z_]{2,}[A-Za-z0-9_]{0,80}", re.ASCII)
_ID = re.compile(r"[\w.:/-]{1,120}", re.ASCII)
_PATH = re.compile(r"[A-Za-z$][\w.:\[\]$-]{0,199}", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON object of a success. Its repr does not show it."""

    operation: Operation
    body: Mapping[str, Any] = field(repr=False)
    request_id: str | None = None

    def read(self, parse: Callable[[Mapping[str, Any]], T]) -> T:
        """Parse the body.

        Raises:
            UnexpectedAnswer: a part is missing without which the answer means nothing.
        """
        try:
            return parse(self.body)
        except MalformedAnswerError as error:
            reply = Reply(status=_OK, request_id=self.request_id)
            raise unexpected(self.operation, reply, str(error)) from error


def unexpected(operation: Operation, reply: Reply, reason: str) -> errors.UnexpectedAnswer:
    """The error for an answer outside the contract: a write behind it may have been applied."""
    return errors.UnexpectedAnswer(
        operation.name, reply, maybe_applied=operation.writes, reason=f"unexpected answer: {reason}"
    )


def read_answer(operation: Operation, response: requests.Response) -> Answer:
    """Check status and shape; success is 200 with a JSON object (contract section 1).

    Raises:
        WixError: anything else, by its kind.
    """
    request_id = _safe(_ID, response.headers.get("X-Wix-Request-Id"))
    if response.status_code != _OK:
        raise error_for(operation, _reply(operation, response, request_id))
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        reply = Reply(status=_OK, request_id=request_id)
        raise unexpected(operation, reply, "no JSON") from error
    if not isinstance(body, dict):
        reply = Reply(status=_OK, request_id=request_id)
        raise unexpected(operation, reply, "no JSON object")
    return Answer(operation, body, request_id)


def _reply(operation: Operation, response: requests.Response, request_id: str | None) -> Reply:
    """What the answer tells; its body may be empty, no JSON, or no object."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    details = mapping(mapping(body).get("details"))
    application = mapping(details.get("applicationError"))
    validation = mapping(details.get("validationError"))
    # The token endpoint may answer as RFC 6749 (5.2) has it (contract section 2.2).
    oauth = mapping(body).get("error") if operation is CREATE_TOKEN else None
    return Reply(
        status=response.status_code,
        code=_safe(_CODE, application.get("code", oauth)),
        data=mapping(application.get("data")),
        violations=tuple(
            _violation(entry)
            for entry in array(validation.get("fieldViolations"))
            if isinstance(entry, dict)
        ),
        request_id=request_id,
        retry_after=retry_after(response.headers.get("Retry-After")),
    )


def _violation(raw: Mapping[str, Any]) -> Violation:
    return Violation(
        field=_safe(_PATH, raw.get("field")) or "?",
        rule=_safe(_CODE, raw.get("violatedRule")) or _safe(_CODE, raw.get("ruleName")),
        description=text(raw.get("description")) or "",
    )


def _safe(pattern: re.Pattern[str], value: object) -> str | None:
    """The string if it has the form that may stand in a log."""
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def retry_after(value: str | None) -> float | None:
    """Seconds from a `Retry-After` header: a number, or an HTTP date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
