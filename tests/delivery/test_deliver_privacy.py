"""What a visitor answered is in the submission, and nowhere else: no log, no text, no attempt."""

import logging
import traceback
from typing import Any

import pytest
from sqlalchemy import select

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.tables import metadata
from formapp.lead import InvalidLeadError, Lead
from formapp.leads.accept import KeyReusedError, keep
from tests.support.leads import address, email, field, items, lead, phone, submission, text
from tests.support.postgres import PostgresServer
from tests.support.world import GRACE, World

CANARY = "canary"
NUMBER = "7946001833"
# Where answers belong: the submission itself, and who a person is.
HOLD_ANSWERS = {
    ("search_terms", "term"),
    ("deliveries", "changes"),
    ("submissions", "answers"),
    ("submissions", "lead"),
    ("submissions", "meta"),
    ("submissions", "key"),
    ("deliveries", "email"),
    ("deliveries", "phone"),
    ("contacts", "identity"),
}


def secret(number: int = 0, **more: Any) -> Lead:
    """A lead in which every answer is a canary."""
    who = f"canary{number}@example.com"
    return lead(
        who,
        **{
            "email": email(who, typed=f"CANARY{number}@example.com"),
            "first_name": CANARY,
            "last_name": CANARY,
            "company": text("canary company"),
            "phones": (phone(f"+44{NUMBER}", typed=f"0{NUMBER}"),),
            "addresses": (address(CANARY, CANARY),),
            "labels": ("Lead",),
            "extended_fields": (field("Budget", CANARY),),
            **more,
        },
    )


def clean(shown: str) -> bool:
    return CANARY not in shown.lower() and NUMBER not in shown


def stored_outside_of_answers(database: Database) -> str:
    found = []
    with database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                found += [
                    f"{table.name}.{name}={value!r}"
                    for name, value in row._mapping.items()
                    if (table.name, name) not in HOLD_ANSWERS
                ]
    return "\n".join(found)


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("createContact", {"kind": "cut_after"}),
    ("createContact", {"kind": "truncate"}),
    ("createContact", {"kind": "bad_gateway_html"}),
    ("createContact", {"kind": "status", "status": 400, "code": "BAD_THING"}),
    ("createContact", {"kind": "status", "status": 409, "code": "DUPLICATE_CONTACT_EXISTS"}),
    ("updateContact", {"kind": "cut_before"}),
    ("queryContacts", {"kind": "status", "status": 500}),
    ("queryContacts", {"kind": "status", "status": 429, "retry_after": 3}),
    ("queryContacts", {"kind": "status", "status": 401}),
]


@pytest.mark.parametrize(("operation", "fault"), FAULTS)
def test_no_answer_leaves_the_submission_whatever_goes_wrong(
    both_worlds: World, operation: str, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    world = both_worlds
    caplog.set_level(logging.DEBUG)
    world.site.add(emails=items({"email": "Canary1@EXAMPLE.com"}))
    world.site.fault(operation=operation, times=1, **fault)
    ids = [world.keep(secret(number), key=f"{CANARY}{number}") for number in range(3)]
    for _ in range(4):
        world.drain()
        world.clock.turn(GRACE)
    assert all(world.attempts(submission_id) for submission_id in ids)
    assert caplog.records
    shown = "\n".join(f"{each.name} {each.getMessage()}" for each in caplog.records)
    assert clean(shown + caplog.text)
    assert clean(stored_outside_of_answers(world.database))
    assert all(
        clean(repr(attempt)) for submission_id in ids for attempt in world.attempts(submission_id)
    )


def test_wixs_own_words_are_kept_for_the_owner_but_not_logged(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason may say what was wrong with a value; the log has code and path of the field."""
    caplog.set_level(logging.DEBUG)
    row = world.bring(secret(birthdate="canary date"))
    assert row["state"] == "failed"
    assert "info.birthdate" in row["reason"]
    assert "info.birthdate" in caplog.text
    assert clean(caplog.text)
    words = row["reason"].split(": ")[-1]
    assert words not in caplog.text


def test_a_refusal_of_the_database_shows_no_answer(postgres: PostgresServer) -> None:
    sent = submission(secret(), key="canary" * 50)
    with postgres.database() as url:
        database = Database(url)
        with pytest.raises(DatabaseUnavailableError) as refused:
            keep(database, sent)
        assert clean(str(refused.value))
        database.close()


@pytest.mark.parametrize("key", ["canary" * 50, "canary\x00"])
def test_a_value_that_the_database_cannot_take_is_not_shown(database: Database, key: str) -> None:
    if database.is_sqlite:
        keep(database, submission(secret(), key=key))
        return
    with pytest.raises(DatabaseUnavailableError) as refused:
        keep(database, submission(secret(), key=key))
    assert clean(str(refused.value))


def test_a_key_that_came_before_is_refused_without_an_answer(database: Database) -> None:
    keep(database, submission(secret(), key="canary"))
    with pytest.raises(KeyReusedError) as refused:
        keep(database, submission(secret(), key="canary", answers={"a": CANARY}))
    assert clean(f"{refused.value!r} {refused.value} {refused.value.__cause__}")


def test_a_lead_that_is_refused_as_a_value_shows_no_answer() -> None:
    email = {"address": CANARY, "typed": CANARY, "tag": CANARY}
    with pytest.raises(InvalidLeadError) as refused:
        Lead.from_json({"form": "contact", "site": "main", "email": email})
    assert clean("".join(traceback.format_exception(refused.value)))
