"""@formspree/core in Node: its users change the endpoint, and nothing else."""

from typing import Any

import pytest

from tests.clients.installing import Clients
from tests.clients.serving import Served

Pairs = list[tuple[str, Any]]
GOOD: Pairs = [("name", "Ada Lovelace"), ("email", "ada@example.com")]
BOTH_WAYS = pytest.mark.parametrize("as_", ["FormData", "object"])
ANY_DATABASE = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def submit(clients: Clients, served: Served, pages: str) -> Any:
    def submit_(answers: Pairs, **changes: Any) -> dict[str, Any]:
        job = {"endpoint": served.endpoint, "form": "contact", "as": "object", "origin": pages}
        return clients.core(job | changes | {"answers": answers})

    return submit_


def errors(outcome: dict[str, Any]) -> tuple[list[str], dict[str, list[str]]]:
    """The codes of the form's errors, and those of each field."""
    assert outcome["kind"] == "error", outcome
    every = [*outcome["form"], *(error for _, found in outcome["fields"] for error in found)]
    assert all(error["message"] for error in every)
    return (
        [error["code"] for error in outcome["form"]],
        {name: [error["code"] for error in found] for name, found in outcome["fields"]},
    )


def test_these_are_the_clients_that_the_readme_speaks_of(clients: Clients) -> None:
    major = {name: clients.version(f"@formspree/{name}") for name in ("core", "react", "ajax")}
    assert {name: version.partition(".")[0] for name, version in major.items()} == {
        "core": "4",
        "react": "3",
        "ajax": "1",
    }


@BOTH_WAYS
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_submission_succeeds_and_is_kept(
    submit: Any, served: Served, as_: str, slash: str
) -> None:
    answers = [*GOOD, ("size", "12.5"), ("unknown", "x")]
    outcome = submit(answers, **{"as": as_, "endpoint": served.endpoint + slash})
    assert outcome["kind"] == "success"
    assert outcome["next"].startswith("http")
    assert outcome["next"].endswith("/f/contact/thanks")
    [kept] = served.answers()
    assert kept == {"name": "Ada Lovelace", "email": "ada@example.com", "size": 12.5}
    [(method, _, headers)] = served.seen
    assert method == "POST"
    assert headers["Formspree-Client"] == "@formspree/core@4.0.0"


def test_several_values_of_one_field_arrive_both_ways(submit: Any, served: Served) -> None:
    submit([*GOOD, ("extras", ["milk", "lemon"])])
    submit([*GOOD, ("extras", "milk"), ("extras", "lemon")], **{"as": "FormData"})
    assert [answers["extras"] for answers in served.answers()] == [["milk", "lemon"]] * 2


def test_numbers_and_booleans_of_an_object_are_taken(submit: Any, served: Served) -> None:
    assert submit([*GOOD, ("size", 3), ("_gotcha", False)])["kind"] == "success"
    assert served.answers()[0]["size"] == 3


@BOTH_WAYS
@ANY_DATABASE
def test_each_fault_comes_with_its_field_and_formsprees_code(
    submit: Any, served: Served, as_: str
) -> None:
    outcome = submit([("name", ""), ("email", "ada at example"), ("size", "big")], **{"as": as_})
    codes = {"name": ["REQUIRED_FIELD_EMPTY"], "email": ["TYPE_EMAIL"], "size": ["TYPE_NUMERIC"]}
    assert errors(outcome) == ([], codes)
    assert served.answers() == []


@BOTH_WAYS
@ANY_DATABASE
def test_what_is_missing_is_told_by_its_field(submit: Any, as_: str) -> None:
    missing = ["REQUIRED_FIELD_MISSING"]
    assert errors(submit([], **{"as": as_})) == ([], {"name": missing, "email": missing})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"form": "nope"}, "FORM_NOT_FOUND"),
        ({"form": "closed"}, "BLOCKED"),
        ({"origin": "https://www.example.org"}, "BLOCKED"),
        ({"origin": "null"}, "BLOCKED"),
        # Node sends no Origin of its own: whoever it is, no page of a listed site.
        ({"origin": None}, "BLOCKED"),
    ],
)
@ANY_DATABASE
def test_what_is_wrong_with_the_form_is_told_as_the_forms(
    submit: Any, served: Served, changes: dict[str, Any], code: str
) -> None:
    assert errors(submit(GOOD, **changes)) == ([code], {})
    assert served.answers() == []


@pytest.mark.parametrize("answers", [[*GOOD, ("size", ["1", "2"])], [*GOOD, ("x", "y" * 70_000)]])
@ANY_DATABASE
def test_what_formspree_has_no_code_for_still_has_its_message(
    submit: Any, served: Served, answers: Pairs
) -> None:
    assert errors(submit(answers)) == (["UNSPECIFIED"], {})
    assert served.answers() == []


def test_an_id_makes_a_repeated_submission_one(submit: Any, served: Served) -> None:
    answers = [*GOOD, ("_id", "0a1b2c")]
    assert submit(answers) == submit(answers)
    assert len(served.answers()) == 1
