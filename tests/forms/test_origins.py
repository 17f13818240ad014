"""The websites that may embed a form and post to it."""

from collections.abc import Callable

import pytest

from formapp.forms.form import Form
from formapp.forms.origins import normalise

FormMaker = Callable[..., Form]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("HTTPS://WWW.Example.com:443", "https://www.example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://example.com:443", "http://example.com:443"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:5500", "http://127.0.0.1:5500"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("https://*.example.com", "https://*.example.com"),
        ("*", "*"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(written: str, normal: str) -> None:
    assert normalise(written) == normal


@pytest.mark.parametrize(
    "written",
    [
        "",
        "null",
        "www.example.com",
        "//www.example.com",
        "ftp://example.com",
        "https://",
        "https://example.com/",
        "https://example.com?a",
        "https://example.com#",
        "https://example.com\\x",
        "https://a@example.com",
        "https://a b.example",
        "https://example.com:0x50",
        "https://example.com:99999",
        "https://*",
        "https://*.com",
        "https://a.*.example.com",
        "https://-a.example",
        "https://a..example",
        "https://[::1",
        "https://ü..example",
        # Python would make strasse.example of it, a host of somebody else's.
        "https://straße.example",
        "https://STRAẞE.example",
        "https://νέος.example",
        "**",
    ],
)
def test_what_is_no_origin_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="origin"):
        normalise(written)


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [
        ("https://www.example.com", "https://www.example.com", True),
        ("https://www.example.com", "https://WWW.EXAMPLE.com:443", True),
        ("https://www.example.com", "http://www.example.com", False),
        ("https://www.example.com", "https://www.example.com:8443", False),
        ("https://www.example.com", "https://example.com", False),
        ("https://www.example.com", "https://www.example.com.evil.example", False),
        ("https://*.example.com", "https://a.example.com", True),
        ("https://*.example.com", "https://a.b.example.com", True),
        ("https://*.example.com", "https://example.com", False),
        ("https://*.example.com", "https://evilexample.com", False),
        ("https://*.example.com", "http://a.example.com", False),
        ("https://*.example.com:8443", "https://a.example.com:8443", True),
        ("https://*.example.com", "https://a.example.com:8443", False),
        ("https://*.example.com", "https://*.example.com", False),
        ("*", "https://anybody.example", True),
        ("*", "null", False),
        ("*", "", False),
        ("*", "*", False),
    ],
)
def test_an_origin_is_matched_exactly(
    make_form: FormMaker, listed: str, origin: str, allowed: object
) -> None:
    form = make_form(top=f'origins = ["{listed}"]')
    assert form.definition.allows_origin(origin) is allowed


def test_a_form_without_origins_allows_nobody(make_form: FormMaker) -> None:
    assert make_form().definition.allows_origin("https://www.example.com") is False
