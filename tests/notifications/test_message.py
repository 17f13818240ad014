"""What the mails say, and that no lead can make one say or do anything else."""

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest

from formapp.mail.message import Message, compose
from formapp.notifications.chat import chat_text
from formapp.notifications.message import (
    MOST_SHOWN,
    Envelope,
    plain_name,
    write_digest,
    write_lead,
    write_reply,
)
from formapp.notifications.webhook import body_of
from tests.support.notifying import accepted, form_of

OWNER = "owner@example.com"
ENVELOPE = Envelope("Forms <forms@example.com>", lambda: "https://forms.example.com/inbox/leads/")
NOTIFY = f'[notify]\nemail = "{OWNER}"'
HOSTILE = (
    '<script>alert(1)</script>"><img src=x onerror=alert(2)>\x00\x1b[31m\x07\r\nBcc: x@evil.test'
    '\u2028=HYPERLINK("http://evil.test")\u202egnp.exe\u2066\u202d @everyone <!channel>'
)


def mail(message: Message) -> EmailMessage:
    """The mail as a mailbox gets it."""
    return compose(message, datetime.now(UTC))


def lead_mail(top: str = NOTIFY, envelope: Envelope = ENVELOPE, **more: Any) -> Message:
    return write_lead(accepted(**more), form_of(top), OWNER, envelope)


def test_the_owner_reads_answers_by_label_what_is_missing_and_where_the_lead_is() -> None:
    message = lead_mail(
        answers={
            "name": "Ines Okafor",
            "email": "ines@example.com",
            "phone": "07400 123456",
            "phone.e164": "+447400123456",
            "budget": "l",
            "privacy": True,
            "gone": "from an older form file",
        },
        consents=[{"field": "privacy", "text": "I agree.", "at": "2026-03-02T12:00:00+00:00"}],
        notes=[{"code": "FILE_DROPPED", "value": "cv.pdf"}],
        unknown={"colour": ["red", "blue"]},
    )
    assert message.text == (
        "Ask us, 2026-03-02 12:00 UTC\n\n"
        "Name: Ines Okafor\n"
        "E-mail: ines@example.com\n"
        "Phone: 07400 123456 (+447400123456)\n"
        "Budget: more\n"
        "gone: from an older form file\n\n"
        "Left empty:\n  Message\n\n"
        "Agreed to:\n  I agree.\n\n"
        "Notes:\n  A file was sent, which forms don't take: it was dropped: “cv.pdf”\n\n"
        "Sent, but not in the form:\n  colour: red, blue\n\n"
        "Open in the inbox: https://forms.example.com/inbox/leads/0190-a\n\n"
        "Answer this e-mail to write to the sender.\n"
    )
    assert message.html
    for part in ("Ines Okafor", "more", "Left empty", 'href="https://forms.example.com/inbox'):
        assert part in message.html


def test_headers_are_those_of_a_good_mailer() -> None:
    sent = mail(lead_mail())
    assert sent["Reply-To"] == "ines@example.com"
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent["X-Auto-Response-Suppress"] == "All"
    assert sent["List-Id"] == "<contact.example.com>"
    assert sent["Subject"] == "New lead: Ask us: Ines Okafor"
    assert sent["Message-ID"] == mail(lead_mail())["Message-ID"]
    other = write_lead(accepted(), form_of(NOTIFY), "second@example.com", ENVELOPE)
    assert sent["Message-ID"] != mail(other)["Message-ID"]


def test_without_an_inbox_and_an_address_there_is_no_link_and_no_word_of_answering() -> None:
    message = lead_mail(envelope=Envelope("forms@example.com"), lead={})
    assert "inbox" not in message.text
    assert "Answer" not in message.text
    assert mail(message)["Reply-To"] is None


@pytest.mark.parametrize("address", ["jürgen@example.com", "x@example.com\r\nBcc: y@evil.test"])
def test_an_address_that_no_header_can_hold_is_left_out(address: str) -> None:
    sent = mail(lead_mail(lead={"email": {"address": address}}))
    assert sent["Reply-To"] is None
    assert sent["Bcc"] is None


def test_the_subject_of_the_page_comes_behind_the_forms_title() -> None:
    given = "Urgent\r\nBcc: x@evil.test\u202e" + "x" * 500
    sent = mail(lead_mail(meta={"_subject": given}))
    assert sent["Subject"].startswith("Ask us: Urgent Bcc: x@evil.testxxx")
    assert len(sent["Subject"]) < 170
    assert sent["Bcc"] is None


def test_the_mail_is_in_the_forms_language() -> None:
    message = lead_mail(f'language = "de"\n{NOTIFY}')
    assert message.subject == "Neue Anfrage: Ask us: Ines Okafor"
    assert message.html
    assert '<html lang="de" dir="ltr">' in message.html


class _Tags(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag, *(name for name, _ in attrs)]


def hostile_parts() -> dict[str, Any]:
    return {
        "answers": {"name": HOSTILE, "message": HOSTILE, HOSTILE: HOSTILE},
        "consents": [{"field": "privacy", "text": HOSTILE}],
        "notes": [{"code": "NOT_AN_OPTION", "field": "budget", "value": HOSTILE}],
        "unknown": {HOSTILE: HOSTILE},
        "meta": {"_subject": HOSTILE},
        "lead": {"first_name": {"value": HOSTILE}, "email": {"address": "ines@example.com"}},
    }


def hostile_mails() -> list[Message]:
    form = form_of(f"{NOTIFY}\n[reply]\ntext = 'Dear {{first_name}},'")
    lead = accepted(**hostile_parts())
    return [
        write_lead(lead, form, OWNER, ENVELOPE),
        write_digest([lead, lead], form, OWNER, ENVELOPE),
        write_reply(lead, form, "ines@example.com", "forms@example.com"),
    ]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_strangers_lead_is_harmless_in_every_mail(which: int) -> None:
    message = hostile_mails()[which]
    sent = mail(message)
    assert sent["Bcc"] is None
    assert message.html
    tags = _Tags()
    tags.feed(message.html)
    assert not {"script", "img", "onerror", "src"} & set(tags.found)
    for text in (message.subject, message.text, message.html):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", text)
    assert "\n" not in message.subject
    assert b"\x1b" not in sent.as_bytes()


def test_a_strangers_lead_calls_nobody_in_a_chat() -> None:
    title, text = chat_text(accepted(**hostile_parts()), form_of(NOTIFY), None)
    for call in ("@everyone", "<!channel", "\x1b", "\u202e", "\x00"):
        assert call not in title + text
    assert "<script>" in text  # as text: each service escapes its own format


def test_a_webhook_says_exactly_what_was_sent() -> None:
    body = body_of(accepted(**hostile_parts()), form_of(NOTIFY))
    assert b"\n" not in body
    assert b"\\u0000\\u001b[31m" in body


def test_a_digest_shows_each_lead_briefly_and_counts_the_rest() -> None:
    leads = [accepted(answers={"message": "x" * 900}) for _ in range(MOST_SHOWN + 2)]
    message = write_digest(leads, form_of(NOTIFY), OWNER, ENVELOPE)
    assert message.subject == "New leads (102): Ask us"
    assert message.text.count("== 2026-03-02 12:00 UTC, Ines Okafor") == MOST_SHOWN
    assert "x" * 299 + "…" in message.text
    assert "x" * 301 not in message.text
    assert "Leads that are not shown here: 2" in message.text


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("Ines", "Dear Ines,"),
        ("José María", "Dear José María,"),
        ("O\u2019Neil-Smith", "Dear O\u2019Neil-Smith,"),
        ("प्रिया", "Dear प्रिया,"),
        (None, "Hello,"),
        ("", "Hello,"),
        ("buy at evil.test", "Hello,"),
        ("http://evil", "Hello,"),
        ("call 0900", "Hello,"),
        ("click here and win now", "Hello,"),
        ("x" * 31, "Hello,"),
    ],
)
def test_a_reply_has_the_first_name_at_most(name: str | None, first: str) -> None:
    form = form_of('[reply]\nsubject = "Thanks"\ntext = "Dear {first_name},\\n\\nSoon more."')
    lead = accepted(lead={"first_name": {"value": name}} if name is not None else {})
    message = write_reply(lead, form, "ines@example.com", "forms@example.com")
    assert message.text == f"{first}\n\nSoon more.\n"
    assert (plain_name(name) or "") in message.text


def test_a_reply_answers_in_the_language_of_the_page() -> None:
    texts = '[texts.de]\ntitle = "Fragen"\n' + "".join(
        f'fields.{name}.label = "x"\n'
        for name in ("name", "email", "phone", "budget", "message", "privacy")
    )
    form = form_of("[reply]", behind=texts)
    german = write_reply(accepted(meta={"language": "de"}), form, "i@example.com", "f@example.com")
    assert german.text == (
        "Hallo Ines,\n\nvielen Dank für Ihre Nachricht. Wir melden uns bald bei Ihnen.\n"
    )
    sent = mail(german)
    assert sent["Auto-Submitted"] == "auto-replied"
    english = write_reply(accepted(meta={"language": "fr"}), form, "i@example.com", "f@example.com")
    assert english.subject == "We have received your message"
