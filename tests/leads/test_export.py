"""Rows for a spreadsheet: a column for each field, and no cell becomes a formula."""

from datetime import timedelta

import pytest

from formapp.db.database import Database
from formapp.leads.accept import Status
from formapp.leads.export import csv_rows
from tests.support.clock import NOON
from tests.support.leads import lead, submission
from tests.support.ledger import kept

FIXED = ["id", "form", "state", "outcome", "contact_id", "received_at", "attempts"]
LAST = ["_unknown", "_notes"]


def test_fields_are_columns_in_the_order_in_which_they_came(database: Database) -> None:
    first = kept(database, submission(lead(), NOON, answers={"email": "a", "size": 2}))
    later = NOON + timedelta(hours=1)
    second = kept(database, submission(lead(), later, answers={"topics": ["x", "y"], "email": "b"}))
    kept(database, submission(lead(None), later, status=Status.SPAM, answers={"trap": ["z"]}))
    header, *rows = csv_rows(database)
    assert header == [*FIXED, "page", "referrer", "email", "size", "topics", *LAST]
    assert [(row[0], *row[-5:-2]) for row in rows] == [
        (first, "a", "2", ""),
        (second, "b", "", "x, y"),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_begins_like_a_formula_is_disarmed(sqlite: Database, start: str) -> None:
    armed = f"{start}SUM(A1)"
    answers = {"text": armed, "list": [armed, "x"], "number": -1.5, "later": f"1{start}1"}
    kept(sqlite, submission(lead(), answers=answers, meta={"page": armed}))
    header, row = csv_rows(sqlite)
    cells = dict(zip(header, row, strict=True))
    assert cells["page"] == cells["text"] == f"'{armed}"
    assert cells["list"] == f"'{armed}, x"
    assert (cells["number"], cells["later"]) == ("-1.5", f"1{start}1")


def test_unknown_fields_and_notes_have_a_column_each(database: Database) -> None:
    unknown = {"=budget": "5", "tags": ["a", "b"]}
    notes = [{"code": "FILE_DROPPED", "field": "cv", "value": "cv.pdf"}]
    kept(database, submission(lead(), unknown=unknown, notes=notes))
    kept(database, submission(lead()))
    _, first, second = csv_rows(database)
    file = "cv: A file was sent, which forms don't take: it was dropped: “cv.pdf”"
    assert first[-2:] == ["'=budget: 5\ntags: a, b", file]
    assert second[-2:] == ["", ""]
