"""The catalogues hold every text of formapp's own, in every language, and what is read is what was
written."""

import ast
import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message

from formapp.languages import SPOKEN, direction, load_texts
from formapp.resources import PACKAGE
from tests.support.catalogues import OTHERS, compiled, extracted, path_of, read

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
# These hold text of the page's own language or a plain number.
OF_THE_PAGE = {"answer", "step", "steps", "label", "title", "count", "name"}
LEFT_TO_RIGHT = re.compile(r"[A-Za-z0-9+][A-Za-z0-9+@:/._ -]*")
RIGHT_TO_LEFT = [language for language in OTHERS if direction(language) == "rtl"]
ISOLATE, END = "\u2066", "\u2069"

each_language = pytest.mark.parametrize("language", OTHERS)


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extracted()


def texts(message: Message) -> list[str]:
    """What a translator wrote, one for each number that the language has."""
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def written(language: str) -> Iterator[Message]:
    return (message for message in read(language) if message.id)


def test_the_languages_to_begin_with_are_all_there() -> None:
    assert {"en", "de", "fr", "es", "pt", "he", "ar", "ja"} <= set(SPOKEN)


def test_texts_are_found_in_code_and_in_templates(template: Catalog) -> None:
    assert "is required" in template
    assert "There is no form at this address." in template
    assert "This page sets no cookies." in template
    assert "Enter your %(label)s." in template
    assert template["Enter at least %(count)s character."].pluralizable


@each_language
def test_a_language_has_every_text_and_no_other(template: Catalog, language: str) -> None:
    catalog = read(language)

    wanted = {message.id for message in template if message.id}
    assert {message.id for message in catalog if message.id} == wanted, "python -m tests.languages"
    assert catalog.obsolete == {}


@each_language
def test_every_text_is_translated_and_none_is_a_guess(language: str) -> None:
    for message in written(language):
        assert all(texts(message)), message.id
        assert not message.fuzzy, message.id


@each_language
def test_a_translation_puts_in_what_the_original_does(language: str) -> None:
    for message in written(language):
        singular = message.id if isinstance(message.id, str) else message.id[0]
        wanted = sorted(PLACEHOLDER.findall(singular))
        for text in texts(message):
            found = sorted(PLACEHOLDER.findall(text))
            # "One character" needn't have its number put in.
            assert found == wanted or (message.pluralizable and not found), message.id


@each_language
def test_a_translation_ends_as_the_original_does(language: str) -> None:
    """So that a predicate doesn't get two stops, nor a sentence none."""
    for message in written(language):
        singular = message.id if isinstance(message.id, str) else message.id[0]
        for text in texts(message):
            assert text == text.strip()
            assert text.endswith((".", "。")) == singular.endswith("."), message.id


@each_language
def test_what_is_read_is_what_was_written(language: str) -> None:
    catalog = read(language)

    assert path_of(language, ".mo").read_bytes() == compiled(catalog), "python -m tests.languages"
    ours = load_texts(language)
    assert ours.gettext("is required") == catalog["is required"].string


def test_french_punctuation_never_begins_a_line() -> None:
    for message in written("fr"):
        for text in texts(message):
            assert not re.search("[ ][:;!?»]|«[ ]", text), message.id


@pytest.mark.parametrize("language", RIGHT_TO_LEFT)
def test_what_runs_left_to_right_is_kept_apart(language: str) -> None:
    """Else a date or a telephone number would show its groups in the wrong order."""
    for message in written(language):
        for text in texts(message):
            outside = re.sub(f"{ISOLATE}[^{ISOLATE}{END}]*{END}", "", text)
            assert not {ISOLATE, END} & set(outside), message.id
            assert set(PLACEHOLDER.findall(outside)) <= OF_THE_PAGE, message.id
            assert not LEFT_TO_RIGHT.search(PLACEHOLDER.sub("", outside)), message.id


def _calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                yield f"{path}:{node.lineno}", node


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "texts"),
    [("RefusalError", (2, 3)), ("gettext_noop", (0, 1)), ("ngettext_noop", (0, 2))],
)
def test_no_text_is_put_together_where_it_is_written(name: str, texts: tuple[int, int]) -> None:
    """A catalogue can't hold it then; what varies is a placeholder."""
    calls = list(_calls(name))
    assert calls
    for place, call in calls:
        for text in call.args[slice(*texts)]:
            plain = isinstance(text, ast.Name | ast.Call | ast.Subscript) or (
                isinstance(text, ast.Constant) and isinstance(text.value, str)
            )
            assert plain, place


@pytest.mark.slow
def test_the_texts_of_error_messages_are_marked_for_the_catalogues() -> None:
    calls = list(_calls("ErrorMessage"))
    assert calls
    for place, call in calls:
        texts = call.args[1:]
        assert all(isinstance(text, ast.Name | ast.Call | ast.Starred) for text in texts), place
