"""Tags of languages: which one is meant, which way it runs, what it calls itself."""

import pytest

from formapp.languages import direction, lookup, negotiate, own_name, spoken_for


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de_AT", "de"),
        ("zh-Hant-HK", "zh-Hant"),
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("fr", None),
        ("d", None),
        ("", None),
        ("*", None),
        ("de'--", None),
        ("de-x" + "-a" * 10_000, None),
    ],
)
def test_a_tag_finds_the_language_that_fits_best(wanted: str, found: str | None) -> None:
    assert lookup(wanted, ["en", "de", "zh-Hant", "pt-BR"]) == found


@pytest.mark.parametrize(
    ("accepted", "found"),
    [
        ([("de-AT", 1.0), ("en", 0.8)], "de"),
        ([("fr", 1.0), ("en", 0.8), ("de", 0.5)], "en"),
        ([("de", 0.0), ("en", 0.1)], "en"),
        ([("fr", 1.0)], None),
        ([], None),
    ],
)
def test_the_browsers_first_language_that_is_offered_is_chosen(
    accepted: list[tuple[str, float]], found: str | None
) -> None:
    assert negotiate(accepted, ["en", "de"]) == found


@pytest.mark.parametrize(
    ("language", "way"),
    [
        ("he", "rtl"),
        ("ar-EG", "rtl"),
        ("fa", "rtl"),
        ("az-Arab-IR", "rtl"),
        ("az", "ltr"),
        ("ur-Latn", "ltr"),
        ("en-GB", "ltr"),
        ("ja", "ltr"),
    ],
)
def test_the_direction_is_that_of_the_script(language: str, way: str) -> None:
    assert direction(language) == way


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("de", "Deutsch"),
        ("fr", "Français"),
        ("he", "עברית"),
        ("pt-BR", "Português (Brasil)"),
        ("tlh", "tlh"),
    ],
)
def test_a_language_is_called_by_its_own_name(language: str, name: str) -> None:
    assert own_name(language) == name


@pytest.mark.parametrize(
    ("language", "spoken"), [("de-CH", "de"), ("en-GB", "en"), ("pt-BR", "pt"), ("tlh", None)]
)
def test_formapp_speaks_the_language_of_a_region_too(language: str, spoken: str | None) -> None:
    assert spoken_for(language) == spoken
