"""Trying a lead again, by the form file of today."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from formapp.db.database import Database
from formapp.db.tables import deliveries, submissions
from formapp.delivery.claims import Intent, intend
from formapp.delivery.results import Attempt, Result, finish, give_up, put_back
from formapp.forms.definition.parse import parse_form
from formapp.forms.form import compile_form
from formapp.lead import Lead
from formapp.leads import retry as replay
from formapp.leads.accept import Status, keep
from formapp.leads.anonymize import anonymize
from formapp.leads.errors import AlreadyDeliveredError, UnconfirmedError, UnknownSubmissionError
from formapp.leads.report import list_ids
from formapp.leads.retry import Remap, remap_by, retry_submission
from tests.support.claiming import claim_next
from tests.support.clock import NOON
from tests.support.formfiles import EMAIL
from tests.support.leads import PHONE, SITE, lead, phone, submission
from tests.support.world import World

LATER = NOON + timedelta(days=5)


def same(_form: str, _answers: Mapping[str, Any], _language: str | None) -> Lead | None:
    """The form's file is gone."""
    return None


def to(given: Lead) -> Remap:
    return lambda _form, _answers, _language: given


def attempt(result: str = "failed") -> Attempt:
    return Attempt(NOON, result, 1)


def failed(database: Database, intent: Intent | None = None, **more: Any) -> str:
    submission_id = keep(database, submission(lead(**more), form=more.get("form", "contact"))).id
    claim: Any = claim_next(database, [SITE], NOON)
    assert claim.submission_id == submission_id
    give_up(database, claim, attempt(), "why", intent)
    return submission_id


def row(database: Database, submission_id: str) -> Any:
    query = select(deliveries).where(deliveries.c.submission_id == submission_id)
    with database.read() as connection:
        return connection.execute(query).one()


def test_a_failed_lead_is_due_at_once_and_has_all_its_patience_again(database: Database) -> None:
    submission_id = failed(database)
    retry_submission(database, submission_id, same, LATER)
    found = row(database, submission_id)
    assert (found.state, found.due_at, found.created_at) == ("pending", LATER, LATER)
    assert (found.attempts, found.reason, found.finished_at) == (0, None, None)
    claim = claim_next(database, [SITE], LATER)
    assert claim is not None
    assert claim.tried_since is None


def test_what_was_tried_before_the_replay_uses_up_none_of_its_patience(database: Database) -> None:
    submission_id = keep(database, submission(lead())).id
    for at in (NOON, LATER):
        for minutes in range(2):
            tried = at + timedelta(minutes=minutes)
            claim: Any = claim_next(database, [SITE], tried)
            assert claim.tried_since == (at if minutes else None)
            spent = Attempt(tried, "retry", 1)
            due = tried + timedelta(minutes=1)
            put_back(database, claim, spent, due_at=due, reason="why")
        give_up(database, claim_next(database, [SITE], due), attempt(), "why")  # type: ignore[arg-type] # there is one
        retry_submission(database, submission_id, same, LATER)


def test_answers_are_read_again_in_the_language_of_their_page(database: Database) -> None:
    country = 'name = "country"\ntype = "text"\nlabel = "Land"\nto = "country"'
    german = '[texts.de]\ntitle = "T"\n[texts.de.fields]\n'
    german += 'email = { label = "E" }\ncountry = { label = "L" }\n'
    text = f'title = "T"\n[[fields]]\n{country}\n{EMAIL}\n{german}'
    form = compile_form("contact", parse_form("contact.toml", text))
    answers = {"email": "ann@example.com", "country": "Niederlande"}
    given = submission(lead(), answers=answers, meta={"language": "de"})
    submission_id = keep(database, given).id
    claim: Any = claim_next(database, [SITE], NOON)
    give_up(database, claim, attempt(), "why", None)
    retry_submission(database, submission_id, remap_by({"contact": form}, SITE), LATER)
    claim = claim_next(database, [SITE], LATER)
    assert [address.country for address in claim.lead.addresses] == ["NL"]


def test_its_lead_is_made_anew_from_the_answers_by_the_form_of_today(database: Database) -> None:
    submission_id = failed(database)
    asked: list[Any] = []
    given = lead("new@example.com", company="Barco", phones=(phone(),), site="second")

    def remap(form: str, answers: Mapping[str, Any], language: str | None) -> Lead:
        asked.append((form, dict(answers), language))
        return given

    retry_submission(database, submission_id, remap, LATER)
    answers = {"email": "ines.okafor@example.com", "message": "hello"}
    assert asked == [("contact", answers, None)]
    claim = claim_next(database, ["second"], LATER)
    assert claim is not None
    assert claim.lead == given
    found = row(database, submission_id)
    assert (found.email, found.phone, found.site) == ("new@example.com", PHONE, "second")


def test_a_lead_that_could_not_be_read_can_be_made_anew(database: Database) -> None:
    submission_id = keep(database, submission(lead())).id
    with database.write() as connection:
        connection.execute(submissions.update().values(lead={"of": "another version"}))
    assert claim_next(database, [SITE], NOON) is None
    retry_submission(database, submission_id, to(lead()), LATER)
    claim = claim_next(database, [SITE], LATER)
    assert claim is not None
    assert claim.lead == lead()


def test_what_is_unknown_of_a_write_stays_known(database: Database) -> None:
    intent = Intent("create", NOON)
    submission_id = failed(database, intent)
    retry_submission(database, submission_id, same, LATER)
    claim = claim_next(database, [SITE], LATER)
    assert claim is not None
    assert claim.intent == intent


def test_a_pending_lead_is_due_at_once_as_it_is(database: Database) -> None:
    submission_id = keep(database, submission(lead())).id
    claim: Any = claim_next(database, [SITE], NOON)
    due = NOON + timedelta(hours=1)
    put_back(database, claim, attempt("retry"), due_at=due, reason="why")
    retry_submission(database, submission_id, to(lead("new@example.com")), NOON)
    found = row(database, submission_id)
    assert (found.due_at, found.attempts, found.created_at) == (NOON, 1, NOON)
    again: Any = claim_next(database, [SITE], NOON)
    assert again.lead == lead()


def test_a_pending_lead_in_flight_stays_with_its_holder(database: Database) -> None:
    submission_id = keep(database, submission(lead())).id
    claim: Any = claim_next(database, [SITE], NOON)
    retry_submission(database, submission_id, same, NOON)
    assert claim_next(database, [SITE], NOON) is None
    intend(database, claim, Intent("create", NOON))


def test_a_delivered_lead_is_refused_and_stays_as_it_is(database: Database) -> None:
    submission_id = keep(database, submission(lead())).id
    claim: Any = claim_next(database, [SITE], NOON)
    finish(database, claim, attempt("delivered"), Result("created", "c1"))
    before = row(database, submission_id)
    with pytest.raises(AlreadyDeliveredError):
        retry_submission(database, submission_id, to(lead("new@example.com")), LATER)
    assert row(database, submission_id) == before


def test_what_waits_for_its_senders_confirmation_is_refused_as_such(database: Database) -> None:
    submission_id = keep(database, submission(lead(), status=Status.UNCONFIRMED)).id
    with pytest.raises(UnconfirmedError):
        retry_submission(database, submission_id, same, LATER)
    with database.write() as connection:
        anonymize(connection, [submission_id], LATER)
    with pytest.raises(AlreadyDeliveredError):
        retry_submission(database, submission_id, same, LATER)


@pytest.mark.parametrize("status", [Status.QUARANTINED, Status.SPAM])
def test_what_has_no_delivery_is_refused(database: Database, status: Status) -> None:
    submission_id = keep(database, submission(lead(), status=status)).id
    with pytest.raises(AlreadyDeliveredError):
        retry_submission(database, submission_id, same, LATER)


def test_an_unknown_id_is_told(database: Database) -> None:
    with pytest.raises(UnknownSubmissionError):
        retry_submission(database, "nothing", same, LATER)


def test_a_lead_that_is_delivered_while_it_is_replayed_stays_delivered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker may finish between the look and the write of the replay."""
    submission_id = keep(database, submission(lead())).id
    claim: Any = claim_next(database, [SITE], NOON)
    original = replay._make_due

    def finished_first(connection: Any, found: Any, *rest: Any) -> bool:
        connection.execute(deliveries.update().values(state="delivered", contact_id="c1"))
        return original(connection, found, *rest)

    monkeypatch.setattr(replay, "_make_due", finished_first)
    with pytest.raises(AlreadyDeliveredError):
        retry_submission(database, submission_id, same, LATER)
    monkeypatch.undo()
    finish(database, claim, attempt("delivered"), Result("created", "c1"))
    assert row(database, submission_id).state == "delivered"


def test_failed_ones_are_listed_oldest_first_and_by_form(database: Database) -> None:
    one = failed(database)
    two = failed(database, form="quote")
    keep(database, submission(lead("pending@example.com")))
    assert list_ids(database, "failed") == [one, two]
    assert list_ids(database, "failed", "quote") == [two]


def test_a_replayed_lead_reaches_wix_once_its_fault_is_mended(world: World) -> None:
    world.site.fault("status", "createContact", status=400, code="BAD", times=1)
    submission_id = world.keep(lead())
    world.drain()
    assert world.row(submission_id)["state"] == "failed"
    retry_submission(world.database, submission_id, to(lead(company="Barco")), world.clock())
    world.drain()
    assert world.row(submission_id)["outcome"] == "created"
    assert world.site.info()["company"] == "Barco"
    assert [each["result"] for each in world.attempts(submission_id)] == ["failed", "delivered"]
