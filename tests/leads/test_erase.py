"""Erasing a person for good, by address or number, in whatever spelling."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import insert, select

from formapp.crm.conflicts import expire_conflicts
from formapp.crm.digests import PURPOSE, Digests
from formapp.crm.events import Event, read_events, store_event
from formapp.db.database import Database
from formapp.db.tables import crm_conflicts, crm_links, submissions
from formapp.db.upgrade import upgrade
from formapp.delivery.claims import ClaimLostError, Intent, intend
from formapp.delivery.results import Attempt, Result, finish
from formapp.leads.accept import Status, keep
from formapp.leads.erase import (
    Erasure,
    erase_again,
    erase_leads_of,
    erase_person,
    find_erasures,
    find_person,
    remember_erasures,
)
from formapp.leads.identity_search import parse_identities
from formapp.signing import Keyring
from tests.support.claiming import claim_next
from tests.support.clock import NOON
from tests.support.leads import EMAIL, PHONE, SITE, email, lead, phone, submission, text
from tests.support.ledger import (
    CONTACT,
    days_later,
    delivered,
    delivery_row,
    everything,
    failed,
    kept,
    rows,
    submission_row,
)

KEYRING = Keyring(["the secret key of today"])
DIGESTS = Digests(Keyring(["the secret key of today"], PURPOSE))
LATER = days_later(NOON, 1)
OTHER = "bo@example.net"


def _erase(database: Database, *who: str, keyring: Keyring = KEYRING) -> Erasure:
    return erase_person(database, who, keyring=keyring, now=LATER)


def _other(**answers: Any) -> Any:
    """Somebody else's submission."""
    return submission(lead(OTHER), answers={"email": OTHER, **answers})


def test_every_state_of_a_person_is_erased_at_once(database: Database) -> None:
    idents = {
        delivered(database, submission(lead(first_name="Ines"))): "delivered",
        failed(database, submission(lead(first_name="Ines"))): "failed",
        kept(database, submission(lead(), status=Status.QUARANTINED)): "quarantined",
        kept(database, submission(lead(None), status=Status.SPAM, answers={"x": [EMAIL]})): "spam",
        kept(database, submission(lead(first_name="Ines"))): "pending",
    }
    stays = kept(database, _other())
    done = _erase(database, EMAIL)
    assert {row.id: row.state for row in done.own} == idents
    held = everything(database)
    for trace in (EMAIL, "Ines", "ines is no name"):
        assert trace not in held
    assert submission_row(database, stays)["answers"] == {"email": OTHER}
    assert delivery_row(database, stays)["state"] == "pending"


def test_a_pending_delivery_is_cancelled_and_whoever_holds_it_loses_it(database: Database) -> None:
    submission_id = kept(database, submission(lead()))
    claim = claim_next(database, [SITE], LATER)
    assert claim
    intend(database, claim, Intent("create", LATER))
    done = _erase(database, EMAIL)
    assert done.own[0].in_flight
    row = delivery_row(database, submission_id)
    assert (row["state"], row["reason"], row["intent"]) == ("failed", "erased", None)
    with pytest.raises(ClaimLostError):
        intend(database, claim, Intent("create", LATER))
    attempt = Attempt(at=LATER, result="delivered", duration_ms=1)
    with pytest.raises(ClaimLostError):
        finish(database, claim, attempt, Result("created", CONTACT))
    assert rows(database, "contacts") == []
    assert claim_next(database, [SITE], days_later(LATER, 1)) is None


def test_one_that_only_waits_was_not_on_its_way(sqlite: Database) -> None:
    kept(sqlite, submission(lead()))
    assert not _erase(sqlite, EMAIL).own[0].in_flight


def test_the_contacts_at_wix_are_named_and_forgotten(database: Database) -> None:
    delivered(database, submission(lead()))
    delivered(database, submission(lead(), NOON + timedelta(minutes=1)), "another-contact")
    assert _erase(database, EMAIL).contacts == [(SITE, CONTACT), (SITE, "another-contact")]
    assert rows(database, "contacts") == []


def test_consents_go_too(sqlite: Database) -> None:
    consent = {"field": "privacy", "text": "I agree.", "at": NOON.isoformat()}
    submission_id = delivered(sqlite, submission(lead(), consents=[consent]))
    _erase(sqlite, EMAIL)
    assert submission_row(sqlite, submission_id)["consents"] == []


@pytest.mark.parametrize(
    "typed",
    [EMAIL, "Ines.Okafor@Example.COM", f" {EMAIL} ", f"<{EMAIL}>", f"mailto:{EMAIL}"],
)
def test_an_answer_that_is_the_address_makes_the_lead_theirs_mapped_or_not(
    sqlite: Database, typed: str
) -> None:
    given = submission(lead(None, phones=(phone(),)), answers={"phone": PHONE, "second": typed})
    submission_id = kept(sqlite, given)
    done = _erase(sqlite, EMAIL)
    held = everything(sqlite).lower()
    assert EMAIL not in held
    whole = typed.strip().lower() == EMAIL
    assert [row.id for row in done.own] == ([submission_id] if whole else [])
    assert done.redacted == ([] if whole else [submission_id])


@pytest.mark.parametrize(
    "typed",
    ["+44 20 7946 0018", "020 7946 0018", "(020) 79460018", "0044 20 7946-0018"],
)
def test_a_number_is_found_however_it_was_typed(database: Database, typed: str) -> None:
    given = lead(None, phones=(phone(typed=typed),))
    answers = {"phone": typed, "phone.e164": PHONE}
    submission_id = delivered(database, submission(given, answers=answers))
    done = _erase(database, PHONE)
    assert [row.id for row in done.own] == [submission_id]
    held = everything(database)
    assert "7946" not in held


@pytest.mark.parametrize("erased", ["x11", "ext. 11", "Durchwahl 11", "x12", ""])
def test_a_number_with_an_extension_is_one_person(sqlite: Database, erased: str) -> None:
    """Others at the same switchboard stay, and so does who gave no extension."""
    people = {}
    for extension in ("11", "12", ""):
        typed = f"020 7946 0018 x{extension}" if extension else "020 7946 0018"
        given = lead(None, phones=(phone(typed=typed, extension=extension),))
        answers = {"phone": typed, "phone.e164": given.phone_identity}
        people[extension] = delivered(sqlite, submission(given, answers=answers))
    done = _erase(sqlite, *parse_identities(None, f"+44 20 7946 0018 {erased}"))
    assert [row.id for row in done.own] == [people[erased[-2:]]]
    assert done.redacted == []


def test_a_second_number_of_a_lead_counts_as_well(sqlite: Database) -> None:
    second = phone("+442079460999")
    submission_id = delivered(sqlite, submission(lead(phones=(phone(), second))))
    assert [row.id for row in _erase(sqlite, "+442079460999").own] == [submission_id]


def test_where_somebody_else_mentions_the_person_the_mention_is_struck_out(
    database: Database,
) -> None:
    message = f"Please write to {EMAIL.upper()}, or ring 020 7946 0018. Thanks!"
    given = lead(OTHER, company=text(f"friends of {EMAIL}"), phones=(phone("+442079460111"),))
    kept_by_other = submission(
        given,
        answers={"email": OTHER, "message": message, "topics": ["a", f"via {EMAIL}"]},
        meta={"page": "https://a.example/?m=ines.okafor%40example.com&x=1", "utm": {}},
        key="token:1",
    )
    submission_id = kept(database, kept_by_other)
    done = _erase(database, EMAIL, PHONE)
    assert (done.own, done.redacted) == ([], [submission_id])
    row = submission_row(database, submission_id)
    assert row["answers"] == {
        "email": OTHER,
        "message": "Please write to [erased], or ring [erased]. Thanks!",
        "topics": ["a", "via [erased]"],
    }
    assert row["meta"]["page"] == "https://a.example/?m=[erased]&x=1"
    assert row["lead"]["company"]["value"] == "friends of [erased]"
    # A digest of the answers would still tell whoever guesses the address.
    assert (row["digest"], row["key"], row["erased_at"]) == ("", None, None)
    assert delivery_row(database, submission_id)["state"] == "pending"
    assert claim_next(database, [SITE], LATER)
    assert "7946 0018" not in everything(database)


@pytest.mark.parametrize(
    "sent",
    [
        {"unknown": {"second_mail": EMAIL.upper()}},
        {"unknown": {"others": ["x", EMAIL]}},
        {"unknown": {EMAIL: "on"}},
        {"unknown": {"tel": "+44 20 7946 0018"}},
        {"notes": [{"code": "NOT_AN_OPTION", "field": "team", "value": EMAIL}]},
    ],
)
def test_unknown_fields_and_notes_are_the_persons_own_and_go(
    database: Database, sent: dict[str, Any]
) -> None:
    submission_id = delivered(database, msgspec.structs.replace(_other(message="hello"), **sent))
    done = _erase(database, EMAIL, PHONE)
    assert [row.id for row in done.own] == [submission_id]
    row = submission_row(database, submission_id)
    assert (row["unknown"], row["notes"]) == (None, None)
    assert "7946" not in everything(database)


def test_a_mention_in_unknown_fields_and_notes_is_struck_out(database: Database) -> None:
    sent = msgspec.structs.replace(
        _other(),
        unknown={f"of {EMAIL}": f"see {EMAIL}", "tags": ["a", f"via {EMAIL}"]},
        notes=[{"code": "FILE_DROPPED", "field": "cv", "value": f"letter of {EMAIL} (1).pdf"}],
    )
    submission_id = kept(database, sent)
    assert _erase(database, EMAIL).redacted == [submission_id]
    row = submission_row(database, submission_id)
    assert row["unknown"] == {"of [erased]": "see [erased]", "tags": ["a", "via [erased]"]}
    assert EMAIL not in everything(database)


def test_people_with_similar_addresses_are_left_alone(database: Database) -> None:
    for address in (f"x{EMAIL}", f"{EMAIL}.uk", "ines@example.com", "ines.okafor@example.org"):
        kept(database, submission(lead(address), answers={"email": address}))
    done = _erase(database, EMAIL)
    assert (done.own, done.redacted) == ([], [])
    assert f"x{EMAIL}" in everything(database)


def test_leads_with_the_same_number_are_named_for_the_owner_to_decide(sqlite: Database) -> None:
    delivered(sqlite, submission(lead(phones=(phone(),))))
    alone = delivered(sqlite, submission(lead(None, phones=(phone(),)), answers={"phone": PHONE}))
    assert _erase(sqlite, EMAIL).same_phone == [alone]


def test_looking_changes_nothing(sqlite: Database) -> None:
    own = delivered(sqlite, submission(lead()))
    mention = kept(sqlite, _other(message=f"see {EMAIL}"))
    before = everything(sqlite)
    hits, _ = find_person(sqlite, {EMAIL})
    assert (hits.own, hits.mention) == ([own], [mention])
    assert everything(sqlite) == before


def test_what_stays_is_a_keyed_hash_that_names_nobody(sqlite: Database) -> None:
    delivered(sqlite, submission(lead()))
    _erase(sqlite, EMAIL)
    (row,) = rows(sqlite, "erasures")
    assert row == {
        "hash": KEYRING.sign(EMAIL),
        "key": KEYRING.names[0],
        "erased_at": LATER,
    }
    assert len(row["hash"]) == 64
    assert Keyring(["another secret key"]).sign(EMAIL) != row["hash"]


def _again(database: Database, keyring: Keyring = KEYRING) -> Erasure:
    with database.write() as connection:
        return erase_again(connection, keyring, days_later(LATER, 9))


def _restore(database: Database, backup: list[dict[str, Any]]) -> None:
    with database.write() as connection:
        connection.execute(submissions.delete())
        connection.execute(insert(submissions), backup)


def test_what_a_back_up_brings_back_is_erased_again(database: Database) -> None:
    delivered(database, submission(lead(first_name="Ines")))
    kept(database, _other(message=f"see {EMAIL}"))
    backup = rows(database, "submissions")
    _erase(database, EMAIL)
    _restore(database, backup)
    assert EMAIL in everything(database)
    done = _again(database)
    assert (len(done.own), len(done.redacted)) == (1, 1)
    held = everything(database)
    assert EMAIL not in held
    assert "Ines" not in held
    assert _again(database) == Erasure()


def test_hashes_from_elsewhere_erase_too_and_the_later_time_holds(database: Database) -> None:
    delivered(database, submission(lead()))
    _erase(database, EMAIL)
    with database.read() as connection:
        known = find_erasures(connection)
    elsewhere = delivered(database, submission(lead(), NOON))
    with database.write() as connection:
        remember_erasures(connection, known)
        remember_erasures(connection, [replace(known[0], erased_at=NOON - timedelta(days=9))])
    with database.read() as connection:
        assert find_erasures(connection) == known
    assert [row.id for row in _again(database).own] == [elsewhere]


def test_whoever_sends_a_form_anew_is_welcome(database: Database) -> None:
    delivered(database, submission(lead()))
    _erase(database, EMAIL)
    anew = keep(database, submission(lead(), LATER + timedelta(seconds=1))).id
    assert _again(database) == Erasure()
    assert submission_row(database, anew)["answers"]["email"] == EMAIL
    claim = claim_next(database, [SITE], days_later(LATER, 1))
    assert claim
    assert claim.submission_id == anew


def test_after_a_rotation_the_old_key_still_knows_who_was_erased(database: Database) -> None:
    old, new = "the secret key of old", "the secret key of today"
    delivered(database, submission(lead()))
    backup = rows(database, "submissions")
    _erase(database, EMAIL, keyring=Keyring([old]))
    _restore(database, backup)
    assert _again(database, Keyring([new])) == Erasure()
    assert len(_again(database, Keyring([new, old])).own) == 1


def test_a_remembered_contact_that_came_back_is_forgotten_again(sqlite: Database) -> None:
    delivered(sqlite, submission(lead()))
    with sqlite.read() as connection:
        backup = [dict(r) for r in connection.exec_driver_sql("SELECT * FROM contacts").mappings()]
    _erase(sqlite, EMAIL)
    with sqlite.write() as connection:
        for row in backup:
            connection.exec_driver_sql(
                "INSERT INTO contacts VALUES"
                " (:site, :identity, :contact_id, :updated_at, :revision)",
                row,
            )
    assert _again(sqlite).contacts == [(SITE, CONTACT)]
    assert rows(sqlite, "contacts") == []


def test_an_erased_person_is_not_in_the_files_of_sqlite_either(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'formapp.db'}")
    # As `db upgrade` made it.
    from_other_process = Database(str(database.url))
    upgrade(from_other_process)
    delivered(database, submission(lead(email=email(typed=EMAIL.upper()), first_name="Inesita")))
    delivered(database, _other())
    assert EMAIL.encode() in _bytes(tmp_path)
    _erase(database, EMAIL)
    left = _bytes(tmp_path)
    for trace in (EMAIL, EMAIL.upper(), "Inesita"):
        assert trace.encode() not in left
    assert OTHER.encode() in left
    from_other_process.close()
    database.close()


def _bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_the_text_form_of_a_keyring_shows_no_key() -> None:
    assert "secret" not in repr(KEYRING) + str(vars(KEYRING))
    with pytest.raises(ValueError, match="needs a secret"):
        Keyring([])


# Conflicts of CRM books


def _conflict(database: Database, email: str, at: datetime) -> None:
    """A conflict about a person, with the digest that the book's engine stores."""
    with database.write() as connection:
        link = insert(crm_links).values(book="main", state="linked").returning(crm_links.c.id)
        row = {"link_id": connection.execute(link).scalar_one(), "field": "company"}
        row |= {"side": "crm", "value": "Barco", "at": at, "resolved": False}
        row["persons"] = DIGESTS.persons([email])
        connection.execute(insert(crm_conflicts), row)


def _conflicts(database: Database) -> list[list[str]]:
    with database.read() as connection:
        return [row.persons for row in connection.execute(select(crm_conflicts))]


def test_the_conflicts_of_a_person_are_erased_by_their_digests(database: Database) -> None:
    _conflict(database, EMAIL, NOON)
    _conflict(database, OTHER, NOON)
    assert find_person(database, {EMAIL}, DIGESTS)[1] == 1
    erasure = erase_person(database, {EMAIL}, keyring=KEYRING, now=LATER, digests=DIGESTS)
    assert erasure.conflicts == 1
    assert _conflicts(database) == [DIGESTS.persons([OTHER])]


def test_conflicts_from_before_an_erasure_do_not_come_back_with_a_back_up(
    database: Database,
) -> None:
    _erase(database, EMAIL)
    _conflict(database, EMAIL, NOON)
    _conflict(database, OTHER, days_later(LATER, 1))
    with database.write() as connection:
        erase_again(connection, KEYRING, days_later(LATER, 2))
    assert _conflicts(database) == [DIGESTS.persons([OTHER])]


def test_what_another_system_posted_of_a_person_is_erased_before_it_is_worked_off(
    database: Database,
) -> None:
    contents = ({"mail": EMAIL.upper()}, {"all": [OTHER, 7]}, {"all": [PHONE]}, None)
    with database.write() as connection:
        for number, content in enumerate(contents):
            event = Event(
                "crm:shop", f"msg_{number}", "updated", str(number), NOON, content=content
            )
            assert store_event(connection, event)
    _erase(database, EMAIL, PHONE)
    with database.read() as connection:
        kept = [each.content for each in read_events(connection, "crm:shop", 0)]
    assert kept == [None, contents[1], None, None]


def test_an_erasure_from_the_inbox_reaches_crm_books_as_well(database: Database) -> None:
    mine = kept(database, submission(lead(EMAIL)))
    _conflict(database, EMAIL, NOON)
    _conflict(database, OTHER, NOON)
    with database.write() as connection:
        for number, address in enumerate((EMAIL, OTHER)):
            content = {"mail": address}
            store_event(
                connection,
                Event("crm:shop", f"msg_{number}", "updated", "1", NOON, content=content),
            )
    erase_leads_of(database, mine, keyring=KEYRING, digests=DIGESTS, now=LATER, by="ana")
    assert _conflicts(database) == [DIGESTS.persons([OTHER])]
    with database.read() as connection:
        contents = [each.content for each in read_events(connection, "crm:shop", 0)]
    assert contents == [None, {"mail": OTHER}]


def test_conflicts_expire_with_answers(database: Database) -> None:
    _conflict(database, EMAIL, NOON)
    assert expire_conflicts(database, 90, days_later(NOON, 89)) == 0
    assert expire_conflicts(database, 90, days_later(NOON, 90)) == 1
    assert _conflicts(database) == []
    assert [row["due_at"] for row in rows(database, "crm_links")] == [days_later(NOON, 90)]
