"""What a search finds is indexed after the visitor's commit, and never missed."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from formapp.db.database import Database
from formapp.db.tables import search_terms, submissions, unindexed
from formapp.lead import Lead
from formapp.leads import search_index
from formapp.leads.accept import Status, replace_lead
from formapp.leads.anonymize import anonymize
from formapp.leads.lead_filter import LeadFilter
from formapp.leads.mark_spam import mark_spam
from formapp.leads.same_person import list_others
from formapp.leads.search import count_leads, iterate_ids, list_leads
from formapp.leads.search_index import BATCH, beginnings_of, fold, index_all, index_batch, terms_of
from tests.support.clock import NOON
from tests.support.leads import lead, phone, submission
from tests.support.ledger import kept
from tests.support.processes import eventually


def stored(database: Database) -> tuple[set[tuple[str, str]], int]:
    """The indexed terms, and how many submissions wait for theirs."""
    with database.read() as connection:
        terms = {(row.submission_id, row.term) for row in connection.execute(select(search_terms))}
        return terms, len(connection.execute(select(unindexed)).all())


def test_a_search_is_for_twelve_words_at_most_each_once() -> None:
    words = [f"word{number:02}" for number in range(20)]
    assert beginnings_of(" ".join(words)) == [f"n{word}" for word in words[:12]]
    assert beginnings_of("ana b ANA ána") == ["nana", "nb"]
    assert len(beginnings_of("\ufdfa" * 200)) <= 12, "one sign that stands for many words"


def test_a_search_finds_what_was_stored_just_now(database: Database) -> None:
    one = kept(database, submission(lead("ada@example.com", first_name="Ada")))
    assert stored(database) == (set(), 1)
    wanted = LeadFilter(search="ada")
    assert [each.id for each in list_leads(database, wanted).leads] == [one]
    two = kept(database, submission(lead("ada@example.com", first_name="Ada")))
    assert count_leads(database, wanted).number == 2
    three = kept(database, submission(lead("ada@example.com", first_name="Ada")))
    assert [*iterate_ids(database, wanted)] == [three, two, one]
    four = kept(database, submission(lead("ada@example.com", first_name="Ada")))
    assert {each.id for each in list_others(database, four, None)[0]} == {one, two, three}
    assert stored(database)[1] == 0


def test_a_list_without_a_search_indexes_nothing(database: Database) -> None:
    kept(database, submission(lead()))
    assert len(list_leads(database, LeadFilter()).leads) == 1
    assert stored(database) == (set(), 1)


def test_a_batch_leaves_the_rest_to_the_next_one(database: Database) -> None:
    ids = [kept(database, submission(lead(f"p{i}@example.com"))) for i in range(BATCH + 1)]
    assert index_batch(database) is True
    assert stored(database)[1] == 1
    assert index_batch(database) is False
    assert index_batch(database) is False
    terms, waiting = stored(database)
    assert ({id_ for id_, _ in terms}, waiting) == (set(ids), 0)


def test_several_processes_at_once_index_each_lead_once(database: Database) -> None:
    ids = {kept(database, submission(lead(f"p{i}@example.com"))) for i in range(60)}
    threads = [threading.Thread(target=index_all, args=[database]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    terms, waiting = stored(database)
    assert {id_ for id_, term in terms if term.startswith("e")} == ids
    assert waiting == 0


def _erase(database: Database, submission_id: str) -> None:
    with database.write() as connection:
        anonymize(connection, [submission_id], NOON)


def _correct(database: Database, submission_id: str) -> None:
    with database.write() as connection:
        replace_lead(connection, submission_id, lead("new@example.com"))


def _waits_for_a_lock(database: Database) -> bool:
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with database.read() as connection:
        return bool(connection.scalar(query))


@pytest.mark.parametrize(("change", "terms"), [(_erase, set()), (_correct, {"enew@example.com"})])
def test_a_lead_that_changes_while_it_is_indexed_keeps_no_old_term(
    postgresql: Database,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Database, str], None],
    terms: set[str],
) -> None:
    one = kept(postgresql, submission(lead("old@example.com")))
    was_read, go_on = threading.Event(), threading.Event()

    def read_slowly(given: Lead) -> list[str]:
        was_read.set()
        assert go_on.wait(20)
        return terms_of(given)

    monkeypatch.setattr(search_index, "terms_of", read_slowly)
    with ThreadPoolExecutor(2) as pool:
        indexing: Future[bool] = pool.submit(index_batch, postgresql)
        assert was_read.wait(20)
        changing = pool.submit(change, postgresql, one)
        eventually(lambda: changing.done() or _waits_for_a_lock(postgresql))
        go_on.set()
        indexing.result(20)
        changing.result(20)
    index_all(postgresql)
    assert stored(postgresql) == ({(one, term) for term in terms}, 0)


def test_a_lead_of_an_earlier_version_is_left_out(database: Database) -> None:
    old = kept(database, submission(lead()))
    with database.write() as connection:
        connection.execute(update(submissions).values(lead={"odd": 1}))
    new = kept(database, submission(lead("new@example.com")))
    index_all(database)
    terms, waiting = stored(database)
    assert ({id_ for id_, _ in terms}, waiting) == ({new}, 0)
    assert old not in {id_ for id_, _ in terms}


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.QUARANTINED, Status.UNCONFIRMED])
def test_every_state_is_found(database: Database, status: Status) -> None:
    one = kept(database, submission(lead("ada@example.com"), status=status))
    found = list_leads(database, LeadFilter(search="ada@example.com")).leads
    assert [each.id for each in found] == [one]


def test_what_is_marked_as_spam_keeps_its_terms(database: Database) -> None:
    one = kept(database, submission(lead("ada@example.com"), status=Status.QUARANTINED))
    index_all(database)
    mark_spam(database, one, NOON + timedelta(days=1), by="ana")
    assert (one, "eada@example.com") in stored(database)[0]


def test_the_terms_of_a_lead() -> None:
    given = lead("ada@example.com", first_name="Ada", last_name="O-Brien Čapek", phones=(phone(),))
    terms = terms_of(given)
    assert {"nada", "no", "nbrien", "ncapek", "eada@example.com"} <= set(terms)
    assert [each[:3] for each in terms if each.startswith("p")] == [f"p{phone().e164[:-3:-1]}"]
    assert all(len(each) <= 100 for each in terms_of(lead("a" * 60 + "@" + "b" * 200 + ".com")))


def test_words_are_folded() -> None:
    assert fold("Ünï-Größe  ÉCOLE") == ["uni", "grosse", "ecole"]
