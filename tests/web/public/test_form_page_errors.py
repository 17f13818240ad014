"""What a form's page says is wrong, in the summary and beside each field, in every language."""

import html
import re

import pytest

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from formapp.languages import SPOKEN
from tests.web.pages import Page
from tests.web.support import Site, SiteMaker

TYPES = {
    "name": 'type = "text"\nrequired = true',
    "email": 'type = "email"\nrequired = true\nto = "email"',
    "phone": 'type = "tel"',
    "topic": 'type = "select"\nrequired = true\noptions = ["A", "B"]',
    "size": 'type = "number"\nmin = 2',
    "day": 'type = "date"',
    "note": 'type = "textarea"\nmax_length = 3',
    "agreed": 'type = "consent"\nrequired = true',
}
WRONG = {
    "name": "",
    "email": "ada",
    "phone": "12",
    "topic": "",
    "size": "1",
    "day": "x",
    "note": "four",
}
LABELS = {
    "en": ("Your name", "Topic"),
    "de": ("Ihr Name", "Thema"),
    "fr": ("Votre nom", "Sujet"),
    "es": ("Su nombre", "Tema"),
    "pt": ("Seu nome", "Assunto"),
    "he": ("שם", "נושא"),
    "ar": ("الاسم", "الموضوع"),
    "ja": ("お名前", "件名"),
}
SENTENCES = {
    "en": [
        "Enter your name.",
        "Enter an e-mail address such as name@example.com.",
        "Enter a phone number with its country code, such as +44 20 7946 0018.",
        "Choose your topic.",
        "Enter a number that is 2 or more.",
        "Enter a date as year-month-day, such as 2026-12-31.",
        "Enter no more than 3 characters.",
        "Tick the box to continue.",
    ],
    "de": [
        "Bitte füllen Sie das Feld „Ihr Name“ aus.",
        "Bitte geben Sie eine E-Mail-Adresse wie name@example.com ein.",
        "Bitte geben Sie eine Telefonnummer mit Ländervorwahl ein, zum Beispiel +44 20 7946 0018.",
        "Bitte wählen Sie bei „Thema“ eine Option aus.",
        "Bitte geben Sie eine Zahl ab 2 ein.",
        "Bitte geben Sie das Datum als Jahr-Monat-Tag ein, zum Beispiel 2026-12-31.",
        "Bitte geben Sie höchstens 3 Zeichen ein.",
        "Bitte kreuzen Sie das Kästchen an, um fortzufahren.",
    ],
    "fr": [
        "Veuillez remplir le champ «\u00a0Votre nom\u00a0».",
        "Saisissez une adresse e-mail, par exemple name@example.com.",
        (
            "Saisissez un numéro de téléphone avec l’indicatif du pays, "  # noqa: RUF001 - French
            "par exemple +44 20 7946 0018."
        ),
        "Choisissez une option pour «\u00a0Sujet\u00a0».",
        "Saisissez un nombre supérieur ou égal à 2.",
        "Saisissez une date sous la forme année-mois-jour, par exemple 2026-12-31.",
        "Ne saisissez pas plus de 3 caractères.",
        "Cochez la case pour continuer.",
    ],
    "es": [
        "Rellene el campo «Su nombre».",
        "Escriba una dirección de correo electrónico, como name@example.com.",
        "Escriba un número de teléfono con el prefijo del país, por ejemplo +44 20 7946 0018.",
        "Elija una opción en «Tema».",
        "Escriba 2 o un número mayor.",
        "Escriba una fecha con el formato año-mes-día, por ejemplo 2026-12-31.",
        "Escriba como máximo 3 caracteres.",
        "Marque la casilla para continuar.",
    ],
    "pt": [
        "Preencha o campo “Seu nome”.",
        "Digite um endereço de e-mail, como name@example.com.",
        "Digite um número de telefone com o código do país, por exemplo +44 20 7946 0018.",
        "Escolha uma opção em “Assunto”.",
        "Digite 2 ou um número maior.",
        "Digite uma data no formato ano-mês-dia, por exemplo 2026-12-31.",
        "Digite no máximo 3 caracteres.",
        "Marque a caixa para continuar.",
    ],
    "he": [
        'יש למלא את השדה "שם".',
        "יש להזין כתובת דואר אלקטרוני, לדוגמה \u2066name@example.com\u2069.",
        "יש להזין מספר טלפון עם קידומת מדינה, לדוגמה \u2066+44 20 7946 0018\u2069.",
        'יש לבחור אפשרות בשדה "נושא".',
        "יש להזין \u20662\u2069 או יותר.",
        "יש להזין תאריך בסדר שנה-חודש-יום, לדוגמה \u20662026-12-31\u2069.",
        "יש להזין 3 תווים לכל היותר.",
        "יש לסמן את התיבה כדי להמשיך.",
    ],
    "ar": [
        "يُرجى ملء الحقل «الاسم».",
        "يُرجى إدخال عنوان بريد إلكتروني، مثل \u2066name@example.com\u2069.",
        "يُرجى إدخال رقم هاتف مع رمز البلد، مثل \u2066+44 20 7946 0018\u2069.",
        "يُرجى اختيار أحد الخيارات في «الموضوع».",
        "يُرجى إدخال \u20662\u2069 أو أكثر.",
        "يُرجى إدخال تاريخ بترتيب السنة ثم الشهر ثم اليوم، مثل \u20662026-12-31\u2069.",
        "يُرجى إدخال 3 أحرف على الأكثر.",
        "يُرجى وضع علامة في المربع للمتابعة.",
    ],
    "ja": [
        "「お名前」を入力してください。",
        "メールアドレスを正しい形式で入力してください（例：name@example.com）。",  # noqa: RUF001 - Japanese
        "電話番号を国番号から入力してください（例：+44 20 7946 0018）。",  # noqa: RUF001 - Japanese
        "「件名」を選択してください。",
        "2以上の数値を入力してください。",
        "日付を「年-月-日」の形式で入力してください（例：2026-12-31）。",  # noqa: RUF001 - Japanese
        "3文字以内で入力してください。",
        "続けるにはチェックを入れてください。",
    ],
}


def form_in(language: str, types: dict[str, str], labels: dict[str, str]) -> Form:
    text = f'title = "T"\nlanguage = "{language}"\n' + "".join(
        f'[[fields]]\nname = "{name}"\nlabel = "{labels.get(name, name)}"\n{keys}\n'
        for name, keys in types.items()
    )
    return compile_form("f", parse_form("f.toml", text))


def plain(markup: str) -> str:
    return html.unescape(re.sub("<[^>]+>", "", markup)).strip()


def summary_of(page: str) -> dict[str, str]:
    links = re.findall(r'<li><a href="#f-(\w+)">(.*?)</a></li>', page)
    return {name: plain(text) for name, text in links}


def beside_fields(page: str) -> dict[str, str]:
    errors = re.findall(
        r'<p class="error" id="e-(\w+)"><span class="unseen">.*?</span>(.*?)</p>', page, re.DOTALL
    )
    return {name: plain(text) for name, text in errors}


def test_the_tables_have_every_language() -> None:
    assert set(SENTENCES) == set(LABELS) == set(SPOKEN)


@pytest.mark.parametrize("language", SENTENCES)
def test_the_summary_and_the_field_show_the_same_sentence(
    make_site: SiteMaker, language: str
) -> None:
    name, topic = LABELS[language]
    site = make_site(forms={"f": form_in(language, TYPES, {"name": name, "topic": topic})})

    page = Page(site.get("/f/f")).submit(site, **WRONG).get_data(as_text=True)

    assert summary_of(page) == dict(zip(TYPES, SENTENCES[language], strict=True))
    assert beside_fields(page) == summary_of(page)


def two_numbers(make_site: SiteMaker) -> Site:
    types = {"size": 'type = "number"', "age": 'type = "number"', "web": 'type = "url"'}
    types["email"] = 'type = "email"\nto = "email"'
    return make_site(forms={"f": form_in("en", types, {"size": "How <big>?", "age": "Age"})})


def test_a_label_tells_equal_errors_apart_in_the_summary(make_site: SiteMaker) -> None:
    site = two_numbers(make_site)

    answer = Page(site.get("/f/f")).submit(site, size="x", age="y", web="a b")

    page = answer.get_data(as_text=True)
    assert summary_of(page) == {
        "size": "How <big>? Enter a number.",
        "age": "Age Enter a number.",
        "web": "Enter a web address such as https://www.example.com.",
    }
    assert beside_fields(page)["size"] == "Enter a number."


def test_a_fault_of_the_whole_form_has_no_link(make_site: SiteMaker) -> None:
    site = two_numbers(make_site)

    answer = Page(site.get("/f/f")).submit(site, _token="x")

    page = answer.get_data(as_text=True)
    [fault] = re.findall(r"<li>(.*?)</li>", page)
    assert fault == (
        "We could not verify this page. Your answers are still here: please press the button again."
    )
    assert beside_fields(page) == {}
