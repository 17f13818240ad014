"""A book whose system is a webhook: what the receiver is told, and what becomes of what it says."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from formapp.crm import owner
from formapp.crm.events import store_event
from formapp.crm.inbound import read_message
from formapp.crm.model import Book, FieldPair
from formapp.crm.session import Session
from formapp.crm.systems.http_calls import HttpCalls
from formapp.crm.systems.webhook import WebhookSystem
from formapp.db.database import Database
from tests.crm.pairing import Pairing
from tests.support.callback import Callback, callback

SECRET = "whsec_" + base64.b64encode(b"a secret of this book alone").decode()
WEBHOOK = Webhook(SECRET)
FIELDS = (FieldPair("first", "given", clear="propagate"), FieldPair("email", "email"))


class WebhookPairing(Pairing):
    """Wix in memory and a receiver of webhooks."""

    def __init__(self, database: Database, receiver: Callback, **book: Any) -> None:
        super().__init__(database, fields=FIELDS, **book)
        self.receiver = receiver
        own = Book("main", "webhook", "main", FIELDS, url=receiver.url)
        self.system = WebhookSystem(own, SECRET, HttpCalls(), database, lambda: datetime.now(UTC))
        self.posts = 0

    def session(self) -> Session:
        session = super().session()
        session.crm = self.system
        return session

    def told(self) -> list[Any]:
        """What the receiver was told since the last look, verified."""
        pairs = list(zip(self.receiver.bodies, self.receiver.headers, strict=True))
        self.receiver.bodies.clear()
        self.receiver.headers.clear()
        found = [WEBHOOK.verify(body, headers) for body, headers in pairs]
        return [(one["type"].removeprefix("contact."), one["data"]) for one in found]

    def post(self, kind: str, **data: Any) -> None:
        """Say something, as the receiver's own system does."""
        self.posts += 1
        body = json.dumps({"type": f"contact.{kind}", "data": data})
        name, now = f"msg_{self.posts}", datetime.now(UTC)
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": WEBHOOK.sign(name, now, body),
        }
        events = read_message(WEBHOOK, "main", body.encode(), headers, self.clock())
        with self.database.write() as connection:
            for event in events:
                assert store_event(connection, event)


@pytest.fixture
def receiver() -> Iterator[Callback]:
    with callback() as receiver:
        yield receiver


@pytest.fixture
def pairing(database: Database, receiver: Callback) -> Iterator[WebhookPairing]:
    pairing = WebhookPairing(database, receiver)
    yield pairing
    pairing.system.close()


def test_contacts_of_wix_are_told_and_each_edit_once(pairing: WebhookPairing) -> None:
    ada = pairing.wix.put(first="Ada", email="ada@example.com", labels=["VIP"])
    pairing.start()
    assert pairing.told() == [
        ("created", {"id": ada, "given": "Ada", "email": "ada@example.com", "labels": ["VIP"]})
    ]
    assert pairing.sync() == 0
    assert pairing.told() == []
    pairing.wix.edit(ada, first="Augusta", add=["News"], remove=["VIP"])
    assert pairing.sync() == 0
    own = {"id": ada, "external_id": ada}
    assert pairing.told() == [("updated", {**own, "given": "Augusta", "labels": ["News"]})]
    assert pairing.sync() == 0
    assert pairing.told() == []


def test_what_the_receiver_says_arrives_at_wix_and_is_no_echo(pairing: WebhookPairing) -> None:
    ada = pairing.wix.put(first="Ada", email="ada@example.com")
    pairing.start()
    pairing.told()
    pairing.post("updated", id=ada, given="Augusta")
    assert pairing.sync() == 0
    assert pairing.wix.rows[ada].values == {"first": "Augusta", "email": "ada@example.com"}
    assert pairing.sync() == 0
    assert pairing.told() == []
    pairing.wix.edit(ada, first="Eva")
    assert pairing.sync() == 0
    assert [data["given"] for _, data in pairing.told()] == ["Eva"]


def test_a_contact_of_the_receiver_is_created_at_wix_once(pairing: WebhookPairing) -> None:
    pairing.wix.put(first="Eva", email="eva@example.com")
    pairing.start()
    pairing.post("created", id="42", given="Ada", email="ada@example.com")
    pairing.post("updated", id="42", given="Augusta")
    for _ in range(3):
        assert pairing.sync() == 0
    people = [row for row in pairing.wix.rows.values() if row.values["email"] == "ada@example.com"]
    assert [(row.values["first"], row.key) for row in people] == [("Augusta", "42")]


def test_a_message_that_failed_is_sent_again_as_it_was(pairing: WebhookPairing) -> None:
    ada = pairing.wix.put(first="Ada", email="ada@example.com")
    pairing.start()
    pairing.told()
    pairing.wix.edit(ada, first="Augusta")
    pairing.receiver.statuses = [500]
    pairing.sync()
    for _ in range(4):
        pairing.sync()
    ids = {headers["webhook-id"] for headers in pairing.receiver.headers}
    assert len(ids) == 1
    assert len(set(pairing.receiver.bodies)) == 1
    assert len(pairing.told()) == 2


@pytest.mark.parametrize("policy", ["mark", "delete"])
def test_a_deletion_by_the_receiver_follows_the_policy(
    database: Database, receiver: Callback, policy: str
) -> None:
    pairing = WebhookPairing(database, receiver, deletes=policy)
    ada = pairing.wix.put(first="Ada", email="ada@example.com")
    pairing.wix.put(first="Eva", email="eva@example.com")
    pairing.start()
    pairing.post("deleted", id=ada)
    for _ in range(3):
        pairing.sync()
    if policy == "delete":
        assert ada not in pairing.wix.rows
    else:
        assert pairing.wix.rows[ada].labels == {"Deleted in CRM"}
    pairing.system.close()


def test_a_deletion_at_wix_is_told_where_the_owner_wants_it(
    database: Database, receiver: Callback
) -> None:
    pairing = WebhookPairing(database, receiver, deletes="delete")
    ada = pairing.wix.put(first="Ada", email="ada@example.com")
    pairing.wix.put(first="Eva", email="eva@example.com")
    pairing.start()
    pairing.told()
    pairing.wix.remove(ada)
    for _ in range(3):
        pairing.sync()
    assert pairing.told() == [("deleted", {"id": ada, "external_id": ada})]
    pairing.system.close()


def test_a_contact_that_names_another_twin_is_not_told(pairing: WebhookPairing) -> None:
    taken = pairing.wix.put(first="Ada", email="ada@example.com", key="of another system")
    pairing.start()
    assert pairing.sync() == 0
    assert pairing.told() == []
    assert pairing.wix.rows[taken].key == "of another system"
    (held,) = owner.held(pairing.database, "main")
    assert (held.contact_id, held.crm_id) == (taken, None)
