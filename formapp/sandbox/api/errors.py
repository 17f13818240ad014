"""Errors in their envelope (CONTRACT.md section 3)."""

from typing import Any

ALREADY_EXISTS = "A contact with the same primary email or phone already exists."

CODES: dict[str, tuple[int, str]] = {
    "INSUFFICIENT_CONTACT_DATA": (400, "A contact needs a name, an email or a phone."),
    "INSUFFICIENT_UPDATE_CONTACT_DATA": (400, "The update holds nothing to change."),
    "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO": (400, "Only one item of a list can be primary."),
    "INVALID_EXTENDED_FIELD_VALUE": (400, "An extended field or its value is invalid."),
    "CONTACT_NOT_FOUND": (404, "Contact not found."),
    "CONTACT_ALREADY_CHANGED": (409, "Contact has been updated since the requested revision."),
    "DUPLICATE_CONTACT_EXISTS": (409, ALREADY_EXISTS),
    "CANNOT_UPDATE_MEMBER_EMAIL": (428, "The primary email of a member cannot change here."),
    "CANNOT_DELETE_MEMBER": (428, "The contact is a site member."),
    "CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR": (428, "The contact is an owner or contributor."),
    "CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION": (
        428,
        "The contact has a valid billing subscription.",
    ),
    "ILLEGAL_MERGE": (400, "These contacts cannot be merged."),
    "FAILED_PRECONDITION": (428, "The merge is not possible in this state."),
    "UNSUPPORTED_SORT_FIELD": (400, "Contacts cannot be sorted by this field."),
    "ILLEGAL_LIMIT": (400, "The limit must be between 1 and 1000."),
    "MALFORMED_FILTER": (400, "The filter cannot be parsed."),
    "UNSUPPORTED_FILTER": (400, "The filter is not supported."),
    "UNSUPPORTED_FILTER_FIELD": (400, "The field cannot be filtered."),
    "UNSUPPORTED_FILTER_FIELD_UNKNOWN": (400, "The field is unknown."),
    "UNSUPPORTED_FILTER_OPERATOR": (400, "The operator is not supported for this field."),
    "UNSUPPORTED_FILTER_VALUE": (400, "The value is not supported for this field."),
    "UNSUPPORTED_FILTER_VALUE_TYPE": (400, "The value has the wrong type for this field."),
    "INVALID_SORT": (400, "The sort is invalid."),
    "NEITHER_FILTER_NOR_SEARCH": (400, "Either a filter or a search is needed."),
    "LABELS_QUOTA_REACHED": (428, "The site has reached its quota of labels."),
    "FIELDS_QUOTA_EXCEEDED": (429, "The site has reached its quota of custom fields."),
}
"""HTTP status and description of each application error (CONTRACT.md section 3.3)."""

STATUS_MESSAGES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    413: "Request too large",
    429: "Resource exhausted",
    501: "Not implemented",
}
"""Messages of errors without a code; for 500 and above it is empty (section 3.1)."""


class WixError(Exception):
    """An answer other than 200; `body` is its whole JSON object."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def envelope(status: int, code: str | None = None, data: dict[str, Any] | None = None) -> WixError:
    message = STATUS_MESSAGES.get(status, "")
    if code is None:
        return WixError(status, {"message": message, "details": {}})
    description = CODES.get(code, (status, message))[1]
    error = {"code": code, "description": description, "data": data or {}}
    return WixError(status, {"message": description, "details": {"applicationError": error}})


def application_error(code: str, **data: Any) -> WixError:
    return envelope(CODES[code][0], code, data)
