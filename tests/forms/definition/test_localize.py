"""A form in several languages: its texts, its messages, and what they are kept as."""

from collections.abc import Callable

import pytest

from formapp.forms.definition.parse import parse_form
from formapp.forms.fields.base import Parsed
from formapp.forms.form import Form, compile_form
from formapp.forms.lead_form import LeadForm
from formapp.forms.messages import NUMBER, ErrorMessage, texts_in, too_long, too_small
from tests.support.forms import posted, read

Post = Callable[..., LeadForm]
FaultsOf = Callable[..., list[str]]
FormMaker = Callable[..., Form]

FIELDS = """
[[fields]]
name = "email"
type = "email"
label = "E-mail"
help = "We answer here."
placeholder = "you@example.com"
required = true
to = "email"

[[fields]]
name = "size"
type = "select"
label = "Size"
placeholder = "Choose"
options = [{ value = "s", label = "small" }, { value = "l", label = "large" }]

[[fields]]
name = "privacy"
type = "consent"
label = "I agree."

[[fields]]
name = "source"
type = "hidden"
value = "x"
"""
GERMAN = """
[texts.de]
title = "Anfrage"
intro = "Wir antworten bald."
submit = "Abschicken"
thanks = { title = "Danke", text = "Bis bald." }

[texts.de.fields]
email = { label = "E-Mail", help = "Hierhin antworten wir.", placeholder = "sie@example.com" }
size = { label = "Größe", placeholder = "Bitte wählen", options = { s = "klein", l = "groß" } }
privacy = { label = "Ich stimme zu." }
"""
LEAST = """
[texts.pt-br]
title = "Pedido"

[texts.pt-br.fields]
email = { label = "Seu e-mail" }
size = { label = "Tamanho" }
privacy = { label = "Sim." }
"""
TOP = 'title = "Request"\nintro = "We answer soon."\nsubmit = "Go"\n'


def compiled(text: str) -> Form:
    return compile_form("request", parse_form("request.toml", text))


@pytest.fixture(scope="module")
def form() -> Form:
    return compiled(TOP + GERMAN + LEAST + FIELDS)


def test_a_form_offers_its_own_language_and_those_it_has_texts_for(form: Form) -> None:
    assert form.languages == ("en", "de", "pt-BR")
    assert [form.localized[one].language for one in form.languages] == ["en", "de", "pt-BR"]
    assert form.localized["de"].languages == form.languages
    assert form.localized["de"].localized["en"] is form
    with pytest.raises(KeyError):
        form.localized["fr"]


def test_a_language_shows_its_own_texts(form: Form) -> None:
    german = form.localized["de"]

    definition = german.definition
    assert (definition.title, definition.submit) == ("Anfrage", "Abschicken")
    assert definition.intro == "Wir antworten bald."
    assert (definition.thanks.title, definition.thanks.text) == ("Danke", "Bis bald.")
    bound = german.bind(token=None)
    assert bound["email"].label.text == "E-Mail"
    assert bound["email"].spec.help == "Hierhin antworten wir."
    assert 'placeholder="sie@example.com"' in bound["email"]()
    shown = bound["size"]()
    assert 'value="">Bitte wählen' in shown
    assert 'value="s">klein' in shown
    assert 'value="l">groß' in shown


@pytest.mark.parametrize("language", ["en", "de", "pt-BR"])
@pytest.mark.parametrize(
    ("text", "value"),
    [("small", "s"), ("klein", "s"), ("GROSS", "l"), ("Choose", None), ("bitte wählen", None)],
)
def test_an_option_may_come_by_its_label_in_any_language_of_the_form(
    form: Form, language: str, text: str, value: str | None
) -> None:
    """Another site's page has a language of its own, whatever the visitor's browser prefers."""
    [size] = [field for field in form.localized[language].fields if field.name == "size"]
    assert size.read([text]) == Parsed(value)


def test_the_forms_own_language_stays_as_it_was(form: Form) -> None:
    assert form.definition.title == "Request"
    assert 'value="s">small' in form.bind(token=None)["size"]()


def test_what_a_language_lacks_is_the_forms_own_text_or_formapps_own_word(form: Form) -> None:
    definition = form.localized["pt-BR"].definition

    assert definition.intro == "We answer soon."
    assert definition.fields[0].help == "We answer here."
    assert [option.label for option in definition.fields[1].options] == ["small", "large"]
    # On every form, so formapp knows a word for them.
    assert definition.submit == "Enviar"
    assert definition.thanks.title == "Obrigado"


def test_a_form_without_words_for_button_and_thanks_gets_them_in_its_own_language() -> None:
    hebrew = compiled('title = "טופס"\nlanguage = "he"\n' + FIELDS)

    assert (hebrew.definition.submit, hebrew.definition.thanks.title) == ("שליחה", "תודה")


def test_all_languages_of_a_form_are_one_version(form: Form) -> None:
    assert {form.localized[one].version for one in form.languages} == {form.version}
    assert form.version == form.definition.version
    assert form.version != compiled(TOP + GERMAN + FIELDS).version


def test_what_is_wrong_is_said_in_the_language_and_its_code_stays(form: Form, post: Post) -> None:
    said = {one: post(form.localized[one], email="x").faults() for one in ("en", "de", "pt-BR")}

    assert [(fault.label, fault.message) for fault in said["de"]] == [
        ("E-Mail", "Bitte geben Sie eine E-Mail-Adresse wie name@example.com ein"),
    ]
    assert [fault.message for fault in said["pt-BR"]] == [
        "indique um endereço de e-mail, como name@example.com",
    ]
    assert [fault.message for fault in said["en"]] == [
        "should be an e-mail address such as name@example.com",
    ]
    codes = {tuple(fault.code for fault in faults) for faults in said.values()}
    assert codes == {("TYPE_EMAIL",)}


def test_the_consent_is_kept_as_it_was_worded_to_the_visitor(form: Form, post: Post) -> None:
    german = form.localized["de"]
    bound = post(german, email="ada@example.com", privacy="on")

    reading = read(german, bound, default_site="main", page=None, referrer=None)

    assert reading.consents == ({"field": "privacy", "text": "Ich stimme zu."},)


def test_the_language_changes_no_answer_and_no_lead(form: Form) -> None:
    readings = []
    for one in form.languages:
        spoken = form.localized[one]
        bound = spoken.bind(posted(spoken, {"email": "ada@example.com", "size": "s"}), token=None)
        assert bound.validate()
        reading = read(spoken, bound, default_site="main", page=None, referrer=None)
        readings.append((reading.answers, reading.lead))

    assert readings[0] == readings[1] == readings[2]


@pytest.mark.parametrize("language", ["en", "tlh"])
def test_a_language_that_formapp_lacks_is_answered_in_english(
    make_form: FormMaker, post: Post, language: str
) -> None:
    form = make_form(top=f'language = "{language}"', email=REQUIRED)

    assert [fault.message for fault in post(form).faults()] == ["is required"]


REQUIRED = '[[fields]]\nname = "e"\ntype = "email"\nlabel = "E"\nrequired = true\nto = "email"\n'


def test_wtforms_own_texts_come_in_the_language_too(form: Form) -> None:
    field = form.localized["de"].bind(token=None)["email"]

    assert field.gettext("This field is required.") == "Dieses Feld wird benötigt."
    assert field.gettext("is required") == "Bitte füllen Sie dieses Feld aus"


@pytest.mark.parametrize(
    ("message", "language", "said"),
    [
        (too_long(1), "en", "should have at most 1 character"),
        (too_long(2), "en", "should have at most 2 characters"),
        (too_long(2), "fr", "veuillez saisir au plus 2 caractères"),
        (too_long(1), "he", "יש להזין תו אחד לכל היותר"),
        (too_long(2), "ar", "يُرجى إدخال حرفين على الأكثر"),
        (too_long(5), "ar", "يُرجى إدخال 5 أحرف على الأكثر"),
        (too_long(50), "ar", "يُرجى إدخال 50 حرفًا على الأكثر"),
        (too_long(100), "ar", "يُرجى إدخال 100 حرف على الأكثر"),
        (too_long(5), "ja", "5文字以内で入力してください"),
        (too_small(2.5), "de", "Bitte geben Sie mindestens 2.5 ein"),
        (
            too_small("2026-12-31"),
            "he",
            "יש להזין את התאריך \u20662026-12-31\u2069 או תאריך מאוחר יותר",
        ),
        (NUMBER, "es", "escriba un número"),
    ],
)
def test_a_message_is_said_in_a_language_with_its_numbers(
    message: ErrorMessage, language: str, said: str
) -> None:
    assert message.localize(texts_in(language)) == said


def test_as_text_a_message_is_english() -> None:
    assert too_small(3) == "should be 3 or more"
    assert too_long(1) == "should have at most 1 character"


def test_a_catalogue_is_read_once() -> None:
    assert texts_in("de") is texts_in("de")


@pytest.mark.parametrize("kind", ["email", "tel", "number", "url", "date"])
def test_what_is_written_from_left_to_right_says_so_where_the_page_runs_the_other_way(
    make_form: FormMaker, kind: str
) -> None:
    field = f'name = "x"\ntype = "{kind}"\nlabel = "X"'

    assert 'dir="ltr"' in make_form(field, top='language = "ar"').bind(token=None)["x"]()
    assert "dir=" not in make_form(field, top='language = "de"').bind(token=None)["x"]()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (
            '[texts.en]\ntitle = "A"',
            ["texts.en: is the form's own language; its texts are at the top"],
        ),
        (
            '[texts.x]\ntitle = "A"',
            ['texts.x: "x" is not a language tag; write it as "en" or "pt-BR" (BCP 47)'],
        ),
        (GERMAN.replace('title = "Anfrage"\n', ""), ["texts.de.title: is missing"]),
        (GERMAN.replace('"Anfrage"', '" "'), ["texts.de.title: is empty"]),
        (GERMAN + GERMAN.replace(".de", ".DE"), ["texts.DE: is the same language as texts.de"]),
        (
            GERMAN.replace("email =", "emial ="),
            [
                'texts.de.fields.emial: "emial" is not a field of this form; did you mean "email"?',
                (
                    "texts.de.fields.email.label: is missing; "
                    "every field that a visitor sees needs one in each language"
                ),
            ],
        ),
        (
            GERMAN.replace("{ s = ", "{ xs = "),
            ["texts.de.fields.size.options.xs: is not a value of this field; use s or l"],
        ),
        (
            GERMAN.replace("privacy = {", 'privacy = { placeholder = "x",'),
            ["texts.de.fields.privacy.placeholder: a consent field can't have it"],
        ),
        (
            GERMAN.replace("submit =", "sumbit ="),
            ['texts.de.sumbit: is not a known key; did you mean "submit"?'],
        ),
        (
            GERMAN.replace("thanks = {", 'thanks = { redirect = "x",'),
            ["texts.de.thanks.redirect: is not a known key; use text or title"],
        ),
        (
            GERMAN.replace("privacy = {", "privacy = { hint = 1,"),
            [
                (
                    "texts.de.fields.privacy.hint: is not a known key; "
                    "use help, label, options or placeholder"
                ),
            ],
        ),
        (
            GERMAN.replace(
                'thanks = { title = "Danke"',
                'confirm = { button = "Ja" }\nthanks = { title = "Danke"',
            ),
            ["texts.de.confirm: has nothing to say; the form has no [confirm]"],
        ),
        (
            GERMAN.replace('{ label = "Ich stimme zu." }', '"Ich stimme zu."'),
            ["texts.de.fields.privacy: should be a table, not text"],
        ),
        ("texts = 1", ["texts: should be a table, not a number (1)"]),
    ],
)
def test_a_fault_of_the_texts_says_where_and_what(
    faults_of: FaultsOf, texts: str, said: list[str]
) -> None:
    found = faults_of(TOP + texts + FIELDS, "request.toml")

    assert found == [f"request.toml: {one}" for one in said]


def test_a_confirmation_speaks_the_language_or_formapps_own_words() -> None:
    asking = TOP.replace('submit = "Go"', 'confirm = { subject = "Sure?", button = "Yes" }')
    german = GERMAN.replace("thanks =", 'confirm = { subject = "Sicher?" }\nthanks =')
    form = compiled(asking + german + LEAST + FIELDS)

    said = [form.localized[one].definition.confirm for one in form.languages]
    assert [(one.subject, one.button) for one in said if one] == [
        ("Sure?", "Yes"),
        ("Sicher?", None),
        (None, None),
    ]
