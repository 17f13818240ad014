"""The manual's book file can be used as it is."""

import re

from formapp.crm.books import BookFile, FieldTable, parse_book
from formapp.manual import read


def test_the_manual_s_book_is_valid_and_every_key_is_explained() -> None:
    text = read("crm")
    (example,) = re.findall(r"^```toml\n(.+?)\n```$", text, re.MULTILINE | re.DOTALL)
    assert parse_book("main.toml", example).fields[-1].crm == "x.BUDGET"
    for key in {*BookFile.model_fields, *FieldTable.model_fields} - {"system", "url", "fields"}:
        assert f"| `{key}` |" in text
