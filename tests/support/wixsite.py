"""One site of a running sandbox: what its owner and the world do there, and what it saw."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from formapp.sandbox import SandboxOptions, SandboxServer, Settings, create_sandbox
from formapp.wix import ApiKey, Auth
from tests.support.clock import TurnedClock

SITE_ID = "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11"
OTHER_ID = "0b9d3c52-7e7f-4a41-8d5e-3f0c8b6a9e21"
KEY = "IST.example-key"
Json = dict[str, Any]


class WixSite:
    """Talks to the sandbox over HTTP: its control path, and the API as another app would."""

    def __init__(self, url: str, site_id: str = SITE_ID) -> None:
        self.url = url
        self.site_id = site_id
        self.auth: Auth = ApiKey(KEY, site_id)
        self._session = requests.Session()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def control(self, method: str, path: str, body: Json | None = None) -> Any:
        """Call the control path, which must succeed."""
        return self._call(method, f"/_sandbox{path}", body)

    def api(self, method: str, path: str, body: Json | None = None) -> Any:
        """Call the API as another app of this site; this must succeed."""
        return self._call(method, f"/contacts/v4{path}", body)

    def _call(self, method: str, path: str, body: Json | None) -> Any:
        headers = {"Authorization": "IST.another-app", "wix-site-id": self.site_id}
        answer = self._session.request(
            method, self.url + path, json=body, headers=headers, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def contacts(self) -> list[Json]:
        """All contacts, whole and strongly consistent."""
        sites = [site["id"] for site in self.control("GET", "/sites")["sites"]]
        if self.site_id not in sites:
            return []
        return [one["contact"] for one in self._state()["contacts"]]

    def _state(self) -> Json:
        state: Json = self.control("GET", f"/sites/{self.site_id}/contacts")
        return state

    def contact(self) -> Json:
        """The only contact."""
        (found,) = self.contacts()
        return found

    def info(self) -> Json:
        """The `info` of the only contact."""
        info: Json = self.contact()["info"]
        return info

    def info_of(self, contact_id: str) -> Json:
        """The `info` of one contact."""
        (info,) = [one["info"] for one in self.contacts() if one["id"] == contact_id]
        return dict(info)

    def calls(self) -> list[str]:
        """The operations that formapp called since `forget_calls`, in order; others' apart."""
        return [call["operation"] for call in self.call_log()]

    def call_log(self) -> list[Json]:
        """The same with time, status and fault."""
        calls: list[Json] = self.control("GET", f"/calls?site={self.site_id}")["calls"]
        return calls

    def forget_calls(self) -> None:
        """Count anew."""
        self.control("DELETE", "/calls")

    def fault(self, kind: str, operation: str | None = None, **more: Any) -> None:
        """Switch a fault on."""
        self.control("POST", "/faults", {"kind": kind, "operation": operation, **more})

    def mend(self) -> None:
        """Switch all faults off."""
        self.control("DELETE", "/faults")

    def set(self, **settings: Any) -> None:
        """Change switches of the sandbox."""
        self.control("PATCH", "/settings", settings)

    def add(self, **info: Any) -> Json:
        """Create a contact as somebody in the dashboard would."""
        path, body = f"/sites/{self.site_id}/contacts", {"info": info, "allowDuplicates": True}
        made: Json = self.control("POST", path, body)["contact"]
        return made

    def edit(self, contact_id: str, **info: Any) -> Json:
        """Edit a contact as somebody in the dashboard would."""
        path = f"/sites/{self.site_id}/contacts/{contact_id}"
        edited: Json = self.control("PATCH", path, {"info": info})["contact"]
        return edited

    def delete(self, contact_id: str) -> None:
        """Delete a contact as somebody in the dashboard would."""
        self.control("DELETE", f"/sites/{self.site_id}/contacts/{contact_id}")

    def make_member(self, contact_id: str) -> None:
        """Have the contact join the site."""
        self.control(
            "POST", "/members", {"site": self.site_id, "contact_id": contact_id, "role": "member"}
        )

    def merge(self, source_id: str, target: Json) -> None:
        """Merge one contact away into another."""
        body = {"targetContactRevision": target["revision"], "sourceContactIds": [source_id]}
        self.api("POST", f"/contacts/{target['id']}/merge", body)

    def label(self, name: str) -> str:
        """Define a label; its key."""
        return str(self.api("POST", "/labels", {"displayName": name})["label"]["key"])

    def field(self, name: str, data_type: str = "TEXT") -> str:
        """Define an extended field; its key."""
        body = {"displayName": name, "dataType": data_type}
        return str(self.api("POST", "/extended-fields", body)["field"]["key"])


@contextmanager
def running_site(clock: TurnedClock) -> Iterator[WixSite]:
    """Run a sandbox whose time is this clock's; it has no rate limit unless told."""
    app = create_sandbox(SandboxOptions(Settings(rate_limit=0), clock=clock.seconds))
    with SandboxServer(app) as server:
        site = WixSite(server.url)
        yield site
        app.extensions["sandbox"].close()
        site.close()
