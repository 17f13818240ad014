"""Whatever comes in, the answer is JSON in the envelope and never a failure of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formapp.sandbox import create_sandbox
from formapp.sandbox.api.operations import OPERATIONS

KEY = {"Authorization": "IST.key", "wix-site-id": "one"}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
NAMES = st.sampled_from(
    [
        "info", "query", "filter", "sort", "paging", "limit", "offset", "items", "emails", "email",
        "phones", "phone", "countryCode", "addresses", "address", "streetAddress", "labelKeys",
        "extendedFields", "name", "first", "revision", "primary", "id", "$and", "$or", "$not",
        "$in", "$gt", "primaryInfo.email", "createdDate", "sourceContactIds", "displayName",
        "dataType", "label", "field", "search", "fields", "fieldsets", "targetContactRevision",
        "picture", "image", "birthdate", "grant_type", "members.mobile", "allowDuplicates",
        "labelKeysToAdd",
    ]
)  # fmt: skip
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.slow
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=JSON, operation=st.sampled_from([one for one in OPERATIONS if one.method != "GET"]))
def test_no_body_makes_the_sandbox_fail(api: Any, body: Any, operation: Any) -> None:
    contact = api.contact()
    path = operation.rule.replace("<contactId>", contact["id"])
    path = path.replace("<targetContactId>", contact["id"]).replace("<key>", "contacts.customers")
    answer = api.call(operation.method, path, body)
    assert answer.status_code in (200, 400, 404, 409, 428, 429)
    assert isinstance(answer.get_json(), dict)


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b"null", b'"text"', b"{", b"{'a': 1}", b"\xff\xfe", b'{"a": NaN}',
        b'{"a": 1e999}', b'{"a": "\\ud800"}', b"[" * 100_000, b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(api: Any, raw: bytes) -> None:
    answer = api.client.post("/contacts/v4/contacts", data=raw, headers=KEY)
    assert answer.status_code == 400
    assert isinstance(answer.get_json()["message"], str)
    array = api.client.post("/contacts/v4/contacts", data=b"[]", headers=KEY)
    assert array.get_json() == {"message": "Expected an object"}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/contacts/v4/nothing", 404),
        ("GET", "/contacts/v4/contacts/", 404),
        ("GET", "/contacts//v4/contacts", 404),
        ("PUT", "/contacts/v4/contacts", 405),
        ("OPTIONS", "/contacts/v4/contacts", 405),
        ("GET", "/oauth2/token", 405),
        ("GET", "/_sandbox/nothing", 404),
    ],
)
def test_an_unknown_address_or_method_answers_in_the_envelope(
    api: Any, method: str, path: str, expected: int
) -> None:
    answer = api.call(method, path)
    assert answer.status_code == expected
    assert set(answer.get_json()) == {"message", "details"}


def test_every_answer_has_a_request_id_of_its_own(api: Any) -> None:
    paths = ["/contacts/v4/contacts", "/contacts/v4/contacts/x", "/nothing", "/", "/_sandbox/calls"]
    ids = [api.call("GET", path).headers["X-Wix-Request-Id"] for path in paths]
    assert len(set(ids)) == len(paths)


def test_a_body_that_is_too_large_is_refused(api: Any) -> None:
    raw = b'{"a": "' + b"x" * (10 * 1024 * 1024) + b'"}'
    answer = api.client.post("/contacts/v4/contacts", data=raw, headers=KEY)
    assert answer.status_code == 413
    assert answer.get_json()["details"] == {}


def test_unknown_headers_and_repeated_path_parameters_are_ignored(api: Any) -> None:
    contact = api.contact()
    path = f"/contacts/v4/contacts/{contact['id']}?id={contact['id']}&contactId=x"
    headers = {"x-wix-bi-gateway": "environment=js-sdk", "X-Wix-Consistent": "opaque"}
    assert api.call("GET", path, None, **headers).status_code == 200
    body = {"contactId": contact["id"], "revision": 1, "info": {"company": "X"}}
    assert api.call("PATCH", path, body).status_code == 200


def test_a_failure_of_the_sandbox_itself_is_a_500_without_its_text(
    api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    quoted = f"{api.site}@example.com"

    def fail(*_: Any) -> None:
        raise RuntimeError(quoted)

    monkeypatch.setattr(api.app.extensions["sandbox"].limiter, "allow", fail)
    answer = api.call("GET", "/contacts/v4/contacts")
    assert (answer.status_code, answer.get_json()) == (500, {"message": "", "details": {}})
    assert "RuntimeError" in caplog.text
    assert quoted not in caplog.text


@pytest.mark.parametrize(
    ("host", "is_answered"),
    [
        ("localhost:8001", True),
        ("127.0.0.1:8001", True),
        ("[::1]:8001", True),
        ("sandbox:8001", True),
        ("host.docker.internal:8001", True),
        ("evil.example", False),
        ("evil.example:8001", False),
        ("127.0.0.1.evil.example", False),
    ],
)
@pytest.mark.parametrize("path", ["/", "/_sandbox/calls", "/contacts/v4/contacts"])
def test_a_strangers_name_that_leads_here_is_refused(
    path: str, host: str, *, is_answered: bool
) -> None:
    headers = {"Host": host, "Authorization": "IST.any", "wix-site-id": "site"}
    answer = create_sandbox().test_client().get(path, headers=headers)
    assert (answer.status_code != 403) == is_answered
