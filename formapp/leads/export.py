"""All submissions with their answers as rows of a spreadsheet."""

import re
from collections.abc import Iterator
from typing import Any

from formapp.db.database import Database
from formapp.forms.notes import format_note
from formapp.leads.report import entry_of, select_submissions

_COLUMNS = ("id", "form", "state", "outcome", "contact_id", "received_at", "attempts")
_META = ("page", "referrer")
_MORE = ("_unknown", "_notes")
# At a cell's beginning, as OWASP lists them, and in the full-width forms that Excel reads alike. A
# program that parts cells at semicolons or tabs, as Excel does in half of Europe, sees further
# beginnings; a sign there is a formula only with a function, or with DDE's `|` or `!`.
_FORMULA = re.compile(
    r"""\A(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])
    | (?<=[;\t\r\n]) [ "']*+ (?=[=@\uff1d\uff20] | [+\-\uff0b\uff0d][^;\t\r\n]*?[(|!])""",
    re.VERBOSE,
)


def csv_rows(database: Database) -> Iterator[list[str]]:
    """The header, then a row for each submission but honeypot catches, oldest first.

    A column for each field in the order of first appearance, one for all fields that the form
    doesn't know, one for notes. No cell begins like a formula.
    """
    answers = (row["answers"] for row in _entries(database))
    fields = list(dict.fromkeys(name for each in answers for name in each))
    yield [*_COLUMNS, *_META, *fields, *_MORE]
    for row in _entries(database):
        cells = [row[name] for name in _COLUMNS]
        cells += [row["meta"].get(name) for name in _META]
        cells += [row["answers"].get(name) for name in fields]
        cells += ["\n".join(row["unknown"]), "\n".join(row["notes"])]
        yield [_disarmed(cell) for cell in cells]


def _entries(database: Database) -> Iterator[dict[str, Any]]:
    with database.read() as connection:
        for row in connection.execute(select_submissions(with_spam=False)):
            unknown = [f"{name}: {_text(value)}" for name, value in (row.unknown or {}).items()]
            notes = [format_note(note) for note in row.notes or ()]
            more = {"answers": row.answers, "meta": row.meta, "unknown": unknown, "notes": notes}
            yield entry_of(row) | more


def _disarmed(value: object) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    text = _text(value)
    return _FORMULA.sub("\\g<0>'", text) if isinstance(value, str | list) else text


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
