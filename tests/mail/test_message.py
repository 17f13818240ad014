"""Composing a message: its headers, and what can't be injected into them."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from formapp.mail.message import Message, compose, domain_of
from tests.support.clock import NOON

SUBJECT = "Bitte bestätigen: „Grüße“"
MESSAGE = Message("formapp@example.com", ("ada@example.com",), "Subject", "Text\n")


def message_with(**changed: Any) -> Message:
    return replace(MESSAGE, **changed)


def test_a_message_has_all_the_headers_of_one_that_no_person_wrote() -> None:
    message = compose(MESSAGE, datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert message["From"] == "formapp@example.com"
    assert message["To"] == "ada@example.com"
    assert message["Date"] == "Mon, 23 Nov 2026 12:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.com>")


def test_every_byte_of_it_is_ascii_whatever_it_says() -> None:
    message = compose(
        message_with(sender="News <news@bücher.example>", subject=SUBJECT, text="ö" * 2000), NOON
    )
    raw = message.as_bytes()
    assert raw.isascii()
    assert max(map(len, raw.splitlines())) <= 998
    assert message["Subject"] == SUBJECT
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
        compose(message_with(to=(wrong,)), NOON)


def test_a_sender_can_not_bring_a_header_along() -> None:
    message = compose(message_with(sender="a@example.com\r\nBcc: all@example.com"), NOON)
    assert message["From"] == "a@example.com"
    assert message["Bcc"] is None
    quoted = compose(message_with(sender='"a\r\nBcc: all@example.com" <a@example.com>'), NOON)
    assert quoted["Bcc"] is None
    assert not re.search(rb"^bcc", quoted.as_bytes(), re.MULTILINE | re.IGNORECASE)


def test_a_subject_can_not_bring_a_header_along() -> None:
    with pytest.raises(ValueError, match=r"linefeed|newline"):
        compose(Message("a@example.com", ("b@example.com",), "x\r\nBcc: c@example.com", ""), NOON)


def test_its_repr_shows_no_address() -> None:
    assert "ada@example.com" not in repr(MESSAGE)


def test_the_domain_of_a_sender_is_in_ascii() -> None:
    assert domain_of("Ä <a@bücher.example>") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("ann@example.com", "ann@example.com"),
        ("ann@b\u00fccher.example", "ann@xn--bcher-kva.example"),
        ("a..x@docomo.ne.jp", "a..x@docomo.ne.jp"),
        ("a.@ezweb.ne.jp", "a.@ezweb.ne.jp"),
    ],
)
def test_carriers_addresses_can_be_written(address: str, sent: str) -> None:
    [found] = compose(message_with(to=(address,)), NOON)["To"].addresses
    assert f"{found.username}@{found.domain}" == sent


@pytest.mark.parametrize("address", ["=?x?q?one?=@example.com", "=?utf-8?b?YQ==?=@example.com"])
def test_a_header_that_can_not_be_written_is_an_error_of_that_message(address: str) -> None:
    with pytest.raises(ValueError, match=r"encoded-word|can't be written"):
        compose(message_with(to=(address,)), NOON)
