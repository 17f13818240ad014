"""Links in an owner's texts: where they show as links, as words, and with their addresses."""

from textwrap import dedent

import pytest

from formapp.forms.definition.links import linked, plain, spelled_out, wrong_addresses
from formapp.forms.definition.parse import FormFilesError, parse_form

POLICY = "I agree to the [privacy policy](https://www.example.com/privacy?a=1&b=2)."


def test_a_link_is_html_on_pages_words_in_sentences_and_an_address_in_what_is_kept() -> None:
    assert linked(POLICY) == (
        'I agree to the <a href="https://www.example.com/privacy?a=1&amp;b=2">privacy policy</a>.'
    )
    assert 'target="_blank" rel="noopener"' in linked(POLICY, new_window=True)
    assert plain(POLICY) == "I agree to the privacy policy."
    assert spelled_out(POLICY) == (
        "I agree to the privacy policy (https://www.example.com/privacy?a=1&b=2)."
    )


@pytest.mark.parametrize(
    "text", ["no link", "[x]", "(https://a.example)", "a [b] (c)", "[](x)", "<b>&[a](<i>", "]("]
)
def test_other_brackets_stay_as_typed_and_markup_is_escaped(text: str) -> None:
    assert plain(text) == spelled_out(text) == text
    assert "<b>" not in linked(text)
    assert "<a" not in linked(text)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("https://www.example.com/a_b~c", True),
        ("http://example.com", True),
        ("HTTPS://example.com", True),
        ("mailto:ada@example.com", True),
        ("javascript:alert", False),
        ("data:text/html,x", False),
        ("/privacy", False),
        ("www.example.com", False),
        ("ftp://example.com", False),
        ('https://example.com/"onclick="x', False),
        ("mailto:", False),
        ("", False),
    ],
)
def test_links_lead_to_the_web_or_to_mail_alone(address: str, *, is_allowed: bool) -> None:
    assert list(wrong_addresses(f"see [this]({address})")) == ([] if is_allowed else [address])


FORM = dedent(
    """
    title = "T"
    intro = "[i](ftp://a.example)"
    [thanks]
    text = "[t](x)"
    [[fields]]
    name = "email"
    type = "email"
    label = "[l](javascript:1)"
    help = "[h](y)"
    to = "email"
    [texts.de]
    title = "T"
    intro = "[i](z)"
    [texts.de.fields.email]
    label = "[l](w)"
    """
)


def test_a_form_file_with_links_that_lead_elsewhere_has_a_fault_for_each() -> None:
    with pytest.raises(FormFilesError) as raised:
        parse_form("f.toml", FORM)
    keys = [fault.key for fault in raised.value.faults]
    assert sorted(keys) == [
        "fields[0] (email).help",
        "fields[0] (email).label",
        "intro",
        "texts.de.fields.email.label",
        "texts.de.intro",
        "thanks.text",
    ]
