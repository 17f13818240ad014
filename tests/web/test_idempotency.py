"""One submission, however often it is posted."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.web.pages import Page
from tests.web.support import FULL, GOOD, JSON, Site


def test_the_same_post_again_gives_the_same_answer_and_no_second_row(site: Site) -> None:
    posted = FULL | {"_token": site.token()}
    first, second = site.post(posted), site.post(posted)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"] == second.headers["Location"]
    assert (len(site.rows()), site.pending(), len(site.kept)) == (1, 1, 1)


@pytest.mark.parametrize(
    "address", ["/f/lead", "/f/lead/embed", "/f/lead?utm_source=x", "/f/lead/embed?scheme=dark"]
)
def test_a_page_never_posts_to_its_own_address(site: Site, address: str) -> None:
    # Browsers drop what is posted to from their cache; going back would find another token.
    assert Page(site.get(address)).action not in {address, None}


def test_pages_shown_twice_are_two_submissions(site: Site) -> None:
    site.post(GOOD)
    site.post(GOOD)
    assert len(site.rows()) == 2


def test_reloading_the_thank_you_page_sends_nothing(site: Site) -> None:
    thanks = site.post(GOOD).headers["Location"]
    site.get(thanks)
    site.get(thanks)
    assert len(site.rows()) == 1


def test_going_back_and_changing_an_answer_asks_before_a_second_submission(site: Site) -> None:
    page = Page(site.get("/f/lead"))
    assert page.submit(site, **FULL).status_code == 303
    answer = page.submit(site, **FULL | {"message": "what I forgot"})
    assert answer.status_code == 409
    assert len(site.rows()) == 1
    again = Page(answer)
    assert "already sent" in again.text
    assert again.sent["message"] == "what I forgot"
    assert again.sent["extras"] == ["milk", "lemon"]
    assert again.sent["_token"] != page.sent["_token"]
    assert again.submit(site).status_code == 303
    assert [row.answers["message"] for row in site.rows()] == [FULL["message"], "what I forgot"]


def test_programs_hear_of_other_answers_as_json(site: Site) -> None:
    posted = GOOD | {"_token": site.token()}
    site.post(posted)
    answer = site.post(posted | {"message": "other"}, json=True)
    assert answer.status_code == 409
    assert answer.json
    assert answer.json["errors"][0]["code"] == "KEY_REUSED"


@pytest.mark.parametrize("way", ["header", "field"])
def test_foreign_forms_name_their_post_themselves(site: Site, way: str) -> None:
    headers = {"Idempotency-Key": "order 17"} if way == "header" else {}
    answers = GOOD | ({"_id": "order 17"} if way == "field" else {})
    for _ in range(3):
        assert site.foreign(answers, **headers).status_code == 303
    assert len(site.rows()) == 1


def test_a_program_that_reuses_its_key_for_other_answers_is_refused(site: Site) -> None:
    headers = {"Idempotency-Key": "order 17"}
    site.foreign(GOOD, **headers)
    assert site.foreign(GOOD | {"message": "other"}, **headers, **JSON).status_code == 409


def test_a_form_that_sends_one_id_for_everybody_loses_no_lead(site: Site) -> None:
    answers = [GOOD, GOOD | {"email": "bob@example.com"}, GOOD | {"message": "other"}]
    for each in answers * 2:
        assert site.foreign(each | {"_id": "contact-form"}, **JSON).status_code == 200
    assert len(site.rows()) == 3


def test_an_id_of_a_form_never_meets_a_programs_key(site: Site) -> None:
    site.foreign(GOOD, **{"Idempotency-Key": "17"})
    site.foreign(GOOD | {"_id": "17"})
    assert len(site.rows()) == 2


def test_without_a_name_each_foreign_post_is_its_own(site: Site) -> None:
    site.foreign(GOOD)
    site.foreign(GOOD)
    assert len(site.rows()) == 2


def test_a_foreign_visitor_with_other_answers_goes_on_from_our_page(site: Site) -> None:
    key = {"Idempotency-Key": "17"}
    site.foreign(GOOD, **key)
    answer = site.foreign(GOOD | {"message": "other"}, **key)
    assert answer.status_code == 409
    page = Page(answer)
    assert page.sent["message"] == "other"
    assert page.submit(site).status_code == 303
    assert len(site.rows()) == 2


def test_a_name_belongs_to_its_form(site: Site) -> None:
    site.foreign(GOOD | {"_id": "17"}, form="lead")
    site.foreign(GOOD | {"_id": "17"}, form="anyone")
    assert len(site.rows()) == 2


def test_long_names_differ_to_their_last_character(site: Site) -> None:
    site.foreign(GOOD, **{"Idempotency-Key": "x" * 500 + "1"})
    site.foreign(GOOD, **{"Idempotency-Key": "x" * 500 + "2"})
    assert len(site.rows()) == 2
    assert all(len(row.key) <= 200 for row in site.rows())


def test_a_foreign_name_never_meets_a_token(site: Site) -> None:
    token = site.token()
    site.post(GOOD | {"_token": token})
    nonce = site.signer.read(token, "lead").nonce
    assert site.foreign(GOOD | {"_id": f"token:{nonce}"}).status_code == 303
    assert len(site.rows()) == 2


def test_fifty_posts_of_one_page_at_once_are_one_submission(site: Site) -> None:
    posted = FULL | {"_token": site.token()}
    together = threading.Barrier(50)

    def post(_number: int) -> tuple[int, str]:
        together.wait()
        answer = site.post(posted)
        return answer.status_code, answer.headers["Location"]

    with ThreadPoolExecutor(50) as pool:
        answers = set(pool.map(post, range(50)))
    assert answers == {(303, "/f/lead/thanks")}
    assert (len(site.rows()), site.pending(), len(site.kept)) == (1, 1, 1)


def test_fifty_different_posts_at_once_are_all_kept(site: Site) -> None:
    together = threading.Barrier(50)

    def post(number: int) -> int:
        together.wait()
        return site.post(GOOD | {"message": str(number)}).status_code

    with ThreadPoolExecutor(50) as pool:
        assert set(pool.map(post, range(50))) == {303}
    assert {row.answers["message"] for row in site.rows()} == set(map(str, range(50)))
