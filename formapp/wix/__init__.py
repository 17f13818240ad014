"""A small typed client for the Wix Contacts API, version 4. It knows nothing of formapp.

    >>> from formapp.wix import ApiKey, Person, WixContacts
    >>> auth = ApiKey("IST.example-key", site_id="5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11")
    >>> info = {
    ...     "name": {"first": "Ines", "last": "Okafor"},
    ...     "emails": {"items": [{"tag": "WORK", "email": "ines.okafor@example.com"}]},
    ... }
    >>> with WixContacts(auth) as wix:
    ...     found = wix.find_duplicate(Person(email="ines.okafor@example.com"))
    ...     if found.contact:
    ...         contact = wix.contacts.update(found.contact.id, found.contact.revision, info)
    ...     else:
    ...         contact = wix.contacts.create(info)
    >>> contact.revision
    1

Every call that does not succeed raises a `WixError`. Its type says what happened, `retryable`
whether the same call may be sent again, `maybe_applied` whether a write may be in place all the
same. The client never sends a call twice by itself, except once more with a new access token after
a 401. The facts that it relies on are in CONTRACT.md beside this file.
"""

from formapp.wix.auth import ApiKey, AppToken
from formapp.wix.client import WixContacts
from formapp.wix.definitions import Definition
from formapp.wix.duplicates import Candidates, DuplicateMatch, Person, normalise_email
from formapp.wix.errors import (
    CannotDeleteError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ContactAlreadyChangedError,
    ContactNotFoundError,
    DuplicateContactError,
    ErrorDetails,
    ForbiddenError,
    InvalidRequestError,
    MemberEmailError,
    NotFoundError,
    OutcomeUnknownError,
    PreconditionFailedError,
    QuotaReachedError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    UnauthorizedError,
    UnexpectedResponseError,
    Violation,
    WixError,
)
from formapp.wix.models import (
    Address,
    Contact,
    ContactInfo,
    Email,
    InfoBody,
    Item,
    Phone,
)
from formapp.wix.transport import BASE_URL, Auth, Call, Timeouts

__all__ = [
    "BASE_URL",
    "Address",
    "ApiKey",
    "AppToken",
    "Auth",
    "Call",
    "Candidates",
    "CannotDeleteError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "Contact",
    "ContactAlreadyChangedError",
    "ContactInfo",
    "ContactNotFoundError",
    "Definition",
    "DuplicateContactError",
    "DuplicateMatch",
    "Email",
    "ErrorDetails",
    "ForbiddenError",
    "InfoBody",
    "InvalidRequestError",
    "Item",
    "MemberEmailError",
    "NotFoundError",
    "OutcomeUnknownError",
    "Person",
    "Phone",
    "PreconditionFailedError",
    "QuotaReachedError",
    "RateLimitedError",
    "RequestTimeoutError",
    "ServerError",
    "Timeouts",
    "UnauthorizedError",
    "UnexpectedResponseError",
    "Violation",
    "WixContacts",
    "WixError",
    "normalise_email",
]
