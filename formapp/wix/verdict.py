"""Status and code to the type of error (contract section 3).

Status first, then code, never the message.
"""

from formapp.wix import errors
from formapp.wix.operations import Operation
from formapp.wix.reply import Reply

_SERVER_ERRORS = 500
_NOT_IMPLEMENTED = 501

_BY_STATUS: dict[int, type[errors.WixError]] = {
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    # Not in the contract. RFC 9110 (15.5.9) lets a client repeat it; a proxy may be its author.
    408: errors.Timeout,
    409: errors.Conflict,
    428: errors.PreconditionFailed,
    429: errors.RateLimited,
}

_BY_CODE: dict[tuple[int, str], type[errors.WixError]] = {
    (404, "CONTACT_NOT_FOUND"): errors.ContactNotFound,
    (409, "DUPLICATE_CONTACT_EXISTS"): errors.DuplicateContact,
    # One guide prints it without the final S (contract section 3.1).
    (409, "DUPLICATE_CONTACT_EXIST"): errors.DuplicateContact,
    (409, "CONTACT_ALREADY_CHANGED"): errors.ContactAlreadyChanged,
    (428, "CANNOT_UPDATE_MEMBER_EMAIL"): errors.MemberEmail,
    (428, "CANNOT_DELETE_MEMBER"): errors.CannotDelete,
    (428, "CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR"): errors.CannotDelete,
    (428, "CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION"): errors.CannotDelete,
    (428, "LABELS_QUOTA_REACHED"): errors.QuotaReached,
    (429, "FIELDS_QUOTA_EXCEEDED"): errors.QuotaReached,
}


def error_for(operation: Operation, reply: Reply) -> errors.WixError:
    """The error for an answer whose status is not 200."""
    kind = _kind(reply.status or 0, reply.code)
    return kind(operation.name, reply, maybe_applied=_maybe_applied(operation, reply.status or 0))


def _kind(status: int, code: str | None) -> type[errors.WixError]:
    known = _BY_CODE.get((status, code or ""))
    if known:
        return known
    if status >= _SERVER_ERRORS:
        return errors.ServerError
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return errors.InvalidRequest if status >= 400 else errors.UnexpectedAnswer  # noqa: PLR2004 - 4xx


def _maybe_applied(operation: Operation, status: int) -> bool:
    """A 4xx was refused; after 5xx, 408 or a status outside the contract nobody knows."""
    if not operation.writes or status == _NOT_IMPLEMENTED:
        return False
    return status >= _SERVER_ERRORS or status < 400 or status == 408  # noqa: PLR2004 - 4xx
