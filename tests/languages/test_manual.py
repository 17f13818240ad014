"""What the manual says about languages is true of its own example."""

import re

from formapp.forms.definition.parse import parse_form
from formapp.languages import SPOKEN, own_name
from formapp.manual import read

MANUAL = read("forms")
BLOCKS = re.findall(r"^```toml\n(.+?)\n```$", MANUAL, re.MULTILINE | re.DOTALL)


def test_the_texts_of_another_language_fit_the_form_of_the_manual() -> None:
    [form] = [block for block in BLOCKS if 'title = "Call me back"' in block]
    [texts] = [block for block in BLOCKS if block.startswith("[texts.de]")]

    assert parse_form("callback.toml", f"{form}\n{texts}").languages == ("en", "de")


def test_the_manual_names_every_language() -> None:
    english = {"en": "English", "de": "German", "fr": "French", "es": "Spanish"}
    english |= {"pt": "Portuguese", "he": "Hebrew", "ar": "Arabic", "ja": "Japanese"}

    assert set(SPOKEN) == set(english), f"name {own_name(SPOKEN[-1])} in the manual as well"
    said = MANUAL[MANUAL.index("## Languages") :][:400]
    assert [name for name in english.values() if name not in said] == []
