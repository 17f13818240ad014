"""What each type of field takes, keeps and refuses: one table a type."""

from collections.abc import Callable
from typing import Any

import pytest

from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from tests.support.forms import read

FormMaker = Callable[..., Form]
Post = Callable[..., LeadForm]


@pytest.fixture
def parsed(make_form: FormMaker, post: Post) -> Callable[..., Any]:
    """What a field of this type makes of a post: the kept answer, or the code of its fault."""

    def judge(kind: str, posted: Any, keys: str = "") -> Any:
        form = make_form(f'name = "x"\ntype = "{kind}"\nlabel = "X"\n{keys}')
        bound = post(form, email="ann@example.com", x=posted)
        if codes := [fault.code for fault in bound.faults()]:
            return codes
        answers = read(form, bound, default_site="main", page=None, referrer=None).answers
        return answers.get("x")

    return judge


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ann  ", "Ann"),
        ("a\r\nb\tc", "a  b c"),
        ("a\x00b\x7fc\u2028d\x85e", "a b c d e"),
        ("e\u0301", "é"),
        ("Ann  Lee", "Ann  Lee"),
        ("<b>", "<b>"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("", None),
        (" \t\r\n\u00a0\u3000", None),
        ("a" * 1000, "a" * 1000),
        ("a" * 1001, ["TOO_LONG"]),
    ],
)
def test_text_is_one_trimmed_line(parsed: Callable[..., Any], typed: str, kept: Any) -> None:
    assert parsed("text", typed) == kept


@pytest.mark.parametrize(
    ("typed", "keys", "kept"),
    [
        ("abc", "min_length = 3\nmax_length = 3", "abc"),
        ("ab", "min_length = 3", ["TOO_SHORT"]),
        ("  ab  ", "min_length = 3", ["TOO_SHORT"]),
        ("", "min_length = 3", None),
        ("abcd", "max_length = 3", ["TOO_LONG"]),
        (" abc ", "max_length = 3", "abc"),
        ("a" * 101, 'to = "postal_code"', ["TOO_LONG"]),
        ("a" * 1001, 'to = { extended_field = "E" }', ["TOO_LONG"]),
        ("gb", 'to = "country"', "gb"),
        ("UK", 'to = "country"', "UK"),
        ("Germany", 'to = "country"', "Germany"),
        ("Atlantis", 'to = "country"', ["TYPE_COUNTRY"]),
        ("pt_br", 'to = "locale"', "pt_br"),
        ("zh-Hant-TW", 'to = "locale"', "zh-Hant-TW"),
        ("Portuguese", 'to = "locale"', ["TYPE_LOCALE"]),
    ],
)
def test_text_keeps_to_its_bounds_and_its_target(
    parsed: Callable[..., Any], typed: str, keys: str, kept: Any
) -> None:
    assert parsed("text", typed, keys) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("\r\n  a\tb  \r\n\r\n", "a\tb"),
        ("a\x0bb", "a b"),
        (" \r\n ", None),
        ("\r\n".join("ab" * 3000), ["TOO_LONG"]),
        ("a\r\n" * 5000, "\n".join("a" * 5000)),
    ],
)
def test_a_textarea_keeps_its_lines(parsed: Callable[..., Any], typed: str, kept: Any) -> None:
    assert parsed("textarea", typed) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ann.Lee+x@Example.COM", "Ann.Lee+x@Example.COM"),
        (" ann@example.com\u200b", "ann@example.com"),
        ("user@example.com", "user@example.com"),
        ("user@sub.example", "user@sub.example"),
        ("user@shop.test", "user@shop.test"),
        ("user@münchen.example", "user@münchen.example"),
        ("", None),
        ("ann", ["TYPE_EMAIL"]),
        ("ann@", ["TYPE_EMAIL"]),
        ("@example.com", ["TYPE_EMAIL"]),
        ("ann@example", ["TYPE_EMAIL"]),
        ("annexample.com", ["TYPE_EMAIL"]),
        ("ann lee@example.com", ["TYPE_EMAIL"]),
        ("ann@example..com", ["TYPE_EMAIL"]),
        ("jürgen@example.com", ["TYPE_EMAIL"]),
        ("Ann <ann@example.com>", ["TYPE_EMAIL"]),
        ("ann@localhost", ["TYPE_EMAIL"]),
        ("ann@host.invalid", ["TYPE_EMAIL"]),
        ("ann@[127.0.0.1]", ["TYPE_EMAIL"]),
        ('"a b"@example.com', ["TYPE_EMAIL"]),
        ("a" * 65 + "@example.com", "a" * 65 + "@example.com"),
        ("a" * 250 + "@example.com", ["TYPE_EMAIL"]),
        ("a" * 310 + "@example.com", ["TOO_LONG"]),
    ],
)
def test_an_email_is_an_address_that_mail_can_reach(
    parsed: Callable[..., Any], typed: str, kept: Any
) -> None:
    assert parsed("email", typed) == kept


@pytest.mark.parametrize(
    ("typed", "keys", "kept"),
    [
        ("+44 20 7946 0018", "", "+44 20 7946 0018"),
        ("020 7946 0018", 'region = "GB"', "020 7946 0018"),
        ("07700 900123", 'region = "GB"', "07700 900123"),
        ("\u202a+44 20 7946 0018\u202c", "", "+44 20 7946 0018"),
        ("(212) 555-0123", 'region = "US"', "(212) 555-0123"),
        ("0049 30 901820", "", "0049 30 901820"),
        ("0049 30 901820", 'region = "US"', "0049 30 901820"),
        ("+49 30 901820 ext. 5", "", "+49 30 901820 ext. 5"),
        ("", 'region = "GB"', None),
        ("020 7946 0018", "", ["TYPE_PHONE"]),
        ("555-0123", 'region = "US"', ["TYPE_PHONE"]),
        ("999", 'region = "GB"', ["TYPE_PHONE"]),
        ("none", 'region = "GB"', ["TYPE_PHONE"]),
        ("+999 123", "", ["TYPE_PHONE"]),
        ("+4420794600180000", "", ["TYPE_PHONE"]),
        ("1" * 51, 'region = "GB"', ["TOO_LONG"]),
    ],
)
def test_a_phone_number_can_be_dialled_from_abroad(
    parsed: Callable[..., Any], typed: str, keys: str, kept: Any
) -> None:
    assert parsed("tel", typed, keys) == kept


def test_a_phone_without_region_asks_for_the_country_code(make_form: FormMaker, post: Post) -> None:
    abroad = make_form('name = "x"\ntype = "tel"\nlabel = "X"')
    at_home = make_form('name = "x"\ntype = "tel"\nlabel = "X"\nregion = "GB"')
    texts = [
        post(form, email="ann@example.com", x="12").faults()[0].message
        for form in (abroad, at_home)
    ]
    assert texts == [
        "should be a phone number with its country code, such as +44 20 7946 0018",
        "should be a phone number with its area code",
    ]


@pytest.mark.parametrize(
    ("typed", "keys", "kept"),
    [
        ("12", "", 12),
        ("-1.50", "", -1.5),
        ("+3", "", 3),
        (".5", "", 0.5),
        ("5.", "", 5),
        ("1e3", "", 1000),
        ("1.5E1", "", 15),
        ("0", "required = true", 0),
        ("-0", "", 0),
        ("0e9999", "", 0),
        (" 7 ", "", 7),
        ("999999999999999", "", 999999999999999),
        ("", "", None),
        ("", "min = 1", None),
        ("1", "min = 1\nmax = 1", 1),
        ("0.9", "min = 1", ["TOO_SMALL"]),
        ("1.1", "max = 1", ["TOO_LARGE"]),
        ("nan", "", ["TYPE_NUMERIC"]),
        ("inf", "", ["TYPE_NUMERIC"]),
        ("-Infinity", "", ["TYPE_NUMERIC"]),
        ("1_000", "", ["TYPE_NUMERIC"]),
        ("1,5", "", 1.5),
        ("1,500.25", "", 1500.25),
        ("1e9999", "", ["TYPE_NUMERIC"]),
        ("1e-300", "", ["TYPE_NUMERIC"]),
        ("1e99999999999", "", ["TYPE_NUMERIC"]),
        ("1000000000000000", "", ["TYPE_NUMERIC"]),
        ("0x10", "", ["TYPE_NUMERIC"]),
        ("٣", "", 3),
        ("\u22123.5", "", -3.5),
        ("about ten", "", ["TYPE_NUMERIC"]),
        ("3 4", "", ["TYPE_NUMERIC"]),
        (".", "", ["TYPE_NUMERIC"]),
        ("1" * 51, "", ["TOO_LONG"]),
    ],
)
def test_a_number_is_finite_and_decimal(
    parsed: Callable[..., Any], typed: str, keys: str, kept: Any
) -> None:
    answer = parsed("number", typed, keys)
    assert answer == kept
    assert type(answer) is type(kept)


@pytest.mark.parametrize(
    ("typed", "keys", "kept"),
    [
        ("2026-02-28", "", "2026-02-28"),
        ("2024-02-29", "", "2024-02-29"),
        (" 2026-02-28 ", "", "2026-02-28"),
        ("", "", None),
        ("2026-02-29", "", ["TYPE_DATE"]),
        ("2026-2-1", "", "2026-02-01"),
        ("20260201", "", ["TYPE_DATE"]),
        ("2026-W01-1", "", ["TYPE_DATE"]),
        ("28.02.2026", "", "2026-02-28"),
        ("02/03/2026", "", "2026-03-02"),
        ("3 April 2026", "", "2026-04-03"),
        ("1980年4月3日", "", "1980-04-03"),
        ("next week", "", ["TYPE_DATE"]),
        ("28.02.26", "", ["TYPE_DATE"]),
        ("0000-01-01", "", ["TYPE_DATE"]),
        ("2026-01-01", "min = 2026-01-01\nmax = 2026-01-01", "2026-01-01"),
        ("2025-12-31", 'min = "2026-01-01"', ["TOO_SMALL"]),
        ("2026-01-02", "max = 2026-01-01", ["TOO_LARGE"]),
    ],
)
def test_a_date_is_in_the_calendar(
    parsed: Callable[..., Any], typed: str, keys: str, kept: Any
) -> None:
    assert parsed("date", typed, keys) == kept


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://www.example.com/a?b=c#d", "https://www.example.com/a?b=c#d"),
        ("http://example.com:8080", "http://example.com:8080"),
        ("www.example.com", "https://www.example.com"),
        ("example.com:8080/x", "https://example.com:8080/x"),
        ("https://münchen.example", "https://münchen.example"),
        ("HTTPS://Example.com", "HTTPS://Example.com"),
        ("", None),
        ("example", ["TYPE_URL"]),
        ("ftp://example.com", ["TYPE_URL"]),
        ("javascript:alert(1)", ["TYPE_URL"]),
        ("data:text/html,x.y", ["TYPE_URL"]),
        ("mailto:ann@example.com", ["TYPE_URL"]),
        ("https://user:pw@example.com", ["TYPE_URL"]),
        ("https://exa mple.com", ["TYPE_URL"]),
        ("https://", None),
        ("http://", None),
        ("http://www.", None),
        (" HTTP: ", None),
        ("https:///", ["TYPE_URL"]),
        ("https://[::1", ["TYPE_URL"]),
        ("https://example.com:99999", ["TYPE_URL"]),
        ("https://example..com", ["TYPE_URL"]),
        ("a." * 1000 + "aa", ["TOO_LONG"]),
        ("a." * 998 + "aaaa", ["TOO_LONG"]),
    ],
)
def test_a_url_is_a_web_address(parsed: Callable[..., Any], typed: str, kept: Any) -> None:
    assert parsed("url", typed) == kept


@pytest.mark.parametrize("kind", ["select", "radio"])
@pytest.mark.parametrize(
    ("posted", "kept"),
    [
        *(("s", "s"), (" l ", "l"), ("", None), ("S", "s"), ("xl", None), ("on", None)),
        *(("Small one", "s"), ("SMALL  ONE", "s"), ("Large", "l")),
    ],
)
def test_a_listed_value_is_chosen_by_itself_or_its_label(
    parsed: Callable[..., Any], kind: str, posted: str, kept: Any
) -> None:
    options = 'options = [{ value = "s", label = "Small one" }, { value = "l", label = "Large" }]'
    assert parsed(kind, posted, options) == kept
    required = parsed(kind, posted, f"{options}\nrequired = true")
    assert required == (kept or ["REQUIRED_FIELD_EMPTY"])


def test_a_value_of_the_form_file_is_cleaned_as_what_is_posted(
    parsed: Callable[..., Any],
) -> None:
    keys = 'options = [{ value = " e\u0301 t\\u0009o ", label = "E" }]'
    assert parsed("select", "e\u0301 t\to", keys) == "é t o"


@pytest.mark.parametrize(
    ("posted", "kept"),
    [
        (["b"], ["b"]),
        (["c", "a", "a"], ["a", "c"]),
        (["", "b"], ["b"]),
        ([""], None),
        (["a", "x"], ["a"]),
        (["x"], None),
        (["", "0", "False", "A"], ["a"]),
    ],
)
def test_checkboxes_keep_listed_values_in_the_order_of_the_form_file(
    parsed: Callable[..., Any], posted: list[str], kept: Any
) -> None:
    assert parsed("checkboxes", posted, 'options = ["a", "b", "c"]') == kept


TICKS = [
    ("true", True),
    ("True", True),
    ("on", True),
    ("1", True),
    ("yes", True),
    (" on ", True),
    ("false", False),
    ("", False),
    ("0", False),
    ("off", False),
    ("no", False),
    (" \u3000", False),
    ("FALSE", False),
    ("No ", False),
    ("oFF", False),
    ("Y", True),
    ("YES", True),
    ("agree", True),
    ("I agree to it all.", True),
    ("ja", True),
    ("2", True),
    ("同意する", True),
    (["0", "1"], True),
    (["1", "0"], True),
    (["", "on"], True),
    (["false", "true"], True),
    (["True", "False"], True),
    (["off", "off"], False),
    (["no", ""], False),
]


@pytest.mark.parametrize("kind", ["checkbox", "consent"])
@pytest.mark.parametrize(("posted", "kept"), TICKS)
def test_a_box_is_ticked_by_all_but_known_negatives(
    parsed: Callable[..., Any], kind: str, posted: str | list[str], kept: object
) -> None:
    assert parsed(kind, posted) is kept


@pytest.mark.parametrize(
    ("posted", "value", "kept"),
    [("gold", "gold", True), ("0", "gold", False), ("no", "no", True), ("off", "no", False)],
)
def test_a_box_is_ticked_by_its_own_value(
    parsed: Callable[..., Any], posted: str, value: str, kept: object
) -> None:
    assert parsed("checkbox", posted, f'value = "{value}"') is kept


REQUIRED = [
    ("text", "", "is required"),
    ("textarea", "", "is required"),
    ("email", "", "is required"),
    ("tel", "", "is required"),
    ("number", "", "is required"),
    ("date", "", "is required"),
    ("url", "", "is required"),
    ("select", 'options = ["a"]', "must be chosen"),
    ("radio", 'options = ["a"]', "must be chosen"),
    ("checkboxes", 'options = ["a"]', "must be chosen"),
    ("checkbox", "", "must be ticked"),
    ("consent", "", "must be ticked"),
]


@pytest.mark.parametrize(("kind", "keys", "message"), REQUIRED)
def test_a_required_field_tells_empty_from_missing(
    make_form: FormMaker, post: Post, kind: str, keys: str, message: str
) -> None:
    form = make_form(f'name = "x"\ntype = "{kind}"\nlabel = "The X"\nrequired = true\n{keys}')
    found = []
    for posted in ({}, {"x": " "}):
        fault = post(form, email="ann@example.com", **posted).faults()
        assert len(fault) == 1
        found.append((fault[0].field, fault[0].label, fault[0].code, fault[0].message))
    assert found == [
        ("x", "The X", "REQUIRED_FIELD_MISSING", message),
        ("x", "The X", "REQUIRED_FIELD_EMPTY", message),
    ]


@pytest.mark.parametrize(
    ("source", "posted", "kept"),
    [
        ('value = "fixed"', "other", "fixed"),
        ('value = "fixed"', "", "fixed"),
        ('from_query = "q"', " a\nb ", "a b"),
        ('from_query = "q"', "", None),
        ('from_query = "q"', "a" * 1500, "a" * 1000),
        ('from_query = "q"\nto = "postal_code"', "a" * 1500, "a" * 100),
    ],
)
def test_a_hidden_field_is_never_the_visitors_fault(
    make_form: FormMaker, post: Post, source: str, posted: str, kept: str | None
) -> None:
    form = make_form(f'name = "x"\ntype = "hidden"\n{source}')
    bound = post(form, email="ann@example.com", x=posted)
    assert bound.faults() == []
    reading = read(form, bound, default_site="main", page=None, referrer=None)
    assert reading.answers.get("x") == kept


MESSAGES = [
    (("text", "min_length = 2", "a"), "should have at least 2 characters"),
    (("text", "max_length = 1", "ab"), "should have at most 1 character"),
    (("number", "min = 10", "9"), "should be 10 or more"),
    (("number", "max = 2.5", "9"), "should be 2.5 or less"),
    (("number", "", "x"), "should be a number"),
    (("date", "min = 2026-01-01", "2025-01-01"), "should be 2026-01-01 or later"),
    (("date", "max = 2026-01-01", "2027-01-01"), "should be 2026-01-01 or earlier"),
    (("email", "", "x"), "should be an e-mail address such as name@example.com"),
    (("url", "", "x"), "should be a web address such as https://www.example.com"),
    (("select", 'options = ["a"]\nrequired = true', "x"), "must be chosen"),
]


@pytest.mark.parametrize(("case", "message"), MESSAGES)
def test_messages_are_predicates(
    make_form: FormMaker, post: Post, case: tuple[str, str, str], message: str
) -> None:
    kind, keys, posted = case
    form = make_form(f'name = "x"\ntype = "{kind}"\nlabel = "X"\n{keys}')
    assert [f.message for f in post(form, email="ann@example.com", x=posted).faults()] == [message]
