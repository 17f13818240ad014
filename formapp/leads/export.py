"""Submissions with their answers: as rows of a spreadsheet, or as a line of JSON each.

`export_csv` and `export_jsonl` write what a filter selects, newest first, and read a batch at a
time: their memory doesn't grow with the number of submissions.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat
from sqlalchemy import Row

from formapp.db.database import Database
from formapp.files.records import FileRecord, of_submissions
from formapp.forms.definition.model import FormDefinition
from formapp.forms.notes import format_note
from formapp.leads.lead_filter import LeadFilter
from formapp.leads.report import entry_of, file_entry, read_batches, select_submissions
from formapp.leads.search import iterate_ids
from formapp.leads.timeline import format_value
from formapp.printable import without_controls

BOM = "\ufeff"
"""At the beginning of a file, so that Excel reads it as UTF-8."""

_COLUMNS = ("id", "form", "state", "outcome", "contact_id", "received_at", "attempts")
_META = ("page", "referrer")
_NUMBER = re.compile(r"\+[0-9]{1,3}(?: [0-9]+(?:-[0-9]+)*)+(?: ext\. [0-9]+)?")
"""A telephone number in groups, which no spreadsheet takes for a number or a formula."""

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
    fields = list(dict.fromkeys(name for row in _rows(database) for name in row.answers))
    yield [*_COLUMNS, *_META, *fields, "_unknown", "_notes"]
    for row in _rows(database):
        entry = entry_of(row)
        unknown = (f"{name}: {_text(value)}" for name, value in (row.unknown or {}).items())
        cells = [entry[name] for name in _COLUMNS]
        cells += [row.meta.get(name) for name in _META]
        cells += [row.answers.get(name) for name in fields]
        cells += ["\n".join(unknown), _notes(row)]
        yield [_disarmed(cell) for cell in cells]


def _rows(database: Database) -> Iterator[Row[Any]]:
    with database.read() as connection:
        yield from connection.execute(select_submissions(with_spam=False))


def _notes(row: Row[Any]) -> str:
    return "\n".join(format_note(note) for note in row.notes or ())


def export_csv(
    database: Database, wanted: LeadFilter, form: FormDefinition | None, *, bom: bool = False
) -> Iterator[str]:
    """Yield a CSV file (RFC 4180) of the submissions of one form, in pieces.

    The columns are the form's fields by their labels; answers of fields that it hasn't any more are
    in one column. Times are in UTC, as people and spreadsheets read them. Telephone numbers are
    grouped, which spreadsheets leave as they are; other cells that begin like a formula get a `'`.
    """
    fields = form.fields if form else ()
    labels = [field.label or field.name for field in fields]
    file = io.StringIO()
    writer = csv.writer(file)
    header = [
        *("Received (UTC)", *labels, "State", "Outcome", "Contact at Wix", "Page", "Referrer"),
        *("Other answers", "Fields that the form doesn't know", "Notes", "Id"),
    ]
    writer.writerow([_disarmed(without_controls(label)) for label in header])
    if bom:
        yield BOM
    for rows in read_batches(database, iterate_ids(database, wanted)):
        for row in rows:
            writer.writerow([_cell(value) for value in _values(row, form)])
        yield _taken(file)
    yield _taken(file)


def _values(row: Row[Any], form: FormDefinition | None) -> Iterator[object]:
    answers = dict(row.answers)
    yield row.received_at
    for field in form.fields if form else ():
        value, e164 = answers.pop(field.name, None), answers.pop(f"{field.name}.e164", None)
        labels = {option.value: option.label for option in field.options}
        yield _grouped(e164) if e164 else format_value(value, labels)
    yield from (row.state, row.outcome, row.contact_id)
    yield from (row.meta.get("page"), row.meta.get("referrer"))
    yield _lines(answers)
    yield _lines(row.unknown or {})
    yield _notes(row)
    yield row.id


def _lines(values: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {format_value(value)}" for name, value in values.items())


def export_jsonl(database: Database, wanted: LeadFilter) -> Iterator[str]:
    """Yield a line of JSON for each submission; its answers have their names in the form file."""
    for rows in read_batches(database, iterate_ids(database, wanted)):
        with database.read() as connection:
            files = of_submissions(connection, [row.id for row in rows])
        objects = (_object(row, files.get(row.id, [])) for row in rows)
        lines = (json.dumps(each, ensure_ascii=False) for each in objects)
        # JSON lets a terminal's commands of one character through.
        yield "".join(f"{without_controls(line)}\n" for line in lines)


def _object(row: Row[Any], files: list[FileRecord]) -> dict[str, Any]:
    return {
        **entry_of(row),
        "answers": row.answers,
        "unknown": row.unknown or {},
        "notes": row.notes or [],
        "consents": row.consents,
        "files": [file_entry(each) for each in files],
        "page": row.meta.get("page"),
        "referrer": row.meta.get("referrer"),
    }


def _taken(file: io.StringIO) -> str:
    text = file.getvalue()
    file.seek(0)
    file.truncate()
    return text


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = without_controls("" if value is None else str(value))
    return text if _NUMBER.fullmatch(text) else _disarmed(text)


def _grouped(number: str) -> str:
    """Return a number in E.164 as people write it abroad: `+44 20 7946 0018`."""
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:
        return number
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def _disarmed(value: object) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    text = _text(value)
    return _FORMULA.sub("\\g<0>'", text) if isinstance(value, str | list) else text


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
