"""Everything that can go wrong with a call, as types that carry the verdict.

Sources: the Wix Contacts contract, sections 3 (errors) and 4 (rate limit). The text of an error
holds the operation, the status, Wix's code, field paths, rule names and the request id: never an
answer, a header or a secret. What Wix said beyond that is in the attributes.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from formapp.wix.operations import Operation


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """One field that Wix refused (contract section 3.1).

    Attributes:
        field: path such as `info.emails.items[0].email`.
        rule: rule name such as `FORMAT`, where Wix names one.
        description: Wix's sentence. It may echo a value, so it is in no text and no repr.
    """

    field: str
    rule: str | None = None
    description: str = dataclasses.field(default="", repr=False)

    def __str__(self) -> str:
        """Field path and rule name."""
        return f"{self.field} {self.rule}" if self.rule else self.field


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What an answer that was not a success told.

    Attributes:
        status: HTTP status; None when no answer came.
        code: `details.applicationError.code`.
        data: `details.applicationError.data`; values may be strings where numbers are meant.
        violations: `details.validationError.fieldViolations`.
        request_id: `X-Wix-Request-Id`.
        retry_after: seconds to wait, from `Retry-After`.
    """

    status: int | None = None
    code: str | None = None
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    violations: tuple[Violation, ...] = ()
    request_id: str | None = None
    retry_after: float | None = None


class WixError(Exception):
    """A call that did not succeed.

    Attributes:
        operation: name of the operation, such as `createContact`.
        reply: what the answer told.
        status, code, data, violations, request_id, retry_after: the same, see `ErrorDetails`.
        retryable: the same call may be sent again later as it is.
        maybe_applied: a write may have been applied: look before it is sent again.
    """

    retryable: bool = False
    says = "refused"

    def __init__(
        self,
        operation: str,
        reply: ErrorDetails | None = None,
        *,
        maybe_applied: bool = False,
        reason: str = "",
    ) -> None:
        reply = reply or ErrorDetails()
        self.operation = operation
        self.details = reply
        self.status = reply.status
        self.code = reply.code
        self.data = reply.data
        self.violations = reply.violations
        self.request_id = reply.request_id
        self.retry_after = reply.retry_after
        self.maybe_applied = maybe_applied
        super().__init__(self._text(reason or self.says))

    def _text(self, reason: str) -> str:
        """One line for logs, made of what is safe to show."""
        facts = [str(fact) for fact in (self.status, self.code) if fact]
        facts += [str(violation) for violation in self.violations]
        if self.request_id:
            facts.append(f"request {self.request_id}")
        return f"{self.operation}: {reason}" + (f" ({', '.join(facts)})" if facts else "")


class ConnectError(WixError):
    """No connection: the call never left, so nothing can have been applied."""

    retryable = True
    says = "no connection"


class OutcomeUnknownError(WixError):
    """The call left and no whole answer came back."""

    retryable = True
    says = "outcome unknown"


class RequestTimeoutError(OutcomeUnknownError):
    """No answer in time (or 408)."""

    says = "no answer in time"


class ConnectionLostError(OutcomeUnknownError):
    """The connection ended before the whole answer was there."""

    says = "connection cut"


class UnexpectedResponseError(WixError):
    """An answer outside the contract: another 2xx, a redirect, no JSON object, a part missing."""

    retryable = True
    says = "unexpected answer"


class ServerError(WixError):
    """500 and above. Retryable, but for 501 (contract section 3.2)."""

    says = "server error"

    def __init__(
        self,
        operation: str,
        reply: ErrorDetails | None = None,
        *,
        maybe_applied: bool = False,
        reason: str = "",
    ) -> None:
        super().__init__(operation, reply, maybe_applied=maybe_applied, reason=reason)
        self.retryable = self.status != 501  # noqa: PLR2004 - the status is its own name


class RateLimitedError(WixError):
    """429 that is not the field quota: wait `retry_after` seconds, or back off where it is None."""

    retryable = True
    says = "rate limited"


class UnauthorizedError(WixError):
    """401, or no access token to be had. Waits for somebody to correct the credentials."""

    says = "credentials refused"


class ForbiddenError(WixError):
    """403: the credentials lack a permission. Waits for somebody to grant it."""

    says = "permission missing"


class NotFoundError(WixError):
    """404."""

    says = "not found"


class ContactNotFoundError(NotFoundError):
    """404 `CONTACT_NOT_FOUND`."""


class ConflictError(WixError):
    """409. Never repeated blindly: see the subclass."""

    says = "conflict"


class DuplicateContactError(ConflictError):
    """409 `DUPLICATE_CONTACT_EXISTS`: the e-mail or phone belongs to another contact.

    A report says that a contact may have been written all the same (contract section 14, item 16),
    so look up after it.
    """

    says = "another contact has this e-mail or phone"

    @property
    def contact_id(self) -> str | None:
        """Id of the other contact; None when Wix does not name it."""
        value = self.data.get("duplicateContactId")
        return value if isinstance(value, str) and value else None

    @property
    def by_email(self) -> bool:
        """Whether Wix names the e-mail as the reason."""
        return bool(self.data.get("duplicateEmail"))

    @property
    def by_phone(self) -> bool:
        """Whether Wix names the phone as the reason."""
        return bool(self.data.get("duplicatePhone"))


class ContactAlreadyChangedError(ConflictError):
    """409 `CONTACT_ALREADY_CHANGED`: the revision is stale. Get, decide again, update."""

    says = "the contact has changed since it was read"


class PreconditionFailedError(WixError):
    """428 that has no type of its own."""

    says = "precondition failed"


class MemberEmailError(PreconditionFailedError):
    """428 `CANNOT_UPDATE_MEMBER_EMAIL`: a site member's primary e-mail cannot change here."""

    says = "the primary e-mail of a site member cannot change"


class CannotDeleteError(PreconditionFailedError):
    """428 on delete: a member, an owner or contributor, or a billing subscription."""

    says = "this contact cannot be deleted"


class QuotaReachedError(WixError):
    """`LABELS_QUOTA_REACHED` (428) or `FIELDS_QUOTA_EXCEEDED` (429): not a rate limit."""

    says = "quota reached"


class InvalidRequestError(WixError):
    """400 and every other 4xx: sending it again would not help."""


_SERVER_ERRORS = 500
_NOT_IMPLEMENTED = 501

_BY_STATUS: dict[int, type[WixError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    # Not in the contract. RFC 9110 (15.5.9) lets a client repeat it; a proxy may be its author.
    408: RequestTimeoutError,
    409: ConflictError,
    428: PreconditionFailedError,
    429: RateLimitedError,
}

_BY_CODE: dict[tuple[int, str], type[WixError]] = {
    (404, "CONTACT_NOT_FOUND"): ContactNotFoundError,
    (409, "DUPLICATE_CONTACT_EXISTS"): DuplicateContactError,
    # One guide prints it without the final S (contract section 3.1).
    (409, "DUPLICATE_CONTACT_EXIST"): DuplicateContactError,
    (409, "CONTACT_ALREADY_CHANGED"): ContactAlreadyChangedError,
    (428, "CANNOT_UPDATE_MEMBER_EMAIL"): MemberEmailError,
    (428, "CANNOT_DELETE_MEMBER"): CannotDeleteError,
    (428, "CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR"): CannotDeleteError,
    (428, "CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION"): CannotDeleteError,
    (428, "LABELS_QUOTA_REACHED"): QuotaReachedError,
    (429, "FIELDS_QUOTA_EXCEEDED"): QuotaReachedError,
}


def error_for(operation: Operation, reply: ErrorDetails) -> WixError:
    """The error for an answer whose status is not 200."""
    kind = _kind(reply.status or 0, reply.code)
    return kind(operation.name, reply, maybe_applied=_maybe_applied(operation, reply.status or 0))


def _kind(status: int, code: str | None) -> type[WixError]:
    known = _BY_CODE.get((status, code or ""))
    if known:
        return known
    if status >= _SERVER_ERRORS:
        return ServerError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return InvalidRequestError if status >= 400 else UnexpectedResponseError  # noqa: PLR2004 - 4xx


def _maybe_applied(operation: Operation, status: int) -> bool:
    """A 4xx was refused; after 5xx, 408 or a status outside the contract nobody knows."""
    if not operation.writes or status == _NOT_IMPLEMENTED:
        return False
    return status >= _SERVER_ERRORS or status < 400 or status == 408  # noqa: PLR2004 - 4xx
