"""A letter on its way: what stands in it, and what can't get into it."""

import html
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from formapp.confirmation.message import write_letter
from formapp.mail.message import Message, compose, domain_of
from tests.support.clock import NOON

LETTER = Message("formapp@example.com", ("ada@example.com",), "Subject", "Text\n")
ASKED: dict[str, Any] = {
    "subject": "Bitte bestätigen: „Grüße“",
    "text": "Erster Absatz.\n\nZweiter <b>Absatz</b>,\nzwei Zeilen.",
    "button": "Ja & gerne",
    "valid": "Gültig bis %(until)s.",
    "otherwise": "Sonst nichts tun.",
    "language": "de",
}
LINK = "https://forms.example.com/f/news/confirm?t=a.b-c_d&lang=de"


def asked_letter(**changed: Any) -> Message:
    given = {"sender": "News <news@bücher.example>", "to": "ada@example.com", **changed}
    return write_letter(ASKED, link=LINK, until=NOON, submission_id="id.1", **given)


def test_a_message_has_all_the_headers_of_one_that_no_person_wrote() -> None:
    message = compose(LETTER, datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert message["From"] == "formapp@example.com"
    assert message["To"] == "ada@example.com"
    assert message["Date"] == "Mon, 23 Nov 2026 12:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.com>")


def test_every_byte_of_it_is_ascii_whatever_it_says() -> None:
    message = compose(asked_letter(), NOON)
    raw = message.as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) <= 998
    assert message["Subject"] == ASKED["subject"]
    assert message["From"].addresses[0].domain == "xn--bcher-kva.example"
    assert message["From"].addresses[0].display_name == "News"


@pytest.mark.parametrize(
    "wrong",
    [
        "ada@example.com\r\nBcc: all@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\x00",
        "no address",
    ],
)
def test_an_address_can_not_bring_a_header_or_another_address_along(wrong: str) -> None:
    with pytest.raises(ValueError, match="no e-mail address"):
        compose(asked_letter(to=wrong), NOON)


def test_a_sender_can_not_bring_a_header_along() -> None:
    message = compose(asked_letter(sender="a@example.com\r\nBcc: all@example.com"), NOON)
    assert message["From"] == "a@example.com"
    assert message["Bcc"] is None
    quoted = compose(asked_letter(sender='"a\r\nBcc: all@example.com" <a@example.com>'), NOON)
    assert quoted["Bcc"] is None
    assert not re.search(rb"^bcc", quoted.as_bytes(), re.MULTILINE | re.IGNORECASE)


def test_a_subject_can_not_bring_a_header_along() -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        compose(Message("a@example.com", ("b@example.com",), "x\r\nBcc: c@example.com", ""), NOON)


def test_the_letter_of_a_confirmation_says_what_was_written_down_as_text_and_as_html() -> None:
    message = compose(asked_letter(), NOON)
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


def test_the_same_letter_sent_again_has_the_same_id() -> None:
    first, second = (compose(asked_letter(), NOON)["Message-ID"] for _ in "12")
    assert first == second


def test_nobody_sees_a_letter_by_printing_it() -> None:
    assert "ada@example.com" not in repr(asked_letter())


def test_the_domain_of_a_sender_is_in_ascii() -> None:
    assert domain_of("Ä <a@bücher.example>") == "xn--bcher-kva.example"
