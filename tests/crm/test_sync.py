"""Two-way sync between two systems in memory."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from formapp.crm import owner
from formapp.crm.model import FieldPair
from formapp.crm.sync import pass_once, sync_once
from formapp.crm.system import RefusedError
from formapp.db.database import Database
from formapp.db.tables import crm_links
from tests.crm.pairing import Pairing


@pytest.fixture
def pairing(sqlite: Database) -> Pairing:
    return Pairing(sqlite)


@pytest.fixture
def on_both_databases(database: Database) -> Pairing:
    return Pairing(database)


def test_what_is_new_on_one_side_is_created_on_the_other(on_both_databases: Pairing) -> None:
    pairing = on_both_databases
    pairing.start()
    wix_id = pairing.wix.put(first="Ada", email="ada@example.com", labels=["VIP"])
    crm_id = pairing.crm.put(given="Bob", email="bob@example.com", labels=["News"])
    assert pairing.sync() == 0
    (twin,) = [row for each, row in pairing.crm.rows.items() if each != crm_id]
    assert twin.values == {"given": "Ada", "email": "ada@example.com"}
    assert (twin.labels, twin.key) == ({"VIP"}, wix_id)
    (back,) = [row for each, row in pairing.wix.rows.items() if each != wix_id]
    assert back.values == {"first": "Bob", "email": "bob@example.com"}
    assert (back.labels, back.key) == ({"News"}, crm_id)
    pairing.forget_calls()
    assert pairing.sync() == 0
    assert pairing.writes == []
    assert pairing.wix.calls.count("get") == pairing.crm.calls.count("get") == 0
    assert (len(pairing.wix.rows), len(pairing.crm.rows)) == (2, 2)


def test_an_edit_arrives_at_the_other_side_once_and_in_few_calls(pairing: Pairing) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com", phone="+44 20 7946 0018")
    assert pairing.crm.rows[crm_id].values["phone"] == "+442079460018"
    pairing.crm.edit(crm_id, given="Ada B.", add=["VIP"])
    pairing.sync()
    assert pairing.wix.rows[wix_id].values["first"] == "Ada B."
    assert pairing.wix.rows[wix_id].labels == {"VIP"}
    assert pairing.wix.rows[wix_id].values["phone"] == "+44 20 7946 0018"
    assert pairing.wix.calls.count("get") + pairing.wix.calls.count("update") == 2
    pairing.forget_calls()
    pairing.sync()
    assert pairing.writes == []
    assert pairing.conflicts() == []


def test_both_sides_edits_of_one_field_are_a_conflict_that_a_rule_decides(
    pairing: Pairing,
) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", company="Acme", email="ada@example.com")
    pairing.wix.edit(wix_id, first="Ada W.", company="Acme W.")
    pairing.crm.edit(crm_id, given="Ada C.", org="Acme C.")
    pairing.sync()
    assert pairing.wix.rows[wix_id].values["first"] == "Ada W."
    assert pairing.crm.rows[crm_id].values["given"] == "Ada W."
    assert pairing.wix.rows[wix_id].values["company"] == "Acme C."
    found = {each.field: each for each in pairing.conflicts()}
    assert found.keys() == {"first", "company"}
    first, company = found["first"], found["company"]
    assert (first.lost_side, first.lost_value, first.kept_value) == ("crm", "Ada C.", "Ada W.")
    assert (company.lost_side, company.lost_value) == ("wix", "Acme W.")
    assert first.resolved
    assert owner.resolve(pairing.database, first.id, "crm", pairing.clock())
    pairing.sync()
    assert pairing.wix.rows[wix_id].values["first"] == "Ada C."
    assert pairing.crm.rows[crm_id].values["given"] == "Ada C."


@pytest.mark.slow
def test_several_workers_at_once_make_no_doubles(on_both_databases: Pairing) -> None:
    pairing = on_both_databases
    pairing.start()
    for number in range(8):
        pairing.wix.put(first="P", email=f"p{number}@example.com")
        pairing.crm.put(given="P", email=f"p{number}@example.com")
    pairing.clock.turn(hours=2)

    def work() -> None:
        session = pairing.session()
        for _ in range(60):
            pass_once(session)

    with ThreadPoolExecutor(3) as pool:
        for each in [pool.submit(work) for _ in range(3)]:
            each.result()
    assert pairing.sync() == 0
    assert (len(pairing.wix.rows), len(pairing.crm.rows)) == (8, 8)
    status = owner.status(pairing.database, "main", pairing.clock())
    assert (status.linked, status.held, status.due) == (8, 0, 0)


@pytest.mark.parametrize("keep", ["wix", "crm"])
def test_where_the_owner_is_asked_neither_side_changes_until_they_answer(
    pairing: Pairing, keep: str
) -> None:
    wix_id, crm_id = pairing.linked(title="Dr", email="ada@example.com")
    pairing.wix.edit(wix_id, title="Prof")
    pairing.crm.edit(crm_id, role="Dame")
    pairing.sync()
    pairing.sync()
    (asked,) = pairing.conflicts()
    assert not asked.resolved
    assert (asked.lost_value, asked.kept_value) == ("Dame", "Prof")
    assert pairing.wix.rows[wix_id].values["title"] == "Prof"
    assert owner.resolve(pairing.database, asked.id, keep, pairing.clock())  # type: ignore[arg-type] # a side
    pairing.sync()
    wanted = {"wix": "Prof", "crm": "Dame"}[keep]
    assert pairing.wix.rows[wix_id].values["title"] == wanted
    assert pairing.crm.rows[crm_id].values["role"] == wanted
    (answered,) = pairing.conflicts()
    assert answered.resolved
    assert answered.lost_value is None


def test_labels_and_sets_keep_what_was_added_and_lose_what_was_removed(pairing: Pairing) -> None:
    wix_id, crm_id = pairing.linked(email="ada@example.com", emails=("a@x.com", "b@x.com"))
    pairing.wix.edit(wix_id, add=["One"], emails=("b@x.com", "w@x.com"))
    pairing.crm.edit(crm_id, add=["Two"], mails=("a@x.com", "b@x.com", "c@x.com"))
    pairing.sync()
    both = {"One", "Two"}
    assert pairing.wix.rows[wix_id].labels == pairing.crm.rows[crm_id].labels == both
    wanted = ("b@x.com", "c@x.com", "w@x.com")
    assert pairing.wix.rows[wix_id].values["emails"] == wanted
    assert pairing.crm.rows[crm_id].values["mails"] == wanted
    pairing.wix.edit(wix_id, remove=["One"])
    pairing.crm.edit(crm_id, add=["Three"])
    pairing.sync()
    assert pairing.wix.rows[wix_id].labels == pairing.crm.rows[crm_id].labels == {"Two", "Three"}
    assert pairing.conflicts() == []


def test_a_blank_clears_only_where_it_is_asked_to(pairing: Pairing) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", title="Dr", email="ada@example.com")
    pairing.wix.edit(wix_id, first=None, title=None)
    pairing.sync()
    pairing.sync()
    assert pairing.crm.rows[crm_id].values == {"given": "Ada", "email": "ada@example.com"}
    assert pairing.wix.rows[wix_id].values == {"email": "ada@example.com"}
    pairing.crm.edit(crm_id, given="Ada B.")
    pairing.sync()
    assert pairing.wix.rows[wix_id].values["first"] == "Ada B."


@pytest.mark.parametrize(
    ("policy", "left", "labels"),
    [
        ("mark", True, {"Deleted in Wix"}),
        ("keep", True, set()),
        ("archive", True, set()),
        ("delete", False, set()),
    ],
)
def test_a_deletion_is_carried_over_by_policy(
    sqlite: Database, policy: str, *, left: bool, labels: set[str]
) -> None:
    pairing = Pairing(sqlite, deletes=policy)
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com")
    pairing.wix.remove(wix_id)
    pairing.sync()
    assert (crm_id in pairing.crm.rows) == left
    assert not left or pairing.crm.rows[crm_id].labels == labels
    assert pairing.crm.archived == ({crm_id} if policy == "archive" else set())
    if left:
        pairing.crm.edit(crm_id, given="Ada B.")
    pairing.sync()
    assert pairing.wix.rows == {}, "it is never created again"


def test_deleted_here_and_edited_there_stays_there_and_is_noted(pairing: Pairing) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", email="ada@example.com")
    pairing.crm.remove(crm_id)
    pairing.wix.edit(wix_id, first="Ada B.")
    pairing.sync()
    assert pairing.wix.rows[wix_id].labels == set()
    (noted,) = pairing.conflicts()
    assert (noted.field, noted.lost_side, noted.contact_id) == ("contact", "crm", wix_id)
    assert pairing.crm.rows == {}


@pytest.mark.slow
@pytest.mark.parametrize(("gone", "paused"), [(10, False), (11, True)])
def test_the_brake_stops_a_loss_of_many_records(
    pairing: Pairing, *, gone: int, paused: bool
) -> None:
    for number in range(30):
        pairing.wix.put(first="P", email=f"p{number}@example.com")
    pairing.start()
    for crm_id in list(pairing.crm.rows)[:gone]:
        pairing.crm.remove(crm_id)
    pairing.sync()
    found = owner.status(pairing.database, "main", pairing.clock())
    marked = [row for row in pairing.wix.rows.values() if row.labels]
    assert (found.state == "paused") == paused
    assert len(marked) == (0 if paused else gone)
    if not paused:
        return
    owner.resume(pairing.database, "main", pairing.clock())
    pairing.sync()
    assert owner.status(pairing.database, "main", pairing.clock()).state == "paused"
    owner.resume(pairing.database, "main", pairing.clock(), allow_deletes=gone)
    assert pairing.sync() == 0
    assert len([row for row in pairing.wix.rows.values() if row.labels]) == gone


def _change_silently(pairing: Pairing, side: str, record_id: str, name: str, value: str) -> None:
    """As a system does that raises no revision."""
    system = pairing.wix if side == "wix" else pairing.crm
    system.rows[record_id].values[name] = value


@pytest.mark.parametrize(
    ("side", "name", "twin"), [("wix", "first", "given"), ("crm", "org", "company")]
)
def test_a_change_that_no_system_mentions_is_found_once_a_day(
    pairing: Pairing, side: str, name: str, twin: str
) -> None:
    wix_id, crm_id = pairing.linked(first="Ada", company="Acme", email="ada@example.com")
    changed, other = (wix_id, crm_id) if side == "wix" else (crm_id, wix_id)
    _change_silently(pairing, side, changed, name, "Augusta")
    pairing.sync()
    assert pairing.writes == []
    pairing.clock.turn(hours=24)
    pairing.forget_calls()
    pairing.sync()
    assert pairing.writes == ["update"]
    system = pairing.crm if side == "wix" else pairing.wix
    assert system.rows[other].values[twin] == "Augusta"
    pairing.clock.turn(hours=24)
    pairing.forget_calls()
    pairing.sync()
    assert pairing.writes == []


def test_a_wrong_base_is_found_and_its_loser_kept_as_a_conflict(pairing: Pairing) -> None:
    wix_id, crm_id = pairing.linked(
        first="Ada", company="Acme", title="Dr", email="ada@example.com", emails=("a@example.com",)
    )
    pairing.wix.edit(wix_id, company="Bad base", emails=("b@example.com",))
    decider = pairing.session().digests
    with pairing.database.write() as connection:
        row = connection.execute(select(crm_links)).one()
        wrong = {
            **row.wix_base,
            "company": decider.text("company", "Bad base"),
            "emails": decider.items("emails", ["b@example.com"]),
        }
        connection.execute(update(crm_links).values(wix_base=wrong))
    pairing.sync()
    assert pairing.crm.rows[crm_id].values["org"] == "Acme"
    pairing.clock.turn(hours=24)
    pairing.sync()
    assert pairing.crm.rows[crm_id].values["org"] == "Bad base"
    both = ("a@example.com", "b@example.com")
    assert pairing.crm.rows[crm_id].values["mails"] == both
    assert pairing.wix.rows[wix_id].values["emails"] == both
    (conflict,) = pairing.conflicts()
    assert (conflict.field, conflict.lost_value) == ("company", "Acme")


def test_what_differs_for_good_reason_is_left_alone_by_the_daily_comparison(
    sqlite: Database,
) -> None:
    fields = (
        FieldPair("first", "given"),
        FieldPair("company", "org", direction="to_crm"),
        FieldPair("title", "role", wins="ask"),
        FieldPair("email", "email"),
    )
    pairing = Pairing(sqlite, fields=fields)
    wix_id, crm_id = pairing.linked(
        first="Ada", company="Acme", title="Dr", email="ada@example.com"
    )
    pairing.crm.edit(crm_id, org="Its own", given=None, role="Prof")
    pairing.wix.edit(wix_id, title="Dame")
    pairing.sync()
    for _ in range(2):
        pairing.clock.turn(hours=24)
        pairing.forget_calls()
        assert pairing.sync() == 0
        assert pairing.writes == []
        assert pairing.wix.calls.count("get") == 0
    assert [each.resolved for each in pairing.conflicts()] == [False]


class _KilledError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("mode", ["copy", "two-way"])
def test_syncing_once_waits_for_what_a_killed_process_was_creating(
    sqlite: Database, mode: str
) -> None:
    pairing = Pairing(sqlite, mode=mode)
    pairing.start()
    pairing.wix.put(first="Ada", email="ada@example.com")

    def kill(name: str) -> None:
        if name == "c.create":
            raise _KilledError

    pairing.crm.hook = kill
    with pytest.raises(_KilledError):
        pairing.sync()
    pairing.crm.hook = lambda _name: None
    assert sync_once(pairing.session()) == 0
    assert [row.values["given"] for row in pairing.crm.rows.values()] == ["Ada"]


@pytest.mark.parametrize("call", ["created", "updated"])
def test_what_is_refused_after_it_was_applied_is_recognized(pairing: Pairing, call: str) -> None:
    pairing.start()
    wix_id = pairing.wix.put(first="Ada", email="ada@example.com")
    if call == "updated":
        pairing.sync()
        pairing.wix.edit(wix_id, first="Ada B.")

    def refuse(name: str) -> None:
        if name == f"c.{call}":
            pairing.crm.hook = lambda _name: None
            raise RefusedError("its labels are refused", maybe_applied=True)

    pairing.crm.hook = refuse
    assert pairing.sync() == 1
    pairing.wix.edit(wix_id, first="Ada C.")
    pairing.sync()
    assert [row.values["given"] for row in pairing.crm.rows.values()] == ["Ada C."]
    assert pairing.conflicts() == []
