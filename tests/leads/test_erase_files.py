"""Erasing a person whom another person's file names."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from formapp.db.database import Database
from formapp.files.records import of_submission
from formapp.files.store import FolderStore
from formapp.forms.notes import Note
from formapp.leads.accept import Submission
from formapp.leads.erase import Erasure, erase_person
from formapp.signing import Keyring
from tests.support.files import attach_file
from tests.support.leads import EMAIL, PHONE, lead, submission
from tests.support.ledger import everything, kept, submission_row


def erase(database: Database) -> Erasure:
    keyring = Keyring(["the secret key of today"])
    return erase_person(database, [EMAIL, PHONE], keyring=keyring, now=datetime.now(UTC))


def others_lead(answers: dict[str, Any]) -> Submission:
    return submission(lead("bo@example.net"), answers=answers)


@pytest.mark.parametrize(
    ("name", "left"),
    [
        (f"CV {EMAIL}.pdf", "CV [erased].pdf"),
        (f"CV_{EMAIL}_2026.pdf", "CV_[erased]_2026.pdf"),
        (f"{PHONE}.jpg", "[erased].jpg"),
        (EMAIL, "[erased]"),
    ],
)
@pytest.mark.parametrize("in_answers", [True, False])
def test_a_person_is_erased_from_the_names_of_others_files(
    database: Database, tmp_path: Path, name: str, left: str, *, in_answers: bool
) -> None:
    answers = {"photos": [name, "roof.jpg"]} if in_answers and name != EMAIL else {}
    other = kept(database, others_lead(answers))
    store = FolderStore(tmp_path / "files")
    for each in (name, "roof.jpg"):
        attach_file(database, store, other, name=each)
    assert erase(database).redacted == [other]
    with database.read() as connection:
        found = of_submission(connection, other)
    assert [each.name for each in found] == [left, "roof.jpg"]
    assert not [text for text in (EMAIL, PHONE) if text in everything(database)]
    if answers:
        assert submission_row(database, other)["answers"]["photos"] == [left, "roof.jpg"]


@pytest.mark.parametrize("code", ["FILE_DROPPED", "FILE_NAME_ONLY"])
def test_a_person_is_erased_from_the_names_of_files_that_were_not_kept(
    database: Database, code: str
) -> None:
    notes = [Note(code=code, field="cv", value=f"cv_{EMAIL}.pdf")]
    other = kept(database, replace(others_lead({}), notes=notes))
    assert erase(database).redacted == [other]
    assert submission_row(database, other)["notes"][0]["value"] == "cv_[erased].pdf"
