"""Error messages: the predicate for JSON, the sentence for pages, and the label within it."""

from gettext import NullTranslations

import pytest

from formapp.forms import messages
from formapp.forms.messages import ErrorMessage, label_in_sentence, required, texts_in
from formapp.languages import SPOKEN

ENGLISH = NullTranslations()
FIELD_TYPES = ("text", "select", "radio", "checkboxes", "checkbox", "consent", "date")


def required_text(label: str, language: str) -> str:
    return required("text", posted=True).sentence(texts_in(language), label, language)


@pytest.mark.parametrize(
    ("message", "predicate", "sentence"),
    [
        (
            messages.EMAIL,
            "should be an e-mail address such as name@example.com",
            "Enter an e-mail address such as name@example.com.",
        ),
        (messages.NUMBER, "should be a number", "Enter a number."),
        (messages.TEXT, "should be text", "Enter text."),
        (
            messages.PHONE,
            "should be a phone number with its area code",
            "Enter a phone number with its area code.",
        ),
        (
            messages.PHONE_ABROAD,
            "should be a phone number with its country code, such as +44 20 7946 0018",
            "Enter a phone number with its country code, such as +44 20 7946 0018.",
        ),
        (
            messages.DATE,
            "should be a date, written as year-month-day, such as 2026-12-31",
            "Enter a date as year-month-day, such as 2026-12-31.",
        ),
        (
            messages.URL,
            "should be a web address such as https://www.example.com",
            "Enter a web address such as https://www.example.com.",
        ),
        (
            messages.COUNTRY,
            "should be a country, such as France or FR",
            "Enter a country, such as France or FR.",
        ),
        (
            messages.LOCALE,
            "should be a language code such as en or pt-BR",
            "Enter a language code such as en or pt-BR.",
        ),
        (
            messages.too_short(1),
            "should have at least 1 character",
            "Enter at least 1 character.",
        ),
        (
            messages.too_short(5),
            "should have at least 5 characters",
            "Enter at least 5 characters.",
        ),
        (
            messages.too_long(1),
            "should have at most 1 character",
            "Enter no more than 1 character.",
        ),
        (
            messages.too_long(50),
            "should have at most 50 characters",
            "Enter no more than 50 characters.",
        ),
        (messages.too_small(2.5), "should be 2.5 or more", "Enter a number that is 2.5 or more."),
        (messages.too_large(10), "should be 10 or less", "Enter a number that is 10 or less."),
        (
            messages.too_small("2026-12-31"),
            "should be 2026-12-31 or later",
            "Enter 2026-12-31 or a later date.",
        ),
        (
            messages.too_large("2026-12-31"),
            "should be 2026-12-31 or earlier",
            "Enter 2026-12-31 or an earlier date.",
        ),
    ],
)
def test_a_message_has_a_predicate_and_a_sentence(
    message: ErrorMessage, predicate: str, sentence: str
) -> None:
    assert message == predicate
    assert message.localize(ENGLISH) == predicate
    assert message.sentence(ENGLISH, "Your name", "en") == sentence


@pytest.mark.parametrize(
    "message", [messages.TOKEN_EXPIRED, messages.TOKEN_INVALID], ids=lambda each: each.code
)
def test_a_message_about_the_whole_form_is_a_sentence_already(message: ErrorMessage) -> None:
    assert message.localize(ENGLISH) == message.sentence(ENGLISH, "", "en") == message
    assert message.endswith("Your answers are still here: please press the button again.")


@pytest.mark.parametrize(
    ("field_type", "predicate", "with_label", "without"),
    [
        ("text", "is required", "Enter your first name.", "Enter an answer."),
        ("textarea", "is required", "Enter your first name.", "Enter an answer."),
        ("date", "is required", "Enter your first name.", "Enter an answer."),
        ("select", "must be chosen", "Choose your first name.", "Choose an option."),
        ("radio", "must be chosen", "Choose your first name.", "Choose an option."),
        (
            "checkboxes",
            "must be chosen",
            "Choose at least one option.",
            "Choose at least one option.",
        ),
        ("checkbox", "must be ticked", "Tick the box to continue.", "Tick the box to continue."),
        ("consent", "must be ticked", "Tick the box to continue.", "Tick the box to continue."),
    ],
)
@pytest.mark.parametrize(
    ("posted", "code"), [(True, "REQUIRED_FIELD_EMPTY"), (False, "REQUIRED_FIELD_MISSING")]
)
def test_a_required_field_is_named_by_its_label(
    field_type: str, predicate: str, with_label: str, without: str, *, posted: bool, code: str
) -> None:
    message = required(field_type, posted=posted)

    assert (message.code, message) == (code, predicate)
    assert message.sentence(ENGLISH, "First name", "en") == with_label
    assert message.sentence(ENGLISH, "What is your name?", "en") == without


@pytest.mark.parametrize(
    ("label", "within"),
    [
        ("Name", "name"),
        ("Your name", "name"),
        ("your name", "name"),
        ("Your VAT number", "VAT number"),
        ("First name", "first name"),
        ("First Name", "first name"),
        ("Date of Birth", "date of birth"),
        ("Company VAT Number", "company VAT number"),
        ("Name:", "name"),
        ("Name *", "name"),
        (" First \n name ", "first name"),
        ("E-mail", "e-mail address"),
        ("Your E-Mail", "e-mail address"),
        ("Email", "email address"),
        ("Phone", "phone number"),
        ("Telephone:", "telephone number"),
        ("Mobile", "mobile number"),
        ("E-mail address", "e-mail address"),
        ("Phone (mobile)", "phone (mobile)"),
        ("Town or city", "town or city"),
        ("Town/City", "town/city"),
        ("Name, first name", "name, first name"),
        ("Driver's licence", "driver's licence"),
        ("2nd phone", "2nd phone"),
        ("VAT number", "VAT number"),
        ("ID", "ID"),
        ("iPhone model", "iPhone model"),
        ("WhatsApp", "WhatsApp"),
        ("Instagram name", "Instagram name"),
        ("T-shirt size", "T-shirt size"),
        ("English level", "English level"),
        ("X", "X"),
        ("Prénom", "prénom"),
        ("a" * 40, "a" * 40),
        ("a" * 41, ""),
        ("What do you need?", ""),
        ("Which colour", ""),
        ("How many", ""),
        ("What's your name", ""),
        ("Don’t call before", ""),  # noqa: RUF001 - the printed apostrophe
        ("Do you smoke", ""),
        ("Are you a member", ""),
        ("I am interested in", ""),
        ("I’m interested in", ""),  # noqa: RUF001 - the same
        ("My pet", ""),
        ("The name of your dog", ""),
        ("Anything else we should know", ""),
        ("Please describe it", ""),
        ("Tell us more", ""),
        ("Tell us about it.", ""),
        ("Go on…", ""),
        ("Hello! Name", ""),
        ("No. of guests", ""),
        ("Confirm e-mail", ""),
        ("Your", ""),
        ("Your:", ""),
        ("", ""),
        ("  ", ""),
        ("...", ""),
        ("⁂", ""),
        ("100% cotton", "100% cotton"),
        ("%(label)s", "%(label)s"),
        ("%s %d", "%s %d"),
        ("{label} {0}", "{label} {0}"),
        ("<b>Name</b>", "<b>Name</b>"),
        ('"Name"', '"name"'),
    ],
)
def test_a_label_reads_well_within_an_english_sentence_or_is_left_out(
    label: str, within: str
) -> None:
    assert label_in_sentence(label, "en") == label_in_sentence(label, "en-GB") == within
    sentence = required("text", posted=True).sentence(ENGLISH, label, "en")
    assert sentence == (f"Enter your {within}." if within else "Enter an answer.")


@pytest.mark.parametrize(
    ("language", "label", "sentence"),
    [
        ("de", "Ihr Name", "Bitte füllen Sie das Feld „Ihr Name“ aus."),
        ("de-AT", "Was noch?", "Bitte füllen Sie das Feld „Was noch?“ aus."),
        ("fr", "Prénom", "Veuillez remplir le champ «\u00a0Prénom\u00a0»."),
        ("es", "Su nombre", "Rellene el campo «Su nombre»."),
        ("pt-BR", "Nome", "Preencha o campo “Nome”."),
        ("he", "שם", 'יש למלא את השדה "שם".'),
        ("ar", "الاسم", "يُرجى ملء الحقل «الاسم»."),
        ("ja", "名前", "「名前」を入力してください。"),
        ("ja", "%(label)s", "「%(label)s」を入力してください。"),
        ("ja", "名" * 41, "入力してください。"),
        ("tlh", "pong", "Enter an answer."),
    ],
)
def test_another_language_quotes_the_label_as_it_is(
    language: str, label: str, sentence: str
) -> None:
    assert required_text(label, language) == sentence


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("field_type", FIELD_TYPES)
def test_a_label_of_any_kind_is_put_in_untouched(language: str, field_type: str) -> None:
    message = required(field_type, posted=True)

    sentence = message.sentence(texts_in(language), "%s {x} %(label)s &<b>", language)

    assert sentence.endswith((".", "。"))
    assert "&amp;" not in sentence
    assert ("%s {x} %(label)s &<b>" in sentence) == (
        field_type in {"text", "select", "radio", "date"}
    )
