"""Every status, published code and shape of an error (CONTRACT.md sections 3 and 4)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from responses import RequestsMock

from formapp.wix import (
    CannotDeleteError,
    ConflictError,
    ContactAlreadyChangedError,
    ContactNotFoundError,
    DuplicateContactError,
    ForbiddenError,
    InvalidRequestError,
    MemberEmailError,
    NotFoundError,
    PreconditionFailedError,
    QuotaReachedError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    UnauthorizedError,
    UnexpectedResponseError,
    Violation,
    WixContacts,
    WixError,
)

BASE = "https://www.wixapis.com/contacts/v4"
URL = f"{BASE}/contacts"
QUERY = f"{URL}/query"

OPERATIONS: dict[str, tuple[str, str, Callable[[WixContacts], object]]] = {
    "create": ("POST", URL, lambda wix: wix.contacts.create({})),
    "get": ("GET", f"{URL}/a", lambda wix: wix.contacts.get("a")),
    "update": ("PATCH", f"{URL}/a", lambda wix: wix.contacts.update("a", 1, {})),
    "delete": ("DELETE", f"{URL}/a", lambda wix: wix.contacts.delete("a")),
    "list": ("GET", URL, lambda wix: wix.contacts.list()),
    "query": ("POST", QUERY, lambda wix: wix.contacts.query()),
    "merge": ("POST", f"{URL}/a/merge", lambda wix: wix.contacts.merge("a", 1, ["b"])),
    "label": ("POST", f"{URL}/a/labels", lambda wix: wix.contacts.label("a", ["b"])),
    "unlabel": ("DELETE", f"{URL}/a/labels", lambda wix: wix.contacts.unlabel("a", ["b"])),
    "new label": ("POST", f"{BASE}/labels", lambda wix: wix.labels.find_or_create("A")),
    "labels": ("GET", f"{BASE}/labels", lambda wix: list(wix.labels.iterate())),
    "new field": (
        "POST",
        f"{BASE}/extended-fields",
        lambda wix: wix.extended_fields.find_or_create("A"),
    ),
    "fields": (
        "GET",
        f"{BASE}/extended-fields",
        lambda wix: list(wix.extended_fields.iterate()),
    ),
}

READS = {
    "get",
    "list",
    "query",
    "labels",
    "fields",
}

QUERY_CODES = [
    "UNSUPPORTED_SORT_FIELD",
    "ILLEGAL_LIMIT",
    "MALFORMED_FILTER",
    "UNSUPPORTED_FILTER",
    "UNSUPPORTED_FILTER_FIELD_UNKNOWN",
    "UNSUPPORTED_FILTER_OPERATOR",
    "UNSUPPORTED_FILTER_VALUE",
    "UNSUPPORTED_FILTER_VALUE_TYPE",
]
# operation, status, code -> type, retryable, maybe_applied (CONTRACT.md section 3.3, row by row)
CODES: list[tuple[str, int, str, type[WixError], bool, bool]] = [
    ("create", 400, "INSUFFICIENT_CONTACT_DATA", InvalidRequestError, False, False),
    ("create", 400, "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO", InvalidRequestError, False, False),
    ("create", 400, "INVALID_EXTENDED_FIELD_VALUE", InvalidRequestError, False, False),
    ("create", 409, "DUPLICATE_CONTACT_EXISTS", DuplicateContactError, False, False),
    ("create", 409, "DUPLICATE_CONTACT_EXIST", DuplicateContactError, False, False),
    ("create", 409, "CONTACT_ID_ALREADY_EXISTS", ConflictError, False, False),
    ("get", 404, "CONTACT_NOT_FOUND", ContactNotFoundError, False, False),
    ("update", 400, "INSUFFICIENT_CONTACT_DATA", InvalidRequestError, False, False),
    ("update", 400, "INSUFFICIENT_UPDATE_CONTACT_DATA", InvalidRequestError, False, False),
    ("update", 400, "CANNOT_HAVE_MULTIPLE_PRIMARY_INFO", InvalidRequestError, False, False),
    ("update", 400, "INVALID_EXTENDED_FIELD_VALUE", InvalidRequestError, False, False),
    ("update", 404, "CONTACT_NOT_FOUND", ContactNotFoundError, False, False),
    ("update", 409, "DUPLICATE_CONTACT_EXISTS", DuplicateContactError, False, False),
    ("update", 409, "CONTACT_ALREADY_CHANGED", ContactAlreadyChangedError, False, False),
    ("update", 428, "CANNOT_UPDATE_MEMBER_EMAIL", MemberEmailError, False, False),
    ("delete", 428, "CANNOT_DELETE_MEMBER", CannotDeleteError, False, False),
    (
        "delete",
        428,
        "CANNOT_DELETE_CONTACT_WITH_BILLING_SUBSCRIPTION",
        CannotDeleteError,
        False,
        False,
    ),
    ("delete", 428, "CANNOT_DELETE_MEMBER_OWNER_OR_CONTRIBUTOR", CannotDeleteError, False, False),
    ("delete", 500, "FAILED_DELETE_CONTACT_AFTER_MEMBER_DELETION", ServerError, True, True),
    ("label", 404, "CONTACT_NOT_FOUND", ContactNotFoundError, False, False),
    ("unlabel", 404, "CONTACT_NOT_FOUND", ContactNotFoundError, False, False),
    ("merge", 400, "ILLEGAL_MERGE", InvalidRequestError, False, False),
    ("merge", 404, "CONTACT_NOT_FOUND", ContactNotFoundError, False, False),
    ("merge", 428, "FAILED_PRECONDITION", PreconditionFailedError, False, False),
    ("list", 400, "UNSUPPORTED_SORT_FIELD", InvalidRequestError, False, False),
    ("list", 400, "ILLEGAL_LIMIT", InvalidRequestError, False, False),
    *[("query", 400, code, InvalidRequestError, False, False) for code in QUERY_CODES],
    ("new label", 428, "LABELS_QUOTA_REACHED", QuotaReachedError, False, False),
    ("new field", 429, "FIELDS_QUOTA_EXCEEDED", QuotaReachedError, False, False),
]


def fails(api: RequestsMock, wix: WixContacts, operation: str, **answer: Any) -> WixError:
    method, url, act = OPERATIONS[operation]
    api.add(method, url, **answer)
    with pytest.raises(WixError) as caught:
        act(wix)
    return caught.value


@pytest.mark.parametrize(
    ("operation", "status", "code", "kind", "retryable", "maybe_applied"), CODES
)
def test_each_published_code_has_its_type_and_verdict(
    api: RequestsMock,
    wix: WixContacts,
    *,
    operation: str,
    status: int,
    code: str,
    kind: type[WixError],
    retryable: bool,
    maybe_applied: bool,
) -> None:
    error = fails(api, wix, operation, status=status, json=application_error(code))
    assert type(error) is kind
    assert (error.status, error.code) == (status, code)
    assert (error.retryable, error.maybe_applied) == (retryable, maybe_applied)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_after_a_server_error_only_a_write_may_have_been_applied(
    api: RequestsMock, wix: WixContacts, operation: str
) -> None:
    error = fails(api, wix, operation, status=503, json={"message": "", "details": {}})
    assert isinstance(error, ServerError)
    assert error.retryable
    assert error.maybe_applied is (operation not in READS)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"<html>", b'"x"', b"\xff", b"[" * 9])
def test_a_200_that_is_no_json_object_is_unexpected(
    api: RequestsMock, wix: WixContacts, operation: str, body: bytes
) -> None:
    error = fails(api, wix, operation, status=200, body=body)
    assert type(error) is UnexpectedResponseError
    assert error.status == 200
    assert error.retryable
    assert error.maybe_applied is (operation not in READS)


def test_a_200_that_is_nested_too_deep_is_unexpected(api: RequestsMock, wix: WixContacts) -> None:
    error = fails(api, wix, "create", status=200, body=b'{"a":' + b"[" * 200_000)
    assert type(error) is UnexpectedResponseError


# status -> type, retryable, whether a write may have been applied (CONTRACT.md section 3.2)
STATUSES: list[tuple[int, type[WixError], bool, bool]] = [
    (201, UnexpectedResponseError, True, True),
    (202, UnexpectedResponseError, True, True),
    (301, UnexpectedResponseError, True, True),
    (302, UnexpectedResponseError, True, True),
    (307, UnexpectedResponseError, True, True),
    (400, InvalidRequestError, False, False),
    (401, UnauthorizedError, False, False),
    (403, ForbiddenError, False, False),
    (404, NotFoundError, False, False),
    (405, InvalidRequestError, False, False),
    (408, RequestTimeoutError, True, True),
    (409, ConflictError, False, False),
    (413, InvalidRequestError, False, False),
    (415, InvalidRequestError, False, False),
    (422, InvalidRequestError, False, False),
    (428, PreconditionFailedError, False, False),
    (429, RateLimitedError, True, False),
    (500, ServerError, True, True),
    (501, ServerError, False, False),
    (502, ServerError, True, True),
    (503, ServerError, True, True),
    (504, ServerError, True, True),
    (520, ServerError, True, True),
]

BODIES: dict[str, bytes] = {
    "empty": b"",
    "HTML": b"<html><body>Bad gateway ines.okafor@example.com</body></html>",
    "array": b'[{"details": {"applicationError": {"code": "DUPLICATE_CONTACT_EXISTS"}}}]',
    "string": b'"DUPLICATE_CONTACT_EXISTS"',
    "truncated": b'{"message": "", "details": {"applicationError": {"code": "DUPLIC',
    "no UTF-8": b"\xff\xfe\xfa",
    "no details": b'{"message": "DUPLICATE_CONTACT_EXISTS"}',
    "details of another kind": b'{"details": ["DUPLICATE_CONTACT_EXISTS"]}',
    "code of another kind": b'{"details": {"applicationError": {"code": 7, "data": 7}}}',
    "violations of another kind": b'{"details": {"validationError": {"fieldViolations": [7]}}}',
    "nested too deep": b"[" * 200_000,
}


def application_error(code: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    inner = {"code": code, "description": "d", "data": data or {}}
    return {"message": "m", "details": {"applicationError": inner}}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("status", "kind", "retryable", "maybe_applied"), STATUSES)
def test_the_status_decides_whatever_the_body_is(
    api: RequestsMock,
    wix: WixContacts,
    *,
    status: int,
    kind: type[WixError],
    retryable: bool,
    maybe_applied: bool,
    body: str,
) -> None:
    error = fails(api, wix, "create", status=status, body=BODIES[body])
    assert type(error) is kind
    assert (error.status, error.code) == (status, None)
    assert (error.retryable, error.maybe_applied) == (retryable, maybe_applied)
    assert "okafor" not in str(error) + repr(error)


def test_a_204_is_unexpected_although_it_has_no_body(api: RequestsMock, wix: WixContacts) -> None:
    assert type(fails(api, wix, "delete", status=204)) is UnexpectedResponseError


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "DUPLICATE_CONTACT_EXISTS", InvalidRequestError),
        (404, "CONTACT_ALREADY_CHANGED", NotFoundError),
        (409, "CONTACT_NOT_FOUND", ConflictError),
        (428, "FIELDS_QUOTA_EXCEEDED", PreconditionFailedError),
        (429, "LABELS_QUOTA_REACHED", RateLimitedError),
        (500, "DUPLICATE_CONTACT_EXISTS", ServerError),
        (503, "CONTACT_NOT_FOUND", ServerError),
    ],
)
def test_the_status_goes_before_the_code(
    api: RequestsMock, wix: WixContacts, status: int, code: str, kind: type[WixError]
) -> None:
    assert type(fails(api, wix, "update", status=status, json=application_error(code))) is kind


def test_the_message_decides_nothing(api: RequestsMock, wix: WixContacts) -> None:
    body = {"message": "Contact has been updated since the requested revision.", "details": {}}
    assert type(fails(api, wix, "update", status=409, json=body)) is ConflictError


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"duplicateContactId": "b", "duplicateEmail": "x@example.com"}, ("b", False)),
        ({"duplicateContactId": "b", "duplicatePhone": "912"}, ("b", True)),
        ({"duplicateEmail": "x@example.com", "duplicatePhone": "912"}, (None, False)),
        ({"duplicateContactId": ""}, (None, False)),
        ({"duplicateContactId": 7}, (None, False)),
        ({}, (None, False)),
    ],
)
def test_a_duplicate_names_the_other_contact_where_wix_does(
    api: RequestsMock,
    wix: WixContacts,
    data: dict[str, Any],
    expected: tuple[str | None, bool],
) -> None:
    body = application_error("DUPLICATE_CONTACT_EXISTS", data)
    error = fails(api, wix, "create", status=409, json=body)
    assert isinstance(error, DuplicateContactError)
    assert (error.contact_id, error.by_phone_alone) == expected


def test_the_quota_of_labels_keeps_its_numbers_as_wix_sends_them(
    api: RequestsMock, wix: WixContacts
) -> None:
    data = {"labelsQuota": "1000", "labelsCurrentTotal": "1000"}
    body = application_error("LABELS_QUOTA_REACHED", data)
    assert fails(api, wix, "new label", status=428, json=body).data == data


def test_violations_keep_field_rule_and_description(api: RequestsMock, wix: WixContacts) -> None:
    violations = [
        {
            "field": "info.emails.items[0].email",
            "description": "not-an-address must be a valid email",
            "violatedRule": "FORMAT",
            "data": {"type": "EMAIL"},
        },
        {"field": "info.name.first", "description": "too long", "ruleName": "MAX_LENGTH"},
        {"field": "labelKeys[0]", "description": "label does not exist"},
        {},
    ]
    body = {"message": "m", "details": {"validationError": {"fieldViolations": violations}}}
    error = fails(api, wix, "create", status=400, json=body)
    assert error.violations == (
        Violation("info.emails.items[0].email", "FORMAT", "not-an-address must be a valid email"),
        Violation("info.name.first", "MAX_LENGTH", "too long"),
        Violation("labelKeys[0]", None, "label does not exist"),
        Violation("?"),
    )
    assert "info.emails.items[0].email FORMAT" in str(error)
    assert "not-an-address" not in str(error) + repr(error) + repr(error.violations)


def test_an_error_reads_as_one_line_for_the_log(api: RequestsMock, wix: WixContacts) -> None:
    error = fails(
        api,
        wix,
        "update",
        status=409,
        json=application_error("CONTACT_ALREADY_CHANGED"),
        headers={"X-Wix-Request-Id": "1700000000.123-abc"},
    )
    assert error.operation == "updateContact"
    assert error.request_id == "1700000000.123-abc"
    assert str(error) == (
        "updateContact: the contact has changed since it was read "
        "(409, CONTACT_ALREADY_CHANGED, request 1700000000.123-abc)"
    )


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 2.5 ", 2.5),
        ("0", 0.0),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("9" * 400, None),
        ("Fri, 99 Nov 2026 10:00:00 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0.0),
    ],
)
def test_retry_after_in_seconds_and_what_is_no_time_at_all(
    api: RequestsMock, wix: WixContacts, status: int, header: str, seconds: float | None
) -> None:
    error = fails(api, wix, "create", status=status, headers={"Retry-After": header})
    assert error.retry_after == seconds


def test_retry_after_as_a_date_is_the_time_until_then(api: RequestsMock, wix: WixContacts) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    error = fails(api, wix, "create", status=429, headers={"Retry-After": until})
    assert error.retry_after is not None
    assert 80 < error.retry_after <= 90


def test_without_a_retry_after_there_is_none(api: RequestsMock, wix: WixContacts) -> None:
    error = fails(api, wix, "create", status=429, json={"message": "Resource exhausted"})
    assert error.retry_after is None


def test_a_delete_takes_no_other_status_for_done(api: RequestsMock, wix: WixContacts) -> None:
    body = application_error("CANNOT_DELETE_MEMBER")
    assert type(fails(api, wix, "delete", status=428, json=body)) is CannotDeleteError
