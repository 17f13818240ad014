"""The `[notify]` and `[reply]` tables of a form file: what they take, and what they need."""

import pytest

from formapp.forms.definition.localize import in_language
from formapp.forms.definition.parse import parse_form
from tests.support.formfiles import EMAIL, faults_of

PHONE = '[[fields]]\nname = "phone"\ntype = "tel"\nlabel = "Phone"\nto = "phone"\n'
GERMAN = """
[texts.de]
title = "Neues"
fields.email.label = "E-Mail"
"""


def test_one_text_is_as_good_as_a_list() -> None:
    top = '[notify]\nemail = "Owner@Example.com"\nchat = "sales"\n'
    notify = parse_form("contact.toml", f'title = "T"\n{top}{EMAIL}').notify
    assert notify
    assert (notify.email, notify.chat, notify.every) == (("Owner@example.com",), ("sales",), "lead")
    more = top.replace('"Owner@Example.com"', '["a@example.com", "b@example.com", "a@example.com"]')
    notify = parse_form("contact.toml", f'title = "T"\n{more}{EMAIL}').notify
    assert notify
    assert notify.email == ("a@example.com", "b@example.com")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[notify]", "notify: has no receiver; give it email, webhook or chat"),
        ('[notify]\nwebhok = "x"', 'notify.webhok: is not a known key; did you mean "webhook"?'),
        (
            '[notify]\nemail = ["owner"]',
            'notify.email: "owner" is no e-mail address; write it like "owner@example.com"',
        ),
        ("[notify]\nemail = 3", "notify.email: should be an address in quotes, or a list of them"),
        (
            '[notify]\nemail = "a@example.com"\nevery = "weak"',
            'notify.every: "weak" is not known; use lead, hour or day',
        ),
        ('[notify]\nchat = true\nevery = "day"', "notify.every: is for mails, and there is no"),
        ('[notify]\nwebhook = "example.com"', "notify.webhook: is no web address; write it like"),
        ('[notify]\nwebhook = "http://example.com/x"', "notify.webhook: should be https: leads"),
        ('[notify]\nwebhook = "https://u:p@example.com"', "notify.webhook: has a user or password"),
        ('[notify]\nchat = ["Über"]', 'notify.chat: "Über" is no name; names of FORMAPP_NOTIFY'),
        ("[notify]\nchat = 1", "notify.chat: should be true, a name in quotes, or a list of them"),
        (
            '[reply]\ntext = "Hello {name}"',
            "reply.text: can't have {name}; {first_name} is the only placeholder",
        ),
        ('[reply]\ntext = "Hello\\n{first_name}"', "reply.text: can have {first_name} once, in a"),
        ('[reply]\nsubject = "For {first_name}"', "reply.subject: can't have {first_name}; only"),
        (
            '[reply]\nsubject = "a\\nBcc: b@example.com"',
            "reply.subject: should be one line of text",
        ),
        ('[reply]\nsender = "nobody"', "reply.sender: is no e-mail address; write it like"),
    ],
)
def test_a_fault_says_which_key_and_what_would_be_right(table: str, said: str) -> None:
    (fault,) = faults_of(f'title = "T"\n{table}\n{EMAIL}')
    assert fault.startswith(f"contact.toml: {said}")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "[::1]"])
def test_a_webhook_on_this_machine_needs_no_https(host: str) -> None:
    assert faults_of(f'title = "T"\n[notify]\nwebhook = "http://{host}/x"\n{EMAIL}') == []


def test_a_reply_needs_an_address() -> None:
    (fault,) = faults_of(f'title = "T"\n[reply]\n{PHONE}')
    assert fault.startswith("contact.toml: reply: needs an address to reply to")


def test_texts_of_a_reply_in_another_language_need_a_reply() -> None:
    texts = f'{GERMAN}reply.subject = "Danke"\n'
    (fault,) = faults_of(f'title = "T"\n{EMAIL}{texts}')
    assert fault.startswith("contact.toml: texts.de.reply: has nothing to say; the form has no")
    top = '[reply]\nsubject = "Thanks"\ntext = "Hello"\nsender = "a@example.com"\n'
    form = parse_form("contact.toml", f'title = "T"\n{top}{EMAIL}{texts}')
    reply = in_language(form, "de").reply
    assert reply
    # formapp's own German text replaces the missing one: no mail mixes two languages.
    assert (reply.subject, reply.text, reply.sender) == ("Danke", None, "a@example.com")
    own = in_language(form, "en").reply
    assert own
    assert own.subject == "Thanks"


def test_a_form_has_a_version_of_its_own_for_each_way_to_notify() -> None:
    tops = ("", '[notify]\nemail = "a@example.com"', '[notify]\nchat = ["a"]', "[reply]")
    versions = {parse_form("contact.toml", f'title = "T"\n{top}\n{EMAIL}').version for top in tops}
    assert len(versions) == len(tops)
