"""The sandbox's events, read by @wix/sdk as a server of an app reads those of Wix."""

import base64
from typing import Any

import pytest

from formapp.sandbox import SandboxOptions, WebhookSettings, create_sandbox
from tests.clients.installing import Clients
from tests.support.callback import callback
from tests.support.processes import eventually
from tests.support.wixevents import PEM

SITE = "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11"
API = "/contacts/v4/contacts"
Sent = tuple[str, list[str], dict[str, Any]]


@pytest.fixture(scope="module")
def sent() -> Sent:
    """The public key, the tokens of each kind of event, and the merged contact."""
    with callback() as receiver:
        app = create_sandbox(SandboxOptions(webhooks=WebhookSettings(url=receiver.url)))
        client, headers = app.test_client(), {"Authorization": "key", "wix-site-id": SITE}

        def call(path: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = client.post(f"{API}{path}", json=body, headers=headers)
            return dict(answer.get_json()["contact"])

        target, source = (
            call("", {"info": {"name": {"first": name}}, "allowDuplicates": True})
            for name in ("Ines", "Inês")
        )
        sources = {"targetContactRevision": 1, "sourceContactIds": [source["id"]]}
        merged = call(f"/{target['id']}/merge", sources)
        emitter = app.extensions["sandbox"].webhooks
        eventually(lambda: emitter.read()["waiting"] == 0)
        app.extensions["sandbox"].close()
        return emitter.signer.public_key(), receiver.bodies, merged


@pytest.mark.slow
@pytest.mark.parametrize("form", ["PEM", "base64"])
def test_the_sdk_accepts_every_event_unchanged(clients: Clients, sent: Sent, form: str) -> None:
    key, tokens, merged = sent
    given = key if form == "PEM" else base64.b64encode(key.encode()).decode()
    outcomes = clients.webhooks(given, tokens)
    assert [one.get("error") for one in outcomes] == [None] * 5
    slugs = {(one["returned"]["payload"]["slug"], one["handled"][0]["slug"]) for one in outcomes}
    assert slugs == {(slug, slug) for slug in ("created", "updated", "merged", "deleted")}
    for one in outcomes:
        returned, [handled] = one["returned"], one["handled"]
        assert returned["instanceId"] == SITE
        assert returned["identity"] == {"identityType": "APP"}
        metadata = handled["envelope"]["metadata"]
        assert metadata["id"] == returned["payload"]["id"]
        assert int(metadata["entityEventSequence"]) >= 1
        if handled["slug"] == "updated":
            assert handled["envelope"]["entity"]["id"] == merged["id"]
        if handled["slug"] == "merged":
            assert handled["envelope"]["data"]["targetContactId"] == merged["id"]


@pytest.mark.slow
def test_the_sdk_refuses_them_with_another_key(clients: Clients, sent: Sent) -> None:
    assert all("error" in one for one in clients.webhooks(PEM, sent[1]))
