"""How a call can fail, as types that say what to do next (CONTRACT.md sections 3 and 4).

The text of an error holds the operation, the status, Wix's code, field paths, rule names and the
request id: never a response, a header or a secret. Anything else that Wix said is in `details`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

_NOT_IMPLEMENTED = 501


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """One field that Wix refused, by path and rule (CONTRACT.md section 3.1).

    The description, Wix's sentence, may echo a value, so no text and no repr shows it.
    """

    field: str
    rule: str | None = None
    description: str = dataclasses.field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.field} {self.rule}" if self.rule else self.field


@dataclasses.dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What a response other than a success contains.

    Attributes:
        status: HTTP status; None when no response arrived.
        code, data: of `details.applicationError`; numbers in the data may be strings.
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
        details: what the response contains; each part is also an attribute of the error.
        retryable: the same call may be sent again later as it is.
        maybe_applied: a write may have been applied: look before sending it again.
    """

    retryable: bool = False
    summary = "refused"

    def __init__(
        self,
        operation: str,
        details: ErrorDetails | None = None,
        *,
        maybe_applied: bool = False,
        reason: str = "",
    ) -> None:
        self.operation = operation
        self.maybe_applied = maybe_applied
        self.details = details = details or ErrorDetails()
        self.status, self.code, self.data = details.status, details.code, details.data
        self.violations, self.request_id = details.violations, details.request_id
        self.retry_after = details.retry_after
        self.retryable = self.retryable and self.status != _NOT_IMPLEMENTED
        facts = [str(fact) for fact in (self.status, self.code, *self.violations) if fact]
        if self.request_id:
            facts.append(f"request {self.request_id}")
        suffix = f" ({', '.join(facts)})" if facts else ""
        super().__init__(f"{operation}: {reason or self.summary}{suffix}")


class ConnectError(WixError):
    """No connection: the call was never sent, so it cannot have been applied."""

    retryable = True
    summary = "no connection"


class OutcomeUnknownError(WixError):
    """The call was sent and no complete response came back."""

    retryable = True
    summary = "outcome unknown"


class RequestTimeoutError(OutcomeUnknownError):
    """No response in time, or status 408."""

    summary = "no response in time"


class ConnectionLostError(OutcomeUnknownError):
    summary = "connection lost"


class UnexpectedResponseError(WixError):
    """Another 2xx, a redirect, no JSON object, or a part missing that must be there."""

    retryable = True
    summary = "unexpected response"


class ServerError(WixError):
    """500 and above. Retryable, except 501 (CONTRACT.md section 3.2)."""

    retryable = True
    summary = "server error"


class RateLimitedError(WixError):
    """429 except the field quota: wait `retry_after` seconds, or back off where it is None."""

    retryable = True
    summary = "rate limited"


class UnauthorizedError(WixError):
    """401, or no access token. Someone must correct the credentials."""

    summary = "credentials refused"


class ForbiddenError(WixError):
    """403: the credentials lack a permission. Someone must grant it."""

    summary = "permission missing"


class NotFoundError(WixError):
    summary = "not found"


class ContactNotFoundError(NotFoundError):
    """404 `CONTACT_NOT_FOUND`."""


class ConflictError(WixError):
    """409. Never repeat it blindly: see the subclasses."""

    summary = "conflict"


class DuplicateContactError(ConflictError):
    """409 `DUPLICATE_CONTACT_EXISTS`: the e-mail or phone belongs to another contact.

    Look it up: by one report Wix wrote a contact all the same (CONTRACT.md section 14, item 16).
    """

    summary = "another contact has this e-mail or phone"

    @property
    def contact_id(self) -> str | None:
        """Id of the other contact; None when Wix does not name it."""
        value = self.data.get("duplicateContactId")
        return value if isinstance(value, str) and value else None

    @property
    def by_phone_alone(self) -> bool:
        """Whether Wix names the phone as the reason, and not the e-mail."""
        return bool(self.data.get("duplicatePhone") and not self.data.get("duplicateEmail"))


class ContactAlreadyChangedError(ConflictError):
    """409 `CONTACT_ALREADY_CHANGED`: the revision is stale. Get, decide again, update."""

    summary = "the contact has changed since it was read"


class PreconditionFailedError(WixError):
    """428 that has no type of its own."""

    summary = "precondition failed"


class MemberEmailError(PreconditionFailedError):
    """428 `CANNOT_UPDATE_MEMBER_EMAIL`: a site member's primary e-mail cannot change here."""

    summary = "the primary e-mail of a site member cannot change"


class CannotDeleteError(PreconditionFailedError):
    """428 on delete: a member, an owner or contributor, or a billing subscription."""

    summary = "this contact cannot be deleted"


class QuotaReachedError(WixError):
    """`LABELS_QUOTA_REACHED` (428) or `FIELDS_QUOTA_EXCEEDED` (429): not a rate limit."""

    summary = "quota reached"


class InvalidRequestError(WixError):
    """400 and every other 4xx: sending it again would not help."""


_BY_STATUS: dict[int, type[WixError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    # Not in CONTRACT.md. RFC 9110 (15.5.9) lets a client repeat it; a proxy may send it.
    408: RequestTimeoutError,
    409: ConflictError,
    428: PreconditionFailedError,
    429: RateLimitedError,
}

_BY_CODE: dict[tuple[int, str], type[WixError]] = {
    (404, "CONTACT_NOT_FOUND"): ContactNotFoundError,
    (409, "DUPLICATE_CONTACT_EXISTS"): DuplicateContactError,
    # One guide prints it without the final S (CONTRACT.md section 3.1).
    (409, "DUPLICATE_CONTACT_EXIST"): DuplicateContactError,
    (409, "CONTACT_ALREADY_CHANGED"): ContactAlreadyChangedError,
    (428, "CANNOT_UPDATE_MEMBER_EMAIL"): MemberEmailError,
    (428, "CANNOT_DELETE_MEMBER"): CannotDeleteError,
    (428, "CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR"): CannotDeleteError,
    (428, "CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION"): CannotDeleteError,
    (428, "LABELS_QUOTA_REACHED"): QuotaReachedError,
    (429, "FIELDS_QUOTA_EXCEEDED"): QuotaReachedError,
}


_BY_CLASS: dict[int, type[WixError]] = {4: InvalidRequestError, 5: ServerError}


def error_for(operation: str, details: ErrorDetails, *, writes: bool) -> WixError:
    """The error for a status other than 200: status first, then code, never the message."""
    status = details.status or 0
    by_class = _BY_CLASS.get(min(status // 100, 5), UnexpectedResponseError)
    kind = _BY_CODE.get((status, details.code or "")) or _BY_STATUS.get(status, by_class)
    # A 4xx was refused and a 501 not implemented; after anything else a write may be in place.
    refused = status // 100 == 4 and kind is not RequestTimeoutError  # noqa: PLR2004 - 4xx
    implemented = status != _NOT_IMPLEMENTED
    return kind(operation, details, maybe_applied=writes and not refused and implemented)
