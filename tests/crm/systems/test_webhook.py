"""A receiver such as Zapier's or n8n's: what it is told, and what it says itself."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert
from standardwebhooks import Webhook

from formapp.crm.events import Event, crm_source, store_event
from formapp.crm.model import Book, FieldPair
from formapp.crm.system import (
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    Write,
)
from formapp.crm.systems.http_calls import HttpCalls
from formapp.crm.systems.webhook import WebhookSystem
from formapp.db.database import Database
from formapp.db.tables import crm_links
from tests.support.callback import Callback, callback

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
WIX_ID = "2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21"
PAIRS = (
    FieldPair("name.first", "first_name"),
    FieldPair("email", "mail"),
    FieldPair("phones", "numbers"),
)
ADA = Write({"first_name": "Ada", "mail": "ada@example.com"}, frozenset({"VIP"}), key=WIX_ID)


@pytest.fixture
def receiver() -> Iterator[Callback]:
    with callback() as receiver:
        yield receiver


@pytest.fixture
def system(receiver: Callback, sqlite: Database) -> Iterator[WebhookSystem]:
    book = Book("shop", "webhook", "main", PAIRS, url=receiver.url)
    system = WebhookSystem(book, SECRET, HttpCalls(), sqlite, lambda: datetime.now(UTC))
    yield system
    system.close()


def messages(receiver: Callback) -> list[Any]:
    """What arrived, verified by the reference package as a receiver does."""
    return [
        Webhook(SECRET).verify(body, headers)
        for body, headers in zip(receiver.bodies, receiver.headers, strict=True)
    ]


def post(database: Database, number: int, kind: Any, entity: str, **more: Any) -> None:
    """What the door stores."""
    event = Event(crm_source("shop"), f"msg_{number}", kind, entity, datetime.now(UTC), **more)
    with database.write() as connection:
        assert store_event(connection, event)


def test_each_write_is_a_signed_message(system: WebhookSystem, receiver: Callback) -> None:
    made = system.create(ADA)
    assert made.id == WIX_ID
    assert made.labels == {"VIP"}
    assert made.values == {"first_name": "Ada", "mail": "ada@example.com"}
    values = {"first_name": None, "numbers": ("+442079460018",)}
    write = Write(values, frozenset({"A"}), frozenset({"VIP"}), all_labels=frozenset({"A"}))
    changed = system.update(made, write)
    assert dict(changed.values) == {"mail": "ada@example.com", "numbers": ("+442079460018",)}
    assert changed.labels == {"A"}
    merged = system.merge(changed, system.create(Write({"first_name": "Eva"}, key="other")))
    system.delete(merged)
    own = {"id": WIX_ID, "external_id": WIX_ID}
    ada = {"first_name": "Ada", "mail": "ada@example.com"}
    assert messages(receiver) == [
        {"type": "contact.created", "data": {"id": WIX_ID, **ada, "labels": ["VIP"]}},
        {
            "type": "contact.updated",
            "data": {
                **own,
                "first_name": None,
                "numbers": ["+442079460018"],
                "labels": ["A"],
            },
        },
        {"type": "contact.created", "data": {"id": "other", "first_name": "Eva"}},
        {"type": "contact.merged", "data": {**own, "merged_ids": ["other"]}},
        {"type": "contact.deleted", "data": own},
    ]
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 5


def test_a_repeat_has_the_same_id_and_body_and_the_same_change_later_another(
    system: WebhookSystem, receiver: Callback, sqlite: Database
) -> None:
    receiver.statuses = [500, 200, 500, 200]
    with pytest.raises(UnavailableError) as failed:
        system.create(ADA)
    assert failed.value.maybe_applied
    assert system.find(key=WIX_ID) == ()
    made = system.create(ADA)
    with sqlite.write() as connection:
        row = {"book": "shop", "wix_id": WIX_ID, "crm_id": made.id, "state": "linked"}
        connection.execute(insert(crm_links).values(**row, crm_revision=made.revision))
    read = system.get(WIX_ID)
    assert read is not None
    assert read.revision == made.revision
    with pytest.raises(UnavailableError):
        system.update(read, Write({"first_name": "Eva"}))
    first = system.update(read, Write({"first_name": "Eva"}))
    system.update(first, Write({"first_name": "Eva"}))
    ids = [headers["webhook-id"] for headers in receiver.headers]
    bodies = receiver.bodies
    assert (ids[0], bodies[0]) == (ids[1], bodies[1])
    assert (ids[2], bodies[2]) == (ids[3], bodies[3])
    assert bodies[3] == bodies[4]
    assert ids[3] != ids[4]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RefusedError),
        (401, UnauthorizedError),
        (404, UnavailableError),
        (410, UnauthorizedError),
        (302, UnavailableError),
        (429, UnavailableError),
        (500, UnavailableError),
    ],
)
def test_each_answer_but_2xx_is_a_failure_without_data(
    system: WebhookSystem, receiver: Callback, status: int, error: type[Exception]
) -> None:
    receiver.statuses = [status]
    with pytest.raises(error) as failed:
        system.create(ADA)
    assert "Ada" not in str(failed.value)
    receiver.statuses = [204]
    assert system.create(ADA).id == WIX_ID


def test_posts_that_wait_are_read_together_the_newest_last(
    system: WebhookSystem, sqlite: Database
) -> None:
    content = {"first_name": " Ada ", "mail": "ADA@example.com", "labels": ["VIP", " "]}
    post(sqlite, 1, "created", "42", content=content)
    post(sqlite, 2, "updated", "42", content={"first_name": "Eva", "numbers": [442079460018]})
    record = system.get("42")
    assert record is not None
    assert dict(record.values) == {
        "first_name": "Eva",
        "mail": "ADA@example.com",
        "numbers": ("442079460018",),
    }
    assert record.labels == {"VIP"}
    assert record.emails == ("ADA@example.com",)
    assert record.phones == ("442079460018",)
    assert system.get_many(["42"]) == {"42": record}


@pytest.mark.parametrize("value", [None, "", [], {}, True, [None], {"a": 1}])
def test_what_is_no_text_is_left_out(
    system: WebhookSystem, sqlite: Database, value: object
) -> None:
    post(sqlite, 1, "updated", "42", content=dict.fromkeys(("first_name", "numbers"), value))
    record = system.get("42")
    assert record is not None
    assert record.values == {}


def test_what_it_says_is_gone_or_merged_is(system: WebhookSystem, sqlite: Database) -> None:
    post(sqlite, 1, "created", "1", content={"first_name": "Ada"})
    post(sqlite, 2, "deleted", "1")
    assert system.get("1") is None
    post(sqlite, 3, "merged", "2", target="3")
    survivor = system.get("2")
    assert survivor is not None
    assert survivor.id == "3"
    post(sqlite, 4, "created", "1", content={"first_name": "Eva"})
    assert system.get("1") is not None


def test_bodies_are_json_in_ascii_whatever_a_value_is(
    system: WebhookSystem, receiver: Callback
) -> None:
    system.create(Write({"first_name": "Zoë \ud800"}, key=WIX_ID))
    assert json.loads(receiver.bodies[0])["data"]["first_name"] == "Zoë \ud800"
