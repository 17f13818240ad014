"""What people write is read as they mean it, by every door: our page, another site's form, JSON."""
# ruff: noqa: RUF001 - other scripts' characters are the point

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import compile_form
from tests.support.formfiles import EMAIL
from tests.web.pages import Page
from tests.web.support import LISTED, Site

LANGUAGES = ("en", "en-US", "en-GB", "de", "de-CH", "fr", "es", "pt", "it", "ja", "ar", "he", "ru")
TODAY = datetime.now(UTC).date()
FIELDS = """
[[fields]]
name = "amount"
type = "number"
label = "Amount"
min = -1000
max = 999999999
to = { extended_field = "Amount", data_type = "NUMBER" }

[[fields]]
name = "phone"
type = "tel"
label = "Phone"
region = "GB"
to = "phone"

[[fields]]
name = "mexican"
type = "tel"
label = "Mexican"
region = "MX"
to = { property = "phone", tag = "WORK" }

[[fields]]
name = "name"
type = "text"
label = "Name"
to = "full_name"

[[fields]]
name = "state"
type = "text"
label = "State"
to = "subdivision"

[[fields]]
name = "country"
type = "text"
label = "Country"
to = "country"

[[fields]]
name = "born"
type = "date"
label = "Born"
to = "birthdate"

[[fields]]
name = "visit"
type = "date"
label = "Visit"
to = { extended_field = "Visit", data_type = "DATE" }

[[fields]]
name = "web"
type = "url"
label = "Web"
to = { extended_field = "Web", data_type = "URL" }

[[fields]]
name = "size"
type = "select"
label = "Size"
placeholder = "Please choose"
options = [{ value = "s", label = "Small" }, { value = "l", label = "Large" }]
to = "job_title"

[[fields]]
name = "colour"
type = "radio"
label = "Colour"
options = ["red", "blue"]

[[fields]]
name = "extras"
type = "checkboxes"
label = "Extras"
options = [{ value = "milk", label = "With milk" }, "lemon"]

[[fields]]
name = "news"
type = "checkbox"
label = "News"

[[fields]]
name = "message"
type = "textarea"
label = "Message"
max_length = 1000
"""
GOOD = {"email": "ann@example.com"}


def form_in(language: str, fields: str = FIELDS) -> Any:
    top = f'title = "T"\nlanguage = "{language}"\norigins = ["{LISTED}"]\n'
    return compile_form(language.lower(), parse_form("x.toml", top + fields + EMAIL))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    forms = {language.lower(): form_in(language) for language in LANGUAGES}
    site = Site.build(tmp_path_factory.mktemp("reading"), forms=forms)
    yield site
    site.database.close()


@pytest.fixture(params=["page", "foreign", "json"])
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def send(site: Site, door: str, language: str, answers: dict[str, Any]) -> Any:
    """Post the answers; the answer of the server."""
    form, sent = language.lower(), GOOD | answers
    if door == "page":
        return Page(site.get(f"/f/{form}")).submit(site, **sent)
    return site.foreign(sent, form=form, json=door == "json")


def kept(site: Site, door: str, language: str, answers: dict[str, Any]) -> Any:
    """The row of a post that is accepted."""
    before = site.newest_id()
    answer = send(site, door, language, answers)
    assert answer.status_code == (200 if door == "json" else 303), answer.get_data(as_text=True)
    [row] = site.rows(after=before)
    return row


def extended(row: Any) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in row.lead["extended_fields"]}


@pytest.mark.parametrize(
    ("language", "typed", "number"),
    [
        ("de", "1,5", 1.5),
        ("de", "2.500,00", 2500),
        ("de", "2.500", 2500),
        ("de", "1.5", 1.5),
        ("de", "12.345.678", 12345678),
        ("de", "1.500,50", 1500.5),
        ("de-CH", "1'234.50", 1234.5),
        ("de-CH", "1’234", 1234),
        ("fr", "1,234", 1.234),
        ("fr", "1 234,5", 1234.5),
        ("fr", "1\u202f234,5", 1234.5),
        ("fr", "1\u00a0234", 1234),
        ("en", "1,234", 1234),
        ("en", "1.234", 1.234),
        ("en", "1,234.5", 1234.5),
        ("en", "1.500,50", 1500.5),
        ("en", "\u221212.5", -12.5),
        ("en", "–7", -7),
        ("ja", "１，２３４．５", 1234.5),
        ("ja", "１０００", 1000),
        ("ar", "١٬٢٣٤٫٥", 1234.5),
        ("ar", "٣", 3),
        ("es", "1.234", 1234),
        ("it", "0,5", 0.5),
        ("ru", "1 000 000", 1000000),
        ("he", "1,234", 1234),
        ("pt", "-1.000", -1000),
    ],
)
def test_a_number_is_read_by_the_forms_language(
    reader: Site, door: str, language: str, typed: str, number: float
) -> None:
    row = kept(reader, door, language, {"amount": typed})
    assert row.answers["amount"] == number
    assert extended(row) == {"Amount": number}


@pytest.mark.parametrize("language", ["de", "fr", "en", "ar"])
@pytest.mark.parametrize("number", [1.5, 1.234, 12345.678, -0.125, 1000, 999_999])
@pytest.mark.parametrize("more", [{}, {"name": "Jürgen Groß"}])
def test_a_json_number_is_a_json_number_in_every_language(
    reader: Site, language: str, number: float, more: dict[str, str]
) -> None:
    row = kept(reader, "json", language, {"amount": number} | more)
    assert row.answers["amount"] == number
    assert extended(row) == {"Amount": number}


def test_json_numbers_are_text_to_all_other_fields(make_site: Any) -> None:
    options = FIELDS.replace('options = ["red", "blue"]', 'options = ["1", "2"]')
    hidden = '[[fields]]\nname = "source"\ntype = "hidden"\nfrom_query = "s"\n'
    site = make_site(forms={"en": form_in("en", options + hidden)})
    numbers = {"colour": 1, "extras": [7, "milk"], "size": 3, "news": 1, "message": 5}
    others = {"name": 4, "source": 6, "shoe": 42.5, "_subject": 8}
    row = kept(site, "json", "en", numbers | others)
    assert {name: row.answers[name] for name in ("colour", "extras", "news", "message")} == {
        "colour": "1",
        "extras": ["milk"],
        "news": True,
        "message": "5",
    }
    assert (row.answers["name"], row.answers["source"], row.meta["_subject"]) == ("4", "6", "8")
    assert [note["value"] for note in row.notes] == ["3", "7"]
    assert kept(site, "json", "en", numbers | others | {"_gotcha": 9}).status == "spam"


@pytest.mark.parametrize("typed", ["about ten", "1,2,3", "12 €", "1.2.3.4,5", "--5", "1e99"])
def test_what_is_no_number_is_shown_again(reader: Site, door: str, typed: str) -> None:
    answer = send(reader, door, "de", {"amount": typed})
    assert answer.status_code == 422
    if door != "json":
        assert Page(answer).sent["amount"] == typed


@pytest.mark.parametrize(
    ("typed", "code"), [("-1.000,5", "TOO_SMALL"), ("1.000.000.000", "TOO_LARGE")]
)
def test_bounds_are_checked_and_described(reader: Site, typed: str, code: str) -> None:
    answer = send(reader, "json", "de", {"amount": typed})
    assert [error["code"] for error in answer.json["errors"]] == [code]
    page = reader.get("/f/de").text
    assert '<p class="help" id="h-amount">Von -1000 bis 999999999.</p>' in page
    assert 'aria-describedby="h-amount"' in page
    assert 'inputmode="decimal" name="amount" type="text"' in page


SWITCHBOARD = "+442079460018"


@pytest.mark.parametrize(
    ("typed", "extension"),
    [
        ("020 7946 0018 x11", "11"),
        ("020 7946 0018 X 11", "11"),
        ("+44 20 7946 0018 ext. 11", "11"),
        ("+44 20 7946 0018 extension 11", "11"),
        ("tel:+44-20-7946-0018;ext=11", "11"),
        ("+44 20 7946 0018 #11", "11"),
        ("+44 20 7946 0018 доб. 11", "11"),
        ("+44 20 7946 0018 Durchwahl 11", "11"),
        ("＋４４ ２０ ７９４６ ００１８ 内線１１", "11"),
        ("020 7946 0018 x012", "012"),
        ("020 7946 0018", ""),
    ],
)
def test_an_extension_goes_along(reader: Site, door: str, typed: str, extension: str) -> None:
    row = kept(reader, door, "en", {"phone": typed})
    [phone] = row.lead["phones"]
    assert (phone["e164"], phone["extension"], phone["typed"]) == (SWITCHBOARD, extension, typed)
    whole = f"{SWITCHBOARD} ext. {extension}" if extension else SWITCHBOARD
    assert row.answers["phone.e164"] == whole


@pytest.mark.parametrize(
    "typed",
    [
        *("55 1234 5678", "+52 55 1234 5678", "+52 1 55 1234 5678", "044 55 1234 5678"),
        *("045 55 1234 5678", "01 55 1234 5678", "0052 1 55 1234 5678", "+5215512345678"),
    ],
)
def test_mexicos_old_prefixes_are_dropped(reader: Site, door: str, typed: str) -> None:
    [phone] = kept(reader, door, "es", {"mexican": typed}).lead["phones"]
    assert phone["e164"] == "+525512345678"


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("Smith, John", "John", "Smith"),
        ("Robert Downey, Jr.", "Robert", "Downey, Jr."),
        ("Robert Downey Jr.", "Robert", "Downey Jr."),
        ("King, Martin Luther, Jr.", "Martin Luther", "King, Jr."),
        ("Henry Ford III", "Henry", "Ford III"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Gogh, Vincent van", "Vincent", "van Gogh"),
        ("山田　太郎", "太郎", "山田"),
        ("山田 太郎", "太郎", "山田"),
        ("김 철수", "철수", "김"),
        ("ジョン・スミス", "ジョン", "スミス"),
        ("Ann\u00a0Lee", "Ann", "Lee"),
        ("Madonna", "Madonna", None),
    ],
)
def test_a_name_is_split_where_its_writer_would(
    reader: Site, door: str, typed: str, first: str, last: str | None
) -> None:
    row = kept(reader, door, "en", {"name": typed})
    assert row.answers["name"] == typed
    found = [row.lead[part] and row.lead[part]["value"] for part in ("first_name", "last_name")]
    assert found == [first, last]


@pytest.mark.parametrize(
    ("language", "country", "state", "codes"),
    [
        ("en", "UK", None, ("GB", None)),
        ("en", "Germany", "Bavaria", ("DE", "DE-BY")),
        ("de", "Deutschland", "Bayern", ("DE", "DE-BY")),
        ("en", "Deutschland", None, ("DE", None)),
        ("fr", "Allemagne", None, ("DE", None)),
        ("fr", "États-Unis", "Californie", ("US", "US-CA")),
        ("en", "USA", "California", ("US", "US-CA")),
        ("en", "us", "CA", ("US", "US-CA")),
        ("en", "United States of America", "Calif", ("US", "US-CA")),
        ("en", "United States of America", "Califor", ("US", "Califor")),
        ("es", "Estados Unidos", "Nueva York", ("US", "US-NY")),
        ("it", "Svizzera", "Ticino", ("CH", "CH-TI")),
        ("ja", "日本", "東京都", ("JP", "JP-13")),
        ("ar", "مصر", None, ("EG", None)),
        ("ru", "США", None, ("US", None)),
        ("en", None, "California", (None, "California")),
        ("en", "ＧＢ", None, ("GB", None)),
    ],
)
def test_countries_and_subdivisions_are_sent_as_codes(  # noqa: PLR0917 - a table
    reader: Site,
    door: str,
    language: str,
    country: str | None,
    state: str | None,
    codes: tuple[str | None, str | None],
) -> None:
    typed = {name: text for name, text in (("country", country), ("state", state)) if text}
    row = kept(reader, door, language, typed)
    assert {name: row.answers[name] for name in typed} == typed
    [address] = row.lead["addresses"]
    assert (address["country"], address["subdivision"]) == codes


@pytest.mark.parametrize("typed", ["Atlantis", "Germania", "XX"])
def test_a_country_that_is_none_is_shown_again(reader: Site, door: str, typed: str) -> None:
    answer = send(reader, door, "en", {"country": typed})
    assert answer.status_code == 422
    if door != "json":
        assert Page(answer).sent["country"] == typed


@pytest.mark.parametrize(
    ("language", "typed", "date"),
    [
        ("en", "31/12/1980", "1980-12-31"),
        ("en-GB", "02/03/1980", "1980-03-02"),
        ("en", "02/03/1980", "1980-03-02"),
        ("en-US", "02/03/1980", "1980-02-03"),
        ("en-US", "31/12/1980", "1980-12-31"),
        ("de", "31.12.1980", "1980-12-31"),
        ("de", "3. April 1980", "1980-04-03"),
        ("fr", "1er avril 1980", "1980-04-01"),
        ("es", "3 de abril de 1980", "1980-04-03"),
        ("en", "April 3, 1980", "1980-04-03"),
        ("ja", "1980年4月3日", "1980-04-03"),
        ("ja", "昭和55年4月3日", "1980-04-03"),
        ("ja", "１９８０－０４－０３", "1980-04-03"),
        ("ar", "٣/٤/١٩٨٠", "1980-04-03"),
        ("de", "1980-04-03", "1980-04-03"),
    ],
)
def test_a_date_is_read_by_the_forms_language(
    reader: Site, door: str, language: str, typed: str, date: str
) -> None:
    row = kept(reader, door, language, {"born": typed, "visit": typed})
    assert (row.answers["born"], row.answers["visit"]) == (date, date)
    assert row.lead["birthdate"]["value"] == date
    assert extended(row) == {"Visit": date}


@pytest.mark.parametrize("typed", ["31.12.80", "tomorrow", "30.02.1980", "31/31/1980"])
def test_what_is_no_date_is_shown_again(reader: Site, door: str, typed: str) -> None:
    answer = send(reader, door, "de", {"visit": typed})
    assert answer.status_code == 422
    if door != "json":
        assert Page(answer).sent["visit"] == typed


def test_a_date_stays_in_its_control_when_something_else_is_wrong(reader: Site) -> None:
    answer = send(reader, "foreign", "de", {"visit": "31.12.2030", "email": "nobody"})
    assert 'name="visit" type="date" value="2030-12-31"' in answer.text


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("0001-01-01", "TOO_SMALL"),
        (f"{TODAY.year - 151}-12-31", "TOO_SMALL"),
        ("2999-01-01", "TOO_LARGE"),
        (f"{TODAY.year + 1}-01-01", "TOO_LARGE"),
    ],
)
def test_a_birth_date_lies_within_150_years(reader: Site, typed: str, code: str) -> None:
    answer = send(reader, "json", "en", {"born": typed})
    assert [error["code"] for error in answer.json["errors"]] == [code]
    assert kept(reader, "json", "en", {"visit": "2999-01-01"}).lead["birthdate"] is None


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Ａｎｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ann@example.com"),
        ("ann＠example。com", "ann@example.com"),
        ("a..x@docomo.ne.jp", "a..x@docomo.ne.jp"),
        ("a.x.@ezweb.ne.jp", "a.x.@ezweb.ne.jp"),
    ],
)
def test_an_address_is_folded_and_carriers_dots_are_kept(
    reader: Site, door: str, typed: str, address: str
) -> None:
    row = kept(reader, door, "ja", {"email": typed})
    assert row.lead["email"]["address"] == address
    assert row.answers["email"] == typed


@pytest.mark.parametrize(
    "typed",
    [
        "=?x?q?one?=@example.com",
        "=?utf-8?B?YQ?=@example.com",
        "a..x@example.com",
        ".a@docomo.ne.jp",
    ],
)
def test_an_address_that_no_mail_can_carry_is_shown_again(
    reader: Site, door: str, typed: str
) -> None:
    answer = send(reader, door, "en", {"email": typed})
    assert answer.status_code == 422
    if door != "json":
        assert Page(answer).sent["email"] == typed


@pytest.mark.parametrize("typed", ["http://", "https://", " http:// ", "http://www.", "HTTPS://"])
def test_a_web_address_that_was_left_at_its_beginning_is_blank(
    reader: Site, door: str, typed: str
) -> None:
    row = kept(reader, door, "en", {"web": typed})
    assert "web" not in row.answers
    assert extended(row) == {}


@pytest.mark.parametrize(
    ("field", "sent", "answer"),
    [
        ("size", "s", "s"),
        ("size", "Small", "s"),
        ("size", "LARGE", "l"),
        ("size", "Please choose", None),
        ("extras", ["With milk"], ["milk"]),
        ("extras", ["", "lemon", "milk"], ["milk", "lemon"]),
        ("extras", ["false", "LEMON"], ["lemon"]),
        ("extras", ["", "0"], None),
        ("colour", "Red", "red"),
    ],
)
def test_an_options_label_counts_for_its_value(
    reader: Site, door: str, field: str, sent: Any, answer: Any
) -> None:
    row = kept(reader, door, "en", {field: sent})
    assert row.answers.get(field) == answer
    assert row.notes is None


@pytest.mark.parametrize(
    ("field", "sent", "answer", "values"),
    [
        ("size", "xl", None, ["xl"]),
        ("size", "-- select --", None, ["-- select --"]),
        ("size", "xl" * 3000, None, [("xl" * 3000)[:2000]]),
        ("colour", "on", None, ["on"]),
        ("extras", ["lemon", "sugar", "on"], ["lemon"], ["sugar", "on"]),
        ("extras", ["on"], None, ["on"]),
    ],
)
def test_an_answer_that_is_no_option_is_kept_for_the_owner_alone(  # noqa: PLR0917 - a table
    reader: Site, door: str, field: str, sent: Any, answer: Any, values: list[str]
) -> None:
    row = kept(reader, door, "en", {field: sent})
    assert row.answers.get(field) == answer
    notes = [{"code": "NOT_AN_OPTION", "field": field, "value": value} for value in values]
    assert row.notes == notes
    assert row.lead["job_title"] is None


@pytest.mark.parametrize(("field", "sent"), [("size", "xl"), ("colour", "on"), ("extras", ["on"])])
def test_where_an_answer_is_required_one_that_is_no_option_is_none(
    make_site: Any, door: str, field: str, sent: Any
) -> None:
    required = FIELDS.replace(f'name = "{field}"', f'name = "{field}"\nrequired = true')
    site = make_site(forms={"en": form_in("en", required)})
    answer = send(site, door, "en", {field: sent})
    assert answer.status_code == 422
    if door == "json":
        assert [error["code"] for error in answer.json["errors"]] == ["REQUIRED_FIELD_EMPTY"]
    assert site.rows() == []


@pytest.mark.parametrize(
    ("sent", "ticked"),
    [
        (["0", "1"], True),
        (["1", "0"], True),
        (["false", "true"], True),
        (["on", ""], True),
        (["no", "YES"], True),
        (["No", "OFF"], False),
        ("agree", True),
        ("I want the newsletter.", True),
        ("FALSE", False),
        ("Off", False),
    ],
)
def test_any_value_but_a_negative_ticks_a_box(
    reader: Site, door: str, sent: Any, *, ticked: bool
) -> None:
    assert kept(reader, door, "en", {"news": sent}).answers["news"] is ticked


@pytest.mark.parametrize("field", ["size", "colour", "name"])
@pytest.mark.parametrize("texts", [["", "red"], ["red", ""], ["red", "red"]])
def test_a_hidden_input_beside_any_field_is_nothing(
    reader: Site, field: str, texts: list[str]
) -> None:
    texts = [text.replace("red", "s") if field == "size" else text for text in texts]
    row = kept(reader, "foreign", "en", {field: texts})
    assert row.answers[field] == max(texts)


@pytest.mark.parametrize("char", ["x", "字", "😀", "é"])
def test_a_limit_counts_code_points_and_too_long_a_text_comes_back(
    reader: Site, door: str, char: str
) -> None:
    assert kept(reader, door, "en", {"message": char * 1000}).answers["message"] == char * 1000
    answer = send(reader, door, "en", {"message": char * 1500})
    assert answer.status_code == 422
    if door == "json":
        assert [error["code"] for error in answer.json["errors"]] == ["TOO_LONG"]
    else:
        assert Page(answer).sent["message"] == char * 1500


def test_no_page_cuts_what_is_pasted(reader: Site) -> None:
    page = reader.get("/f/en").text
    assert "maxlength" not in page
    assert 'data-limit="1000"' in page
    assert 'data-count="{count} of {limit} characters"' in page
