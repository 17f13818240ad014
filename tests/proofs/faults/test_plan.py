from itertools import islice

from tests.proofs.faults.people import draw_lead, person
from tests.proofs.faults.plan import rounds, weather, web_kills, worker_kills
from tests.proofs.faults.seams import WEB_STEPS, WORKER_STEPS


def test_a_seed_gives_one_plan() -> None:
    assert list(rounds(7, 900, ["sqlite"])) == list(rounds(7, 900, ["sqlite"]))
    assert list(islice(worker_kills("7", 0), 50)) == list(islice(worker_kills("7", 0), 50))
    assert list(islice(worker_kills("7", 0), 50)) != list(islice(worker_kills("8", 0), 50))
    assert draw_lead("7", 1, 30) == draw_lead("7", 1, 30)


def test_databases_take_turns_and_all_kills_are_dealt_out() -> None:
    dealt = list(rounds(7, 900, ["sqlite", "postgresql"]))
    assert sum(each.kills for each in dealt) == 900
    assert [each.database for each in dealt[:3]] == ["sqlite", "postgresql", "sqlite"]


def test_every_step_has_its_turn() -> None:
    planned = {kill.step for kill in islice(worker_kills("7", 0), 80)}
    assert planned >= set(WORKER_STEPS)
    assert {kill.step for kill in islice(web_kills("7"), 60)} >= set(WEB_STEPS)


def test_the_query_or_the_check_of_wix_sees_a_contact_within_the_grace_period() -> None:
    """The condition of the promise: beyond it, one contact can't be held by anybody."""
    for number in range(50):
        switches = weather(f"7:{number}").sandbox
        assert min(switches["query_delay"], switches["duplicate_blind_window"]) <= 20


def test_several_leads_are_of_one_person_and_spelled_differently() -> None:
    leads = [draw_lead("7", 0, number) for number in range(300)]
    typed: dict[str, set[str]] = {}
    for lead in leads:
        if lead.email:
            typed.setdefault(lead.email, set()).add(lead.posted["email"])
    assert max(len(spellings) for spellings in typed.values()) > 2
    assert any(lead.email is None for lead in leads)
    assert {lead.form for lead in leads} == {"plain", "quote", "ring"}


def test_some_people_share_a_phone() -> None:
    people = [person("7", number) for number in range(200)]
    phones = [who.phone for who in people if who.phone]
    assert len(set(phones)) < len(phones)
