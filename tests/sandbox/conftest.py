"""A sandbox in the process, with a clock that tests advance, and one behind a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from formapp.sandbox import SandboxOptions, SandboxServer, Settings, create_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask

SITE = "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11"
KEY = {"Authorization": "IST.example-key", "wix-site-id": SITE}
NOON = 1_741_080_000.0


class ManualClock:
    """A clock that moves only when a test advances it."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class Api:
    """Calls the sandbox in the process, as the holder of an API key would."""

    site = SITE

    def __init__(self, app: Flask, headers: dict[str, str] | None = None) -> None:
        self.app = app
        self.client = app.test_client()
        self.headers = KEY if headers is None else headers

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.open(path, method=method, json=body, headers={**self.headers, **headers})

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.call(method, f"/contacts/v4{path}", body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str | None]:
        """Return status and application error code of a call that must fail."""
        answer = self.call(method, f"/contacts/v4{path}", body)
        assert answer.status_code >= 400, answer.get_data(as_text=True)
        error = answer.get_json()["details"].get("applicationError", {})
        return answer.status_code, error.get("code")

    def violations(self, method: str, path: str, body: Any = None) -> list[tuple[str, str]]:
        """Return field and rule of each violation of a call that must fail with 400."""
        answer = self.call(method, f"/contacts/v4{path}", body)
        assert answer.status_code == 400, answer.get_data(as_text=True)
        found = answer.get_json()["details"]["validationError"]["fieldViolations"]
        return [(one["field"], one["violatedRule"]) for one in found]

    def contact(self, email: str | None = None, **info: Any) -> Any:
        """Create a contact and return it."""
        if email is not None:
            info["emails"] = {"items": [{"email": email}]}
        elif "phones" not in info:
            info.setdefault("name", {"first": "Ines"})
        body = {"info": info, "allowDuplicates": True}
        return self.ok("POST", "/contacts", body)["contact"]

    def get(self, contact_id: str) -> Any:
        return self.ok("GET", f"/contacts/{contact_id}")["contact"]

    def update(self, contact: Any, **info: Any) -> Any:
        """Update a contact under the revision that `contact` has."""
        body = {"revision": contact["revision"], "info": info}
        return self.ok("PATCH", f"/contacts/{contact['id']}", body)["contact"]

    def query(self, condition: Any = None, **more: Any) -> list[Any]:
        """Return the contacts that a filter finds."""
        asked = {"query": {"filter": condition or {}, **more}}
        found: list[Any] = self.ok("POST", "/contacts/query", asked)["contacts"]
        return found

    def label(self, name: str) -> str:
        return str(self.ok("POST", "/labels", {"displayName": name})["label"]["key"])

    def field(self, name: str, data_type: str = "TEXT") -> str:
        body = {"displayName": name, "dataType": data_type}
        return str(self.ok("POST", "/extended-fields", body)["field"]["key"])

    def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.open(f"/_sandbox{path}", method=method, json=body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def settings(self, **changes: Any) -> None:
        self.control("PATCH", "/settings", changes)

    def other_site(self) -> Api:
        return Api(self.app, {**KEY, "wix-site-id": "another-site"})


class Http:
    """Calls a sandbox behind a real server."""

    site = SITE

    def __init__(self, app: Flask, server: SandboxServer) -> None:
        self.app = app
        self.server = server
        self.url = server.url
        self.session = requests.Session()
        self.session.headers.update(KEY)

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        more.setdefault("timeout", 10)
        return self.session.request(method, self.url + path, json=body, **more)

    def contacts(self) -> list[Any]:
        """Return all contacts, strongly consistent."""
        answer = self.call("GET", f"/_sandbox/sites/{SITE}/contacts")
        if answer.status_code == 404:
            return []
        return [one["contact"] for one in answer.json()["contacts"]]

    def fault(self, kind: str, **more: Any) -> None:
        answer = self.call("POST", "/_sandbox/faults", {"kind": kind, **more})
        assert answer.status_code == 200, answer.text


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def api(clock: ManualClock) -> Api:
    return Api(create_sandbox(SandboxOptions(Settings(rate_limit=0), clock=clock)))


@pytest.fixture
def anonymous(api: Api) -> Api:
    """The same sandbox without credentials."""
    return Api(api.app, {})


@pytest.fixture
def make_api() -> Callable[..., Api]:
    def make(options: SandboxOptions) -> Api:
        return Api(create_sandbox(options))

    return make


@pytest.fixture
def http() -> Iterator[Http]:
    app = create_sandbox(SandboxOptions(Settings(rate_limit=0)))
    with SandboxServer(app) as server:
        client = Http(app, server)
        yield client
        app.extensions["sandbox"].close()
        client.session.close()
