"""Webhooks of Wix and of other systems: who may post, what is stored, and once."""

import base64
import io
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flask.testing import FlaskClient
from sqlalchemy import Row, select
from standardwebhooks import Webhook
from werkzeug.test import TestResponse

from formapp.app import create_app
from formapp.config.settings import Settings, SettingsError
from formapp.db.database import Database
from formapp.db.tables import crm_events
from formapp.sandbox import SandboxOptions, SandboxServer, WebhookSettings, create_sandbox
from formapp.server import Server, listen
from formapp.web.webhooks import MAX_BYTES
from tests.proofs.webhooks.run import measure
from tests.support.processes import eventually
from tests.support.wixevents import CONTACT, KEY, PEM, event, token
from tests.web.support import KEY as SECRET
from tests.web.support import schemaless

SITE = "/wix/webhooks/main"
WEBHOOK = Webhook("whsec_" + base64.b64encode(b"a secret of the book shop").decode())
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Doors:
    """A web app whose senders are Wix and the book `shop`."""

    def __init__(self, database: Database, **settings: str) -> None:
        self.database = database
        self.woken: list[None] = []
        given = {"SECRET_KEY": SECRET, "WIX_PUBLIC_KEY": PEM, **settings}
        read = Settings.read({f"FORMAPP_{name}": value for name, value in given.items()}, web=True)
        self.app = create_app(
            read,
            forms={},
            database=database,
            on_kept=lambda: self.woken.append(None),
            crm_webhooks={"shop": WEBHOOK},
        )

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client(use_cookies=False)

    def post(self, body: bytes, path: str = SITE, **options: Any) -> TestResponse:
        return self.client.post(path, data=body, **options)

    def message(self, message: Any, webhook_id: str = "msg_1", **changes: Any) -> TestResponse:
        """Post what the book's system has to say, signed unless `changes` holds headers."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        now = datetime.now(UTC)
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": WEBHOOK.sign(webhook_id, now, body.decode()),
            **changes,
        }
        return self.post(body, "/crm/shop/webhook", headers=headers)

    def stored(self) -> Sequence[Row[Any]]:
        with self.database.read() as connection:
            return connection.execute(select(crm_events).order_by(crm_events.c.id)).all()

    def kinds(self) -> list[tuple[Any, ...]]:
        return [(row.source, row.kind, row.entity, row.target) for row in self.stored()]


@pytest.fixture
def doors(sqlite: Database) -> Doors:
    return Doors(sqlite)


def test_an_event_is_stored_before_the_answer_once_and_without_personal_data(
    database: Database,
) -> None:
    doors = Doors(database)
    content = event()
    for _ in range(3):
        answer = doors.post(token(content), content_type="text/plain")
        assert (answer.status_code, answer.data) == (200, b"")
    [row] = doors.stored()
    assert (row.source, row.kind, row.entity) == ("wix:main", "updated", CONTACT)
    assert (row.event_id, row.revision, row.sequence) == (content["id"], "2", "2")
    assert "Ines" not in str(row)
    assert len(doors.woken) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/json", None, "application/jwt"])
def test_the_content_type_does_not_matter(doors: Doors, kind: str | None) -> None:
    assert doors.post(b" " + token(event()) + b"\n", content_type=kind).status_code == 200


def _layers(content: Any, *, outer: bool, inner: bool) -> dict[str, Any]:
    """Claims whose layers are objects, or text as usual."""
    middle = {"data": json.dumps(content) if inner else content}
    return {"data": json.dumps(middle) if outer else middle}


@pytest.mark.parametrize(("outer", "inner"), [(True, False), (False, True), (False, False)])
def test_each_layer_may_be_an_object(doors: Doors, outer: bool, inner: bool) -> None:  # noqa: FBT001 - a case of the table
    claims = _layers(event("created"), outer=outer, inner=inner)
    assert doors.post(token({}, **claims)).status_code == 200
    assert [row.kind for row in doors.stored()] == ["created"]


GONE = [("updated", CONTACT, None), ("merged", "s-1", CONTACT), ("merged", "s-2", CONTACT)]
TEXT = json.dumps({"id": CONTACT, "revision": 7})
MERGE = {"targetContactId": CONTACT, "sourceContactIds": ["s-1", "s-2"]}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (event("created"), [("created", CONTACT, None)]),
        (event("deleted"), [("deleted", CONTACT, None)]),
        (event("deleted", triggeredByAnonymizeRequest=True), [("erased", CONTACT, None)]),
        (
            event("updated", updatedEvent={"currentEntityAsJson": TEXT}),
            [("updated", CONTACT, None)],
        ),
        (event("updated", updatedEvent={"currentEntity": {}}), [("updated", CONTACT, None)]),
        (event("created", entityEventSequence=None), [("created", CONTACT, None)]),
        *(
            (
                event(slug, actionEvent=body),
                GONE,
            )
            for slug in ("merged", "merge")
            for body in ({"body": MERGE}, {"bodyAsJson": json.dumps(MERGE)})
        ),
        (event("segment_added"), []),
        (event(entityFqdn="wix.members.v1.member"), []),
        ({"appId": "b4d0c1de", "originInstanceId": "x"}, []),
    ],
)
def test_events_of_every_kind_are_stored_or_ignored(
    doors: Doors, content: Any, expected: list[tuple[Any, ...]]
) -> None:
    assert doors.post(token(content)).status_code == 200
    assert [kind[1:] for kind in doors.kinds()] == expected


def _none() -> bytes:
    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    return part({"alg": "none"}) + b"." + part({"data": "{}"}) + b"."


@pytest.mark.parametrize(
    "body",
    [
        token(event(), key=OTHER),
        token(event(), exp=int(time.time()) - 60),
        token(event(), nbf=int(time.time()) + 3600),
        token(event(), algorithm="RS512"),
        token(event(), key="a shared secret that is long enough", algorithm="HS256"),
        token(event())[:-4] + b"AAAA",
        _none(),
    ],
    ids=["foreign", "expired", "not yet", "RS512", "HS256", "changed", "none"],
)
def test_a_token_that_is_not_ours_is_refused(doors: Doors, body: bytes) -> None:
    assert doors.post(body).status_code == 401
    assert doors.stored() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"a.b.c",
        b"\xff\xfe.\x00.x",
        b'{"data": "{}"}',
        base64.urlsafe_b64encode(b"[" * 100_000) + b".e30.e30",
        token({}, data=5),
        token({}, data="no json"),
        token({}, data="[" * 60_000),
        token(event(id="x" * 300)),
        token(event(entityId=None)),
        token(event(entityId="a\0b")),
        token(event("merged")),
    ],
)
def test_what_is_no_token_of_an_event_is_malformed(doors: Doors, body: bytes) -> None:
    assert doors.post(body).status_code == 400
    assert doors.stored() == []


def test_a_token_from_a_machine_whose_clock_is_ahead_is_taken(doors: Doors) -> None:
    assert doors.post(token(event(), iat=int(time.time()) + 600)).status_code == 200


def test_an_unknown_site_or_book_is_not_found(doors: Doors) -> None:
    assert doors.post(token(event()), "/wix/webhooks/other").status_code == 404
    assert doors.post(b"{}", "/crm/other/webhook").status_code == 404


def test_without_a_key_no_site_has_an_address(sqlite: Database) -> None:
    assert Doors(sqlite, WIX_PUBLIC_KEY="").post(token(event())).status_code == 404


def test_an_event_of_another_instance_is_foreign(sqlite: Database) -> None:
    ours, other = "E7A4BB0C-51d2-4c7f-a0f6-93f2f0c4d7a8", "00000000-51d2-4c7f-a0f6-93f2f0c4d7a8"
    assert Doors(sqlite, WIX_INSTANCE_ID=ours).post(token(event())).status_code == 200
    assert Doors(sqlite, WIX_INSTANCE_ID=other).post(token(event())).status_code == 401


@pytest.mark.parametrize("path", [SITE, "/crm/shop/webhook"])
def test_too_much_is_refused(doors: Doors, path: str) -> None:
    assert doors.post(b"x" * (MAX_BYTES + 1), path).status_code == 413
    chunked = doors.client.post(
        path,
        input_stream=io.BytesIO(b"x" * (MAX_BYTES + 1)),
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert chunked.status_code == 413


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999"])
def test_what_is_no_json_is_not_stored_on_either_database(
    database: Database, number: bytes
) -> None:
    doors = Doors(database)
    body = b'{"type": "contact.updated", "data": {"id": "7", "size": %s}}' % number
    assert doors.message(body).status_code == 400
    assert doors.stored() == []


def test_without_a_database_the_sender_is_to_send_again(doors: Doors) -> None:
    with schemaless(doors):  # type: ignore[arg-type] # of a site it needs the database alone
        assert doors.post(token(event())).status_code == 503
        assert doors.message({"type": "contact.deleted", "data": {"id": 1}}).status_code == 503


def test_nothing_is_framable_or_sets_a_cookie_and_a_session_plays_no_part(doors: Doors) -> None:
    headers = {"Origin": "https://evil.example", "Cookie": "session=x"}
    answer = doors.post(token(event()), headers=headers)
    assert answer.status_code == 200
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_key_may_be_base64_or_have_its_line_breaks_written_out(sqlite: Database) -> None:
    for key in (base64.b64encode(PEM.encode()).decode(), PEM.strip().replace("\n", "\\n")):
        assert Doors(sqlite, WIX_PUBLIC_KEY=key).post(token(event())).status_code == 200


def test_the_key_may_come_from_a_file(sqlite: Database, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    doors = Doors(sqlite, WIX_PUBLIC_KEY="", WIX_PUBLIC_KEY_FILE=str(tmp_path / "key.pem"))
    assert doors.post(token(event())).status_code == 200


@pytest.mark.parametrize("key", ["nonsense", "-----BEGIN PUBLIC KEY-----\nx", "aGVsbG8="])
def test_a_key_that_is_none_is_a_fault_of_the_settings(sqlite: Database, key: str) -> None:
    with pytest.raises(SettingsError, match="FORMAPP_WIX_PUBLIC_KEY: is no RSA public key"):
        Doors(sqlite, WIX_PUBLIC_KEY=key)


def test_a_message_of_another_system_is_stored_with_its_fields_and_once(
    database: Database,
) -> None:
    doors = Doors(database)
    data = {"id": 42, "first_name": "Ines", "labels": ["News"]}
    for _ in range(2):
        assert doors.message({"type": "contact.updated", "data": data}).status_code == 200
    [row] = doors.stored()
    assert (row.source, row.event_id, row.kind, row.entity) == (
        "crm:shop",
        "msg_1",
        "updated",
        "42",
    )
    assert row.content == {"first_name": "Ines", "labels": ["News"]}


def test_a_merge_of_another_system_names_each_record_that_is_gone(doors: Doors) -> None:
    data = {"id": "1", "merged_ids": ["2", "3"], "first_name": "Ines"}
    assert doors.message({"type": "contact.merged", "data": data}).status_code == 200
    assert [kind[1:] for kind in doors.kinds()] == [
        ("merged", "2", "1"),
        ("merged", "3", "1"),
        ("updated", "1", None),
    ]


def test_a_deletion_of_another_system_stores_no_field(doors: Doors) -> None:
    data = {"id": "1", "first_name": "Ines"}
    assert doors.message({"type": "contact.deleted", "data": data}).status_code == 200
    assert [(row.kind, row.content) for row in doors.stored()] == [("deleted", None)]


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,ü"},
        {"webhook-signature": ""},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": str(int((datetime.now(UTC) - timedelta(minutes=6)).timestamp()))},
    ],
)
def test_a_message_that_is_not_signed_is_refused(doors: Doors, headers: dict[str, str]) -> None:
    answer = doors.message({"type": "contact.updated", "data": {"id": "1"}}, **headers)
    assert answer.status_code == 401
    assert doors.stored() == []


@pytest.mark.parametrize(
    "message",
    [
        b"no json",
        b"[" * 100_000,
        [],
        {},
        {"type": "contact.updated"},
        {"type": "contact.updated", "data": {}},
        {"type": "contact.updated", "data": {"id": True}},
        {"type": "contact.updated", "data": {"id": " "}},
        {"type": "contact.updated", "data": {"id": "x" * 151}},
        {"type": "contact.exploded", "data": {"id": "1"}},
        {"type": ["contact.updated"], "data": {"id": "1"}},
        {"type": "contact.merged", "data": {"id": "1"}},
        {"type": "contact.merged", "data": {"id": "1", "merged_ids": []}},
    ],
)
def test_a_message_that_says_nothing_is_malformed(doors: Doors, message: Any) -> None:
    answer = doors.message(message)
    assert answer.status_code == 400
    assert answer.text.endswith(".")
    assert doors.stored() == []


@pytest.fixture
def address(doors: Doors) -> Iterator[str]:
    """The doors behind formapp's own server."""
    listener = listen("127.0.0.1", 0)
    server = Server(doors.app, listener)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(server.run)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.stop()


@pytest.mark.slow
def test_the_sandboxs_events_arrive_here_each_once(sqlite: Database) -> None:
    sandbox = create_sandbox(SandboxOptions(webhooks=WebhookSettings(doubles=0.5, reordering=0.2)))
    emitter = sandbox.extensions["sandbox"].webhooks
    key = emitter.signer.public_key()
    doors = Doors(sqlite, WIX_PUBLIC_KEY=key)
    listener = listen("127.0.0.1", 0)
    server = Server(doors.app, listener)
    with ThreadPoolExecutor(1) as pool, SandboxServer(sandbox):
        pool.submit(server.run)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}{SITE}"
        emitter.settings = emitter.settings.changed({"url": url, "speed": 1000.0})
        client, headers = sandbox.test_client(), {"Authorization": "k", "wix-site-id": "one"}
        for number in range(10):
            info = {"name": {"first": f"Number {number}"}}
            path = "/contacts/v4/contacts"
            client.post(path, json={"info": info}, headers=headers)
        eventually(lambda: emitter.read()["waiting"] == 0)
        server.stop()
    assert {one["status"] for one in emitter.read()["log"]} == {200}
    assert [row.kind for row in doors.stored()] == ["created"] * 10
    sandbox.extensions["sandbox"].close()


@pytest.mark.slow
def test_under_load_wix_has_its_answer_in_time(address: str, doors: Doors) -> None:
    result = measure(f"{address}{SITE}", KEY, events=300, clients=8)
    assert result.refused == 0
    assert result.percentile(99) < 1.25
    assert len(doors.stored()) == 300
