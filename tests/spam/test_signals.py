"""The score: what raises a suspicion, how much, and what must never."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from formapp.spam.definition import QUARANTINE_AT
from formapp.spam.session import read_session
from formapp.spam.signals import Signal, score_of, suspicions

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def of(*texts: str, **more: object) -> set[Signal]:
    return set(suspicions(texts, **more))  # type: ignore[arg-type] # facts by name


LINK = "https://shop.example/a "

CONTENT = [
    ("", set()),
    ("My site is www.ada.example, see also https://ada.example/engine", set()),
    (LINK * 2, set()),
    (LINK * 3, {Signal.SOME_LINKS}),
    (LINK * 5, {Signal.SOME_LINKS}),
    (LINK * 6, {Signal.MANY_LINKS}),
    (LINK * 9, {Signal.MANY_LINKS}),
    (LINK * 10, {Signal.FLOOD_OF_LINKS}),
    ("HTTP://A.EXAMPLE Www.b.example https://c.example", {Signal.SOME_LINKS}),
    ("wWw.a.example http\u017f://b.example WWW.c.example", {Signal.SOME_LINKS}),
    # One address is one link, however it is written.
    ("https://www.a.example http://www.b.example", set()),
    ("ada@www.example.com bob@www.example.com c@www.example.com", set()),
    ("<script>alert(1)</script>", {Signal.SCRIPT}),
    ("< SCRIPT src=x>", {Signal.SCRIPT}),
    ("<img src=x onerror=alert(1)>", {Signal.SCRIPT, Signal.MARKUP}),
    ("javascript:alert(1)", {Signal.SCRIPT}),
    ("Is JavaScript: The Good Parts still in print?", {Signal.SCRIPT}),
    ("the description is missing", set()),
    ("[url=https://a.example]here[/url]", {Signal.BBCODE}),
    ("[URL]https://a.example[/URL]", {Signal.BBCODE}),
    ("[link=https://a.example]", {Signal.BBCODE}),
    ("the list [urls] of the sitemap", set()),
    ('<a href="https://a.example">here</a>', {Signal.ANCHOR}),
    ("<A\nTARGET=_blank HREF=x>", {Signal.ANCHOR}),
    ("<b>bold</b>", {Signal.MARKUP}),
    ("< / DIV >", {Signal.MARKUP}),
    ("a < b and b > c, 3 <p", {Signal.MARKUP}),
    ("x <3 you", set()),
    ("1 < 2, 2 > 1", set()),
]


@pytest.mark.parametrize(("text", "expected"), CONTENT, ids=[text[:30] for text, _ in CONTENT])
def test_what_a_text_says_against_itself(text: str, expected: set[Signal]) -> None:
    assert of(text) == expected


def test_links_are_counted_over_all_texts() -> None:
    assert of("https://a.example", "https://b.example", "https://c.example") == {Signal.SOME_LINKS}


@pytest.mark.parametrize("name", ["Win at https://a.example", "www.a.example"])
def test_a_web_address_is_nobodys_name(name: str) -> None:
    assert Signal.LINK_IN_NAME in of(name, names=(name,))


@pytest.mark.parametrize("name", ["Ada Lovelace", "O'Brien", "ada@example.com", "Dr. W. W. Wilson"])
def test_names_are_names(name: str) -> None:
    assert of(name, names=(name,)) == set()


@pytest.mark.parametrize(
    ("texts", "same"),
    [
        (("Great offer for you",) * 3, True),
        (("Great offer for you", "GREAT OFFER FOR YOU ", " great offer for you"), True),
        (("Great offer for you",) * 2, False),
        (("none",) * 5, False),
        (("",) * 5, False),
    ],
)
def test_the_same_text_in_several_fields(texts: tuple[str, ...], *, same: bool) -> None:
    assert (of(*texts) == {Signal.SAME_TEXT}) == same


@pytest.mark.parametrize(
    ("seconds", "fast"), [(None, False), (0.0, True), (1.9, True), (2.0, False), (3600.0, False)]
)
def test_a_person_needs_two_seconds(seconds: float | None, *, fast: bool) -> None:
    assert (of(seconds=seconds) == {Signal.FAST}) == fast


def test_a_program_that_tests_a_form_is_never_held_back_for_how_it_sends() -> None:
    found = suspicions((LINK * 2,), seconds=0.0, webdriver=True)
    assert found == [Signal.FAST, Signal.WEBDRIVER]
    assert score_of(found) < QUARANTINE_AT
    # Nor a text that tests whether a page escapes what it shows.
    for text in ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>"):
        hostile = suspicions((text,), seconds=0.0, webdriver=True)
        assert score_of(hostile) < QUARANTINE_AT


@pytest.mark.parametrize(
    "texts",
    [
        ("[url=https://a.example]pills[/url]",),
        (LINK * 10,),
        (f'<a href="https://a.example">buy</a> {LINK * 3}',),
        ("<script>x</script>", '<a href="https://a.example">'),
    ],
)
def test_plain_spam_is_held_back_by_its_content_alone(texts: tuple[str, ...]) -> None:
    assert score_of(suspicions(texts)) >= QUARANTINE_AT


def test_signals_come_in_the_order_of_the_table() -> None:
    text = LINK * 3 + "<script> [url=a] <a href=b> <b>"
    found = suspicions((text,) * 3, (LINK,), seconds=0.5, webdriver=True)
    alike = {Signal.SOME_LINKS, Signal.MANY_LINKS, Signal.FLOOD_OF_LINKS}
    assert found == [each for each in Signal if each not in alike - {Signal.MANY_LINKS}]


def test_no_reason_repeats_what_was_typed() -> None:
    found = suspicions(("secret-word <script>",), ("secret-word",))
    assert found
    assert all("secret-word" not in signal.reason for signal in found)


@pytest.mark.parametrize(
    "piece", ["<", "< ", "<" + " " * 9999, "<a ", "[ ", "[" + " " * 9999, "</ ", "onload ", "www."]
)
def test_no_text_takes_long_to_read(piece: str) -> None:
    text = (piece * 10_000)[:10_000]
    started = time.process_time()
    of(text, names=(text,))
    # It takes some milliseconds; a pattern that goes back and forth would take many seconds.
    assert time.process_time() - started < 1


def header(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def test_a_browser_tells_when_its_page_was_loaded_and_who_drives_it() -> None:
    loaded = NOW - timedelta(seconds=7)
    session = header({"loadedAt": loaded.timestamp() * 1000, "webdriver": True})
    assert read_session(session, NOW) == (7, True)
    assert read_session(session, loaded - timedelta(seconds=1)) == (None, True)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "no base64!",
        base64.b64encode(b"no json").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        header([]),
        header({"loadedAt": "x", "webdriver": "true"}),
        header({"loadedAt": True, "webdriver": 1}),
        header({"loadedAt": 1e300}),
        header({"loadedAt": 10**400}),
        header({"loadedAt": float("nan")}),
        header({"loadedAt": 1, "more": "x" * 2000}),
        "[" * 900,
    ],
)
def test_what_can_not_be_read_says_nothing(given: str) -> None:
    assert read_session(given, NOW) == (None, False)
