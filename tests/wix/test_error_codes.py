"""Each operation's published codes and its server errors, to type and verdict (contract 3.3)."""

from collections.abc import Callable
from typing import Any

import pytest
from responses import RequestsMock

from formapp.wix import (
    CannotDeleteError,
    ConflictError,
    ContactAlreadyChangedError,
    ContactNotFoundError,
    DuplicateContactError,
    InvalidRequestError,
    MemberEmailError,
    PreconditionFailedError,
    QuotaReachedError,
    ServerError,
    UnexpectedResponseError,
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
    "preview": (
        "POST",
        f"{URL}/a/preview-merge",
        lambda wix: wix.contacts.preview_merge("a", ["b"]),
    ),
    "label": ("POST", f"{URL}/a/labels", lambda wix: wix.contacts.label("a", ["b"])),
    "unlabel": ("DELETE", f"{URL}/a/labels", lambda wix: wix.contacts.unlabel("a", ["b"])),
    "bulk": ("POST", f"{BASE}/bulk/contacts/add-remove-labels", lambda wix: wix.bulk.label()),
    "job": ("GET", f"{BASE}/bulk/contact/jobs/a", lambda wix: wix.bulk.job("a")),
    "jobs": ("GET", f"{BASE}/bulk/contact/jobs", lambda wix: wix.bulk.jobs()),
    "new label": ("POST", f"{BASE}/labels", lambda wix: wix.labels.find_or_create("A")),
    "get label": ("GET", f"{BASE}/labels/a", lambda wix: wix.labels.get("a")),
    "labels": ("GET", f"{BASE}/labels", lambda wix: wix.labels.list()),
    "query labels": ("POST", f"{BASE}/labels/query", lambda wix: wix.labels.query()),
    "rename label": ("PATCH", f"{BASE}/labels/a", lambda wix: wix.labels.rename("a", "B")),
    "delete label": ("DELETE", f"{BASE}/labels/a", lambda wix: wix.labels.delete("a")),
    "new field": (
        "POST",
        f"{BASE}/extended-fields",
        lambda wix: wix.extended_fields.find_or_create("A"),
    ),
    "get field": ("GET", f"{BASE}/extended-fields/a", lambda wix: wix.extended_fields.get("a")),
    "fields": ("GET", f"{BASE}/extended-fields", lambda wix: wix.extended_fields.list()),
    "query fields": (
        "POST",
        f"{BASE}/extended-fields/query",
        lambda wix: wix.extended_fields.query(),
    ),
    "rename field": (
        "PATCH",
        f"{BASE}/extended-fields/a",
        lambda wix: wix.extended_fields.rename("a", "B"),
    ),
    "delete field": (
        "DELETE",
        f"{BASE}/extended-fields/a",
        lambda wix: wix.extended_fields.delete("a"),
    ),
}

READS = {
    "get",
    "list",
    "query",
    "preview",
    "job",
    "jobs",
    "get label",
    "labels",
    "query labels",
    "get field",
    "fields",
    "query fields",
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
DEFINITION_CODES = [
    "INVALID_SORT",
    "MALFORMED_FILTER",
    "UNSUPPORTED_FILTER",
    "UNSUPPORTED_FILTER_FIELD",
    "UNSUPPORTED_FILTER_OPERATOR",
    "UNSUPPORTED_FILTER_VALUE",
]

# operation, status, code -> type, retryable, maybe_applied (contract section 3.3, row by row)
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
    ("preview", 400, "ILLEGAL_MERGE", InvalidRequestError, False, False),
    ("preview", 404, "CONTACT_NOT_FOUND", ContactNotFoundError, False, False),
    ("preview", 428, "FAILED_PRECONDITION", PreconditionFailedError, False, False),
    ("list", 400, "UNSUPPORTED_SORT_FIELD", InvalidRequestError, False, False),
    ("list", 400, "ILLEGAL_LIMIT", InvalidRequestError, False, False),
    *[("query", 400, code, InvalidRequestError, False, False) for code in QUERY_CODES],
    ("bulk", 400, "NEITHER_FILTER_NOR_SEARCH", InvalidRequestError, False, False),
    ("new label", 428, "LABELS_QUOTA_REACHED", QuotaReachedError, False, False),
    *[("query labels", 400, code, InvalidRequestError, False, False) for code in DEFINITION_CODES],
    *[("query fields", 400, code, InvalidRequestError, False, False) for code in DEFINITION_CODES],
    ("new field", 429, "FIELDS_QUOTA_EXCEEDED", QuotaReachedError, False, False),
]


def fails(api: RequestsMock, wix: WixContacts, operation: str, **answer: Any) -> WixError:
    method, url, act = OPERATIONS[operation]
    api.add(method, url, **answer)
    with pytest.raises(WixError) as caught:
        act(wix)
    return caught.value


def application_error(code: str) -> dict[str, Any]:
    inner = {"code": code, "description": "d", "data": {}}
    return {"message": "m", "details": {"applicationError": inner}}


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
