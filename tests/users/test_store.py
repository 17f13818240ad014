"""Users of the inbox: who they are, what ends their sessions."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import Type, extract_parameters

from formapp.db.database import Database
from formapp.users import store
from formapp.users.store import CHECKS, TooManyChecksError, User, UserError, Users, hash_password
from tests.support.passwords import STRONG

PASSWORD = "correct horse battery"
OWNERS = "the owner's password"


def test_without_a_password_or_a_user_there_is_nobody(database: Database) -> None:
    assert Users(database).is_empty()
    assert Users(database).list_all() == []
    assert not Users(database, OWNERS).is_empty()
    Users(database).add("ana", PASSWORD)
    assert not Users(database).is_empty()


def test_the_setting_alone_makes_one_owner(database: Database) -> None:
    users = Users(database, OWNERS)
    found = users.check_password("owner", OWNERS)
    assert found
    assert (found.name, found.role, found.sites, found.may_act) == ("owner", "owner", None, True)
    assert users.check_password("owner", PASSWORD) is None
    assert users.list_all() == [found]
    assert Users(database).find("owner") is None
    assert Users(database).check_password("owner", OWNERS) is None


def test_a_user_signs_in_with_their_own_password(database: Database) -> None:
    users = Users(database)
    users.add("ana", PASSWORD, role="reader", sites=("north",))
    found = users.check_password("ana", PASSWORD)
    assert found
    assert (found.role, found.sites, found.may_act) == ("reader", ("north",), False)
    for name, password in (("ana", OWNERS), ("ida", PASSWORD), ("ana", ""), ("", PASSWORD)):
        assert users.check_password(name, password) is None
    assert users.check_password("ana", "x" * 1025) is None


def test_letters_with_marks_are_typed_in_two_ways(database: Database) -> None:
    users = Users(database)
    users.add("ana", "gr\u00fcn wie Gras")
    assert users.check_password("ana", "gru\u0308n wie Gras")


def test_who_has_no_password_is_signed_in_by_a_proxy_alone(database: Database) -> None:
    users = Users(database)
    users.add("ana", None)
    assert users.check_password("ana", "") is None
    found = users.find("ana")
    assert found
    assert not found.has_password


CHANGES: dict[str, Callable[[Users, str], None]] = {
    "another password": lambda users, name: users.change_password(name, OWNERS),
    "signed out everywhere": lambda users, name: users.sign_out_everywhere(name),
    "removed": lambda users, name: users.remove(name),
}


@pytest.mark.parametrize("what", CHANGES)
def test_this_ends_all_sessions(database: Database, what: str) -> None:
    users = Users(database)
    users.add("ana", PASSWORD)
    users.add("ida", PASSWORD)
    before, others = users.find("ana"), users.find("ida")
    assert before
    assert before.stamp
    CHANGES[what](users, "ana")
    after = users.find("ana")
    assert after is None or after.stamp != before.stamp
    assert users.find("ida") == others


def test_the_owner_of_the_setting_signs_out_everywhere_as_well(database: Database) -> None:
    users = Users(database, OWNERS)
    stamps = []
    for _ in range(3):
        stamps.append((users.find("owner") or User("")).stamp)
        users.sign_out_everywhere("owner")
    assert len(set(stamps)) == 3
    assert Users(database).is_empty()
    other = Users(database, "another password").find("owner")
    assert other
    assert other.stamp not in stamps


@pytest.mark.parametrize(
    ("name", "password", "fault"),
    [
        ("ana", PASSWORD, "already"),
        ("owner", PASSWORD, "OWNER_PASSWORD"),
        ("", PASSWORD, "no name"),
        ("a b", PASSWORD, "no name"),
        ("a" * 65, PASSWORD, "no name"),
        ("ida", "too short", "too short"),
        ("ida", "x" * 1025, "too long"),
    ],
)
def test_what_is_refused_says_why(database: Database, name: str, password: str, fault: str) -> None:
    users = Users(database)
    users.add("ana", PASSWORD)
    with pytest.raises(UserError, match=fault):
        users.add(name, password)
    assert [user.name for user in users.list_all()] == ["ana"]


def test_what_is_not_there_is_not_changed(database: Database) -> None:
    users = Users(database, OWNERS)
    for name in ("ida", "owner"):
        with pytest.raises(UserError, match=r"there is no user|OWNER_PASSWORD"):
            users.remove(name)
        with pytest.raises(UserError, match=r"there is no user|OWNER_PASSWORD"):
            users.change_password(name, PASSWORD)


def test_a_stored_password_costs_who_guesses_64_mib_for_each_try() -> None:
    assert (STRONG.type, STRONG.memory_cost, STRONG.time_cost) == (Type.ID, 64 * 1024, 3)


def test_an_unknown_user_costs_the_same_check_as_a_known_one() -> None:
    unknown, known = (extract_parameters(each) for each in (store._DUMMY, hash_password(PASSWORD)))
    assert unknown == known


def test_few_passwords_are_checked_at_once_and_the_others_wait_their_turn(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work: set[int] = set()
    most = 0

    class Slow:
        def verify(self, _stored: str, _password: str) -> bool:
            nonlocal most
            at_work.add(threading.get_ident())
            most = max(most, len(at_work))
            time.sleep(0.02)
            at_work.remove(threading.get_ident())
            return True

    users = Users(database)
    users.add("ana", PASSWORD)
    monkeypatch.setattr(store, "_hasher", Slow())
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: users.check_password("ana", PASSWORD), range(24)))
    assert all(found)
    assert most == CHECKS


def test_a_check_without_a_turn_is_refused_not_run(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PATIENCE", 0.01)
    monkeypatch.setattr(store, "_checks", threading.BoundedSemaphore(1))
    users = Users(sqlite)
    users.add("ana", PASSWORD)
    with store._checks, pytest.raises(TooManyChecksError):
        users.check_password("ana", PASSWORD)
    assert users.check_password("ana", PASSWORD)
