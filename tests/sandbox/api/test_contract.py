"""Every operation over real HTTP, requests and answers checked against the OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

DOCUMENT = Path(__file__).with_name("contacts-v4.openapi.yaml")
SERVER = "https://www.wixapis.com"
C = "/contacts/v4/contacts"
L = "/contacts/v4/labels"
F = "/contacts/v4/extended-fields"
B = "/contacts/v4/bulk"

INFO = {
    "name": {"first": "Ines", "last": "Okafor"},
    "emails": {
        "items": [{"tag": "WORK", "email": "ines.okafor@example.com"}, {"email": "io@example.com"}]
    },
    "phones": {
        "items": [
            {"tag": "MOBILE", "countryCode": "PT", "phone": "912 000 111"},
            {"phone": "ask for Ines"},
        ]
    },
    "addresses": {
        "items": [
            {"tag": "HOME", "address": {"country": "PT", "addressLine": "Rua dos Exemplos 12"}},
            {"address": {"streetAddress": {"number": "12", "name": "Rua"}, "city": "Lisboa"}},
        ]
    },
    "company": "Barco Lento Lda",
    "jobTitle": "Buyer",
    "birthdate": "1990-02-28",
    "locale": "pt-PT",
    "picture": {"image": {"url": "https://example.com/ines.jpg", "width": 10}},
    "locations": {"items": ["9a1e0f4c-3b6d-4a8f-8c2b-5e4d3c2b1a03"]},
}


class Checked:
    """Sends calls to the sandbox and checks both directions against the document."""

    def __init__(
        self, http: Any, document: OpenAPI, operations: dict[tuple[str, str], str]
    ) -> None:
        self.http = http
        self.document = document
        self.operations = operations
        self.seen: dict[str, set[int]] = {}

    def call(
        self, method: str, path: str, body: Any = None, *, valid: bool = True, **more: Any
    ) -> tuple[int, Any]:
        """Return status and JSON; `valid` says whether the request itself must be valid."""
        answer = self.http.call(method, path, body, **more)
        asked = self._request(method, path, body, more.get("headers", {}))
        if valid:
            self.document.validate_request(RequestsOpenAPIRequest(asked))
        self.document.validate_response(
            RequestsOpenAPIRequest(asked), RequestsOpenAPIResponse(answer)
        )
        assert answer.headers["X-Wix-Request-Id"]
        self.seen.setdefault(self._operation(method, path), set()).add(answer.status_code)
        return answer.status_code, answer.json()

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        status, found = self.call(method, path, body, **more)
        assert status == 200, found
        return found

    def fails(self, expected: int, method: str, path: str, body: Any = None, **more: Any) -> None:
        status, found = self.call(method, path, body, valid=False, **more)
        assert status == expected, found

    def _request(
        self, method: str, path: str, body: Any, headers: dict[str, Any]
    ) -> requests.Request:
        sent = {**self.http.session.headers, **headers}
        sent = {name: value for name, value in sent.items() if value is not None}
        return requests.Request(method, SERVER + path, headers=sent, json=body)

    def _operation(self, method: str, path: str) -> str:
        parts = path.partition("?")[0].split("/")
        for (verb, template), name in self.operations.items():
            wanted = template.split("/")
            if verb == method and len(wanted) == len(parts):
                pairs = zip(wanted, parts, strict=True)
                if all(one == other or one.startswith("{") for one, other in pairs):
                    return name
        raise AssertionError(f"{method} {path} is not in the document")


@pytest.fixture(scope="module")
def document() -> OpenAPI:
    return OpenAPI.from_file_path(str(DOCUMENT))


@pytest.fixture(scope="module")
def operations() -> dict[tuple[str, str], str]:
    """Method and path template to operationId, fixed paths before those with parameters."""
    paths = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    found = {
        (method.upper(), path): operation["operationId"]
        for path, methods in paths.items()
        for method, operation in methods.items()
        if isinstance(operation, dict)
    }
    return dict(sorted(found.items(), key=lambda item: "{" in item[0][1]))


@pytest.fixture
def checked(http: Any, document: OpenAPI, operations: dict[tuple[str, str], str]) -> Checked:
    return Checked(http, document, operations)


@pytest.mark.slow
def test_every_operation_keeps_to_the_document(
    checked: Checked, operations: dict[tuple[str, str], str]
) -> None:
    drive_token(checked)
    label, field = drive_definitions(checked)
    drive_contacts(checked, label, field)
    drive_labelling(checked, label)
    drive_merging(checked)
    drive_removal(checked, label, field)
    assert set(checked.seen) == set(operations.values())
    assert len(checked.seen) == 26
    assert all(200 in statuses for statuses in checked.seen.values())


def drive_token(checked: Checked) -> None:
    body = {
        "grant_type": "client_credentials",
        "client_id": str(uuid4()),
        "client_secret": "secret",
        "instance_id": str(uuid4()),
    }
    token = checked.ok("POST", "/oauth2/token", body)["access_token"]
    checked.fails(400, "POST", "/oauth2/token", {**body, "grant_type": "password"})
    created = checked.ok("POST", C, {"info": INFO}, headers={"Authorization": token})
    assert created["contact"]["source"]["sourceType"] == "WIX_APP"


def drive_definitions(checked: Checked) -> tuple[str, str]:
    label = checked.ok("POST", L, {"displayName": "Spring Regatta"})["label"]["key"]
    checked.ok("GET", f"{L}/{label}")
    checked.ok("GET", f"{L}?labelType=USER_DEFINED&paging.limit=5&sort.fieldName=displayName")
    found = checked.ok("POST", f"{L}/query", {"query": {"filter": {"labelType": "SYSTEM"}}})
    assert found["metadata"] == found["pagingMetadata"]
    checked.ok("PATCH", f"{L}/{label}", {"label": {"displayName": "Regatta"}})
    checked.ok("PATCH", f"{L}/{label}", {"displayName": "Regatta 2025"})
    field = checked.ok("POST", F, {"displayName": "Boat", "dataType": "NUMBER"})["field"]["key"]
    checked.ok("GET", f"{F}/{field}")
    checked.ok("GET", f"{F}?fieldType=USER_DEFINED&paging.limit=5")
    checked.ok("POST", f"{F}/query", {"query": {"paging": {"limit": 1}}})
    for body in ({"field": {"displayName": "Length"}}, {"displayName": "L"}, {"name": "Boat"}):
        checked.ok("PATCH", f"{F}/{field}", body)
    return label, field


def drive_contacts(checked: Checked, label: str, field: str) -> None:
    info = {
        **INFO,
        "labelKeys": {"items": [label]},
        "extendedFields": {"items": {field: 8.5}},
    }
    contact = checked.ok("POST", C, {"info": info, "allowDuplicates": False})["contact"]
    one = f"{C}/{contact['id']}"
    for query in (
        "",
        "?fieldsets=BASIC&fieldsets=EXTENDED",
        "?fieldsets=BASIC&fields=info.company",
    ):
        checked.ok("GET", one + query)
    update = {"revision": 1, "info": {"company": None, "locale": None}}
    assert checked.ok("PATCH", one, update)["contact"]["revision"] == 2
    checked.ok("GET", f"{C}?paging.limit=1&paging.offset=0&sort.fieldName=createdDate")
    condition = {"primaryInfo.email": {"$eq": "ines.okafor@example.com"}}
    asked = {"query": {"filter": condition, "fieldsets": ["BASIC"], "paging": {"limit": 10}}}
    assert len(checked.ok("POST", f"{C}/query", asked)["contacts"]) == 1
    checked.ok("POST", f"{C}/query", {})


def drive_labelling(checked: Checked, label: str) -> None:
    contact = checked.ok("POST", C, {"info": {"name": {"first": "Bo"}}})["contact"]
    path = f"{C}/{contact['id']}/labels"
    checked.ok("POST", path, {"labelKeys": [label, "contacts.customers"]})
    checked.ok("DELETE", path, {"labelKeys": [label]})
    checked.ok("DELETE", f"{path}?labelKeys={quote(label)}&labelKeys=contacts.customers")
    body = {"filter": {"info.name.first": "Bo"}, "labelKeysToAdd": [label]}
    job = checked.ok("POST", f"{B}/contacts/add-remove-labels", body)["jobId"]
    assert checked.ok("GET", f"{B}/contact/jobs/{job}")["job"]["status"] == "COMPLETED"
    checked.ok("GET", f"{B}/contact/jobs")
    checked.fails(404, "GET", f"{B}/contact/jobs/{uuid4()}")


def drive_merging(checked: Checked) -> None:
    target = checked.ok("POST", C, {"info": {"name": {"first": "Target"}}})["contact"]
    source = checked.ok("POST", C, {"info": {"name": {"last": "Source"}}})["contact"]
    path = f"{C}/{target['id']}"
    body = {"sourceContactIds": [source["id"]]}
    checked.ok("POST", f"{path}/preview-merge", body)
    checked.ok("POST", f"{path}/merge", {**body, "targetContactRevision": 1})
    assert checked.ok("GET", f"{C}/{source['id']}")["responseType"] == "MERGED"
    checked.fails(404, "POST", f"{path}/merge", {**body, "targetContactRevision": 2})
    checked.fails(400, "POST", f"{path}/preview-merge", {"sourceContactIds": []})


def drive_removal(checked: Checked, label: str, field: str) -> None:
    contact = checked.ok("POST", C, {"info": {"name": {"first": "Gone"}}})["contact"]
    assert checked.ok("DELETE", f"{C}/{contact['id']}") == {}
    assert checked.ok("DELETE", f"{L}/{label}") == {}
    assert checked.ok("DELETE", f"{F}/{field}") == {}


def test_errors_keep_to_the_document(checked: Checked) -> None:
    info = {"name": {"first": "Ines"}, "emails": {"items": [{"email": "a@example.com"}]}}
    contact = checked.ok("POST", C, {"info": info})["contact"]
    one = f"{C}/{contact['id']}"
    checked.fails(409, "POST", C, {"info": info})
    checked.fails(400, "POST", C, {"info": {"company": "Alone"}})
    checked.fails(400, "POST", C, {"info": {"emails": {"items": [{"email": "no"}]}}})
    checked.fails(400, "POST", C, [])
    checked.fails(409, "PATCH", one, {"revision": 9, "info": {"company": "X"}})
    checked.fails(400, "PATCH", one, {"revision": 1, "info": {}})
    checked.fails(404, "PATCH", f"{C}/{uuid4()}", {"revision": 1, "info": {"company": "X"}})
    checked.fails(404, "DELETE", f"{C}/{uuid4()}")
    checked.fails(404, "GET", f"{C}/{uuid4()}")
    checked.fails(400, "GET", f"{one}?fieldsets=ALL")
    checked.fails(400, "GET", f"{C}?paging.limit=1001")
    checked.fails(400, "POST", f"{C}/query", {"query": {"filter": {"nonsense": 1}}})
    checked.fails(400, "POST", f"{L}/query", {"query": {"sort": [{"fieldName": "key"}]}})
    checked.fails(400, "POST", f"{F}/query", {"query": {"filter": {"key": {"$gt": "a"}}}})
    checked.fails(400, "POST", f"{B}/contacts/add-remove-labels", {"labelKeysToAdd": ["x"]})
    checked.fails(400, "POST", f"{one}/labels", {"labelKeys": ["custom.unknown"]})
    for path in (f"{L}/custom.unknown", f"{F}/custom.unknown"):
        checked.fails(404, "GET", path)
        checked.fails(404, "DELETE", path)
    checked.fails(428, "DELETE", f"{L}/contacts.customers")
    checked.fails(428, "DELETE", f"{F}/members.mobile")
    # None of them changed anything.
    assert checked.ok("GET", one)["contact"] == contact


def test_refused_credentials_and_faults_keep_to_the_document(checked: Checked) -> None:
    checked.fails(401, "GET", C, headers={"Authorization": None})
    checked.fails(403, "GET", C, headers={"wix-site-id": None})
    for status in (429, 500, 503):
        checked.http.fault("status", status=status, times=1)
        checked.fails(status, "POST", f"{C}/query", {})
    assert checked.ok("POST", f"{C}/query", {})["contacts"] == []


def test_the_document_is_the_contract_of_25_operations_and_the_token(
    operations: dict[tuple[str, str], str],
) -> None:
    assert len(operations) == 26
    assert json.dumps(sorted(operations.values())).count("Contact") >= 10
