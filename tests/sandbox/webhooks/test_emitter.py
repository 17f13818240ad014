"""Events as they arrive at a callback URL: their layers, resends and faults on request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from formapp.sandbox import SandboxOptions, WebhookSettings
from formapp.sandbox.webhooks.emitter import RESENDS
from tests.support.callback import Callback, callback
from tests.support.processes import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SITE = "5c1f7e0a-6a52-4d0e-9f43-0b7f2f4e8d11"


@pytest.fixture
def receiver(api: Any) -> Iterator[Callback]:
    with callback() as receiver:
        switch(api, url=receiver.url, speed=1.0)
        yield receiver
        api.app.extensions["sandbox"].close()


def switch(api: Any, **changes: Any) -> None:
    api.control("PATCH", "/webhooks", changes)


def log(api: Any) -> list[Any]:
    """What became of each event, once none is being sent or due."""
    found: list[Any] = api.control("GET", "/webhooks")["log"]
    return found


def quiet(api: Any) -> None:
    eventually(lambda: api.control("GET", "/webhooks")["waiting"] == 0)


def layers(api: Any, token: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The middle layer, the identity and the event, verified as a receiver does."""
    key = api.client.get("/_sandbox/webhooks/key").get_data(as_text=True)
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    claims = jwt.decode(token, key, algorithms=["RS256"])
    assert claims["exp"] - claims["iat"] == 3600
    middle = json.loads(claims["data"])
    return middle, json.loads(middle["identity"]), json.loads(middle["data"])


def events(api: Any, receiver: Callback) -> list[dict[str, Any]]:
    """All that arrived so far, by sequence within a contact."""
    quiet(api)
    found = [layers(api, body)[2] for body in receiver.bodies]
    return sorted(found, key=lambda one: (one["entityId"], int(one["entityEventSequence"])))


def test_a_created_contact_is_told_in_three_layers(api: Any, receiver: Callback) -> None:
    contact = api.contact("a@example.com")
    quiet(api)
    [body], [headers] = receiver.bodies, receiver.headers
    assert headers["content-type"] == "text/plain; charset=utf-8"
    middle, identity, event = layers(api, body)
    assert middle["eventType"] == "wix.contacts.v4.contact_created"
    assert middle["instanceId"] == SITE
    assert identity == {"identityType": "APP"}
    assert event.pop("id")
    assert event == {
        "entityFqdn": "wix.contacts.v4.contact",
        "slug": "created",
        "entityId": contact["id"],
        "createdEvent": {"entity": contact},
        "eventTime": "2025-03-04T09:20:00.000000Z",
        "triggeredByAnonymizeRequest": False,
        "entityEventSequence": "1",
    }


def test_each_change_has_its_event_and_what_changes_nothing_has_none(
    api: Any, receiver: Callback
) -> None:
    contact, label = api.contact(), api.label("News")
    path = f"/contacts/{contact['id']}"
    api.ok("POST", f"{path}/labels", {"labelKeys": [label]})
    api.ok("POST", f"{path}/labels", {"labelKeys": [label]})
    api.update({**contact, "revision": 2}, company="Barco")
    assert api.refused("PATCH", path, {"revision": 1, "info": {"company": "x"}})[0] == 409
    api.ok("DELETE", path)
    found = events(api, receiver)
    assert [(one["slug"], one["entityEventSequence"]) for one in found] == [
        ("created", "1"),
        ("updated", "2"),
        ("updated", "3"),
        ("deleted", "4"),
    ]
    assert found[2]["updatedEvent"]["currentEntity"]["info"]["company"] == "Barco"
    assert found[3]["deletedEvent"] == {}
    assert "originatedFrom" not in found[3]


def test_a_merge_makes_one_merged_one_updated_and_a_deleted_for_each_source(
    api: Any, receiver: Callback
) -> None:
    target, *sources = [api.contact() for _ in range(3)]
    quiet(api)
    receiver.bodies.clear()
    ids = [one["id"] for one in sources]
    body = {"targetContactRevision": 1, "sourceContactIds": ids}
    merged = api.ok("POST", f"/contacts/{target['id']}/merge", body)["contact"]
    found = {(one["slug"], one["entityId"]): one for one in events(api, receiver)}
    assert found.keys() == {
        ("updated", target["id"]),
        ("merged", target["id"]),
        *(("deleted", one) for one in ids),
    }
    event = found["merged", target["id"]]
    assert event["actionEvent"]["body"] == {
        "targetContactId": target["id"],
        "sourceContactIds": ids,
        "targetContact": merged,
    }
    assert "originatedFrom" not in event
    others = [one for one in found.values() if one is not event]
    assert {one["originatedFrom"] for one in others} == {"merge"}


def test_the_identity_says_who_caused_an_event(api: Any, receiver: Callback) -> None:
    app = "b4d0c1de-7a3f-4f0b-8a66-2c1d9a2f7e50"
    grant = {"grant_type": "client_credentials", "client_id": app, "client_secret": "b"}
    token = api.call("POST", "/oauth2/token", {**grant, "instance_id": SITE}).json["access_token"]
    by_app = api.call(
        "POST", "/contacts/v4/contacts", {"info": {"name": {"first": "A"}}}, Authorization=token
    ).json["contact"]["id"]
    by_person = api.control("POST", f"/sites/{SITE}/contacts", {"info": {"name": {"first": "P"}}})
    quiet(api)
    identities = {
        event["entityId"]: identity
        for _, identity, event in (layers(api, body) for body in receiver.bodies)
    }
    assert identities[by_app] == {"identityType": "APP", "appId": app}
    person = identities[by_person["contact"]["id"]]
    assert person["identityType"] == "WIX_USER"
    assert person["wixUserId"]


def test_a_person_may_ask_for_an_erasure(api: Any, receiver: Callback) -> None:
    for query, erased in (("", False), ("?anonymize=true", True)):
        contact = api.contact()
        api.control("DELETE", f"/sites/{SITE}/contacts/{contact['id']}{query}")
        deleted = events(api, receiver)
        [event] = [
            one for one in deleted if one["slug"] == "deleted" and one["entityId"] == contact["id"]
        ]
        assert event["triggeredByAnonymizeRequest"] is erased


def test_a_failed_event_comes_again_by_the_schedule_and_then_never(
    api: Any, clock: Any, receiver: Callback
) -> None:
    receiver.statuses = [204] + [500] * 12
    api.contact()
    for attempt, delay in enumerate(RESENDS, 1):
        eventually(lambda attempt=attempt: len(log(api)) == attempt)  # type: ignore[misc]
        clock.advance(delay - 1)
        api.control("POST", "/clock", {"advance": 0})
        assert len(receiver.bodies) == attempt
        api.control("POST", "/clock", {"advance": 1})
    quiet(api)
    assert len(receiver.bodies) == 13
    ids = {layers(api, body)[2]["id"] for body in receiver.bodies}
    assert len(ids) == 1
    found = log(api)
    assert [one["outcome"] for one in found] == ["failed"] * 12 + ["given up"]
    assert [one["attempt"] for one in found] == list(range(1, 14))
    assert [one["status"] for one in found] == [204] + [500] * 12
    assert sum(RESENDS) / 3600 == pytest.approx(47.2, abs=0.1)


def test_the_speed_divides_the_delays(api: Any, clock: Any, receiver: Callback) -> None:
    switch(api, speed=60.0)
    receiver.statuses = [500]
    api.contact()
    eventually(lambda: len(log(api)) == 1)
    clock.advance(1)
    api.control("POST", "/clock", {"advance": 0})
    quiet(api)
    assert [one["outcome"] for one in log(api)] == ["failed", "delivered"]


def test_a_callback_that_is_away_is_a_failure_too(api: Any) -> None:
    switch(api, url="http://127.0.0.1:1/")
    api.contact()
    eventually(lambda: len(log(api)) == 1)
    assert log(api)[0]["status"] is None
    api.control("DELETE", "/webhooks")
    assert api.control("GET", "/webhooks")["waiting"] == 0
    assert log(api) == []


def test_doubles_losses_and_late_events_come_on_request(
    api: Any, clock: Any, receiver: Callback
) -> None:
    switch(api, doubles=1)
    api.contact()
    assert len(events(api, receiver)) == 2
    switch(api, doubles=0, losses=1)
    api.contact()
    assert log(api)[-1]["outcome"] == "lost"
    assert len(events(api, receiver)) == 2
    switch(api, losses=0, reordering=1)
    late = api.contact()
    switch(api, reordering=0)
    api.contact()
    eventually(lambda: len(receiver.bodies) == 3)
    clock.advance(60)
    api.control("POST", "/clock", {"advance": 0})
    quiet(api)
    assert layers(api, receiver.bodies[-1])[2]["entityId"] == late["id"]


def test_the_text_form_is_a_switch(api: Any, receiver: Callback) -> None:
    switch(api, text_form=True)
    target, source = api.contact(), api.contact()
    body = {"targetContactRevision": 1, "sourceContactIds": [source["id"]]}
    api.ok("POST", f"/contacts/{target['id']}/merge", body)
    found = events(api, receiver)
    by_slug = {one["slug"]: one for one in found if one["entityId"] == target["id"]}
    created = by_slug["created"]["createdEvent"]
    assert json.loads(created["entityAsJson"]) == target
    updated = json.loads(by_slug["updated"]["updatedEvent"]["currentEntityAsJson"])
    assert updated["revision"] == 2
    merged = json.loads(by_slug["merged"]["actionEvent"]["bodyAsJson"])
    assert merged["sourceContactIds"] == [source["id"]]


def test_without_a_url_nothing_is_sent(api: Any) -> None:
    api.contact()
    assert api.control("GET", "/webhooks")["waiting"] == 0
    assert log(api) == []


def test_key_and_sequences_outlive_a_restart(make_api: Any, tmp_path: Path) -> None:
    options = SandboxOptions(state_file=tmp_path / "state.json")
    first = make_api(options)
    key = first.client.get("/_sandbox/webhooks/key").get_data()
    contact = first.contact()
    with callback() as receiver:
        hooks = WebhookSettings(url=receiver.url)
        second = make_api(SandboxOptions(webhooks=hooks, state_file=tmp_path / "state.json"))
        assert second.client.get("/_sandbox/webhooks/key").get_data() == key
        second.update(contact, company="Barco")
        [event] = events(second, receiver)
        assert event["entityEventSequence"] == "2"
        second.control("POST", "/reset")
        assert second.control("GET", "/webhooks")["settings"]["url"] == receiver.url
        second.app.extensions["sandbox"].close()


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "ftp://x"},
        {"url": "http://"},
        {"url": "http://x:0/"},
        {"speed": 0},
        {"doubles": 2},
        {"text_form": "yes"},
        {"color": "red"},
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(api: Any, changes: Any) -> None:
    answer = api.client.patch("/_sandbox/webhooks", json=changes)
    assert answer.status_code == 400
    assert answer.get_json()["error"]


def test_the_page_shows_key_and_log_and_changes_the_switches(api: Any, receiver: Callback) -> None:
    api.contact("ines@example.com")
    quiet(api)
    page = api.client.get("/webhooks").get_data(as_text=True)
    assert "BEGIN PUBLIC KEY" in page
    assert "delivered (200," in page
    assert "ines@example.com" not in page
    form = {"url": "", "speed": "30", "doubles": "0.5", "losses": "0", "reordering": "0"}
    answer = api.client.post("/_sandbox/webhooks", data=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/webhooks")
    settings = api.control("GET", "/webhooks")["settings"]
    assert (settings["url"], settings["speed"], settings["doubles"]) == ("", 30, 0.5)
    refused = api.client.post("/_sandbox/webhooks", data={**form, "url": "nonsense"})
    assert refused.status_code == 400
    assert "Nothing was changed: url must be" in refused.get_data(as_text=True)
