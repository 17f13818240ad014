"""A filled honeypot: answered like success to the last byte, kept out of sight."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.web.pages import Page
from tests.web.support import FULL, GOOD, Site


def shape(answer: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    own = {"Date", "X-Request-Id"}  # of every answer another
    headers = [header for header in answer.headers if header[0] not in own]
    return answer.status_code, headers, answer.data


@pytest.mark.parametrize("json", [True, False])
@pytest.mark.parametrize("next_page", [{}, {"_next": "https://www.example.com/thanks"}])
@pytest.mark.parametrize("own", [True, False])
def test_a_robot_gets_the_very_answer_of_a_person(
    site: Site, next_page: dict[str, Any], *, json: bool, own: bool
) -> None:
    post = site.post if own else site.foreign
    person = post(GOOD | next_page, json=json)
    robot = post(GOOD | next_page | {"_gotcha": "https://spam.example"}, json=json)
    assert shape(robot) == shape(person)
    assert [row.status for row in site.rows()] == ["accepted", "spam"]


def test_the_embedded_form_answers_robots_alike(site: Site) -> None:
    query = "?_use=embed&parent=https%3A%2F%2Fwww.example.com"
    person = site.post(GOOD, query=query)
    robot = site.post(GOOD | {"_gotcha": "x"}, query=query)
    assert shape(robot) == shape(person)


def test_spam_is_kept_as_it_came_without_a_delivery(site: Site) -> None:
    site.foreign(FULL | {"_gotcha": "x", "unknown": "y"})
    row = site.row()
    assert row.status == "spam"
    assert row.answers["extras"] == ["milk", "lemon"]
    assert row.answers["unknown"] == ["y"]
    assert (site.pending(), site.kept) == (0, [])


def test_an_invalid_post_of_a_robot_is_answered_like_success_too(site: Site) -> None:
    answer = site.post({"_gotcha": "x"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/f/lead/thanks")
    assert site.row().status == "spam"


@pytest.mark.parametrize("json", [True, False])
def test_the_same_catch_is_kept_once_and_another_with_its_key_beside_it(
    site: Site, *, json: bool
) -> None:
    caught = GOOD | {"_gotcha": "x", "_token": site.token()}
    answers = [site.post(caught, json=json) for _ in range(3)]
    other = site.post(caught | {"message": "pills"}, json=json)
    person = {name: text for name, text in caught.items() if name != "_gotcha"}
    answers += [other, site.post(person, json=json)]
    assert [shape(answer) for answer in answers] == [shape(answers[0])] * 5
    assert [row.status for row in site.rows()] == ["spam", "spam", "accepted"]
    assert site.rows()[1].answers["message"] == ["pills"]


def test_a_person_is_not_kept_from_sending_by_a_robot_with_their_key(site: Site) -> None:
    sent = GOOD | {"_token": site.token()}
    site.post(sent)
    assert site.post(sent | {"_gotcha": "x"}).status_code == 303
    assert site.post(sent).status_code == 303
    assert [row.status for row in site.rows()] == ["accepted", "spam"]


@pytest.mark.parametrize("empty", ["", "  ", False, None])
def test_a_person_leaves_it_empty_in_any_way(site: Site, empty: object) -> None:
    site.foreign(GOOD | {"_gotcha": empty}, json=True)
    assert site.row().status == "accepted"


def test_the_trap_on_our_page_is_out_of_the_way_of_people(site: Site) -> None:
    page = Page(site.get("/f/lead"))
    [trap] = [attrs for _, attrs in page.tags if attrs.get("name") == "_gotcha"]
    assert (trap["tabindex"], trap["autocomplete"]) == ("-1", "off")
    assert page.submit(site, **GOOD).status_code == 303
    assert site.row().status == "accepted"
