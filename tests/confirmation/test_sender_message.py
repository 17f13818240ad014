"""The mail that asks for a confirmation."""

import html
import re
from typing import Any

from formapp.confirmation.sender import write_message
from formapp.mail.message import Message, compose
from tests.support.clock import NOON

REQUEST: dict[str, Any] = {
    "subject": "Bitte bestätigen: „Grüße“",
    "text": "Erster Absatz.\n\nZweiter <b>Absatz</b>,\nzwei Zeilen.",
    "button": "Ja & gerne",
    "valid": "Gültig bis %(until)s.",
    "otherwise": "Sonst nichts tun.",
    "language": "de",
}
LINK = "https://forms.example.com/f/news/confirm?t=a.b-c_d&lang=de"


def request_mail() -> Message:
    return write_message(
        REQUEST,
        link=LINK,
        until=NOON,
        unique_id="id.1",
        sender="News <news@bücher.example>",
        to="ada@example.com",
    )


def test_the_mail_shows_the_stored_request_as_text_and_as_html() -> None:
    message = compose(request_mail(), NOON)
    plain, rich = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain
    assert rich
    text, page = plain.get_content(), rich.get_content()
    for line in ("Erster Absatz.", "zwei Zeilen.", LINK, "Gültig bis 2026-03-02 12:00 UTC."):
        assert line in text
        assert html.escape(line) in page
    assert "<b>" not in page
    assert re.findall(r'href="([^"]+)"', page) == [html.escape(LINK)]
    assert '<html lang="de"' in page
    assert message["Message-ID"] == "<id.1@xn--bcher-kva.example>"


def test_a_mail_that_is_sent_again_has_the_same_id() -> None:
    first, second = (compose(request_mail(), NOON)["Message-ID"] for _ in "12")
    assert first == second
