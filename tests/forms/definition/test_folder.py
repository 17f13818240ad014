"""Reading a folder of form files."""

from pathlib import Path

import pytest

from formapp.forms.definition.parse import FormFilesError, load_definitions
from formapp.forms.form import load_forms
from formapp.resources import BUNDLED_FORMS

GOOD = (
    'title = "Contact"\n[[fields]]\nname = "email"\ntype = "email"\nlabel = "E-mail"\nto = "email"'
)


def faults_of(folder: Path) -> list[str]:
    with pytest.raises(FormFilesError) as caught:
        load_definitions(folder)
    return str(caught.value).split("\n")


def test_the_bundled_forms_are_contact_newsletter_and_quote() -> None:
    assert list(load_forms(BUNDLED_FORMS)) == ["contact", "newsletter", "quote"]


def test_forms_carry_the_name_of_their_file(tmp_path: Path) -> None:
    (tmp_path / "ask-us.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a form", encoding="utf-8")
    forms = load_forms(tmp_path)
    assert list(forms) == ["ask-us"]
    assert forms["ask-us"].name == "ask-us"


def test_every_fault_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('titel = "x"', encoding="utf-8")
    (tmp_path / "b.toml").write_text("title =", encoding="utf-8")
    (tmp_path / "c.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "d.toml").write_bytes(b'title = "\xff"')
    (tmp_path / "e.toml").mkdir()
    expected = [
        "a.toml: title: is missing",
        "a.toml: fields: is missing",
        'a.toml:1: titel: is not a known key; did you mean "title"?',
        "b.toml: is not valid TOML: Invalid value (at line 1, column 8, the end of the file)",
        "d.toml: is not UTF-8 text (byte 9)",
        "e.toml: can't be read: Is a directory",
    ]
    assert faults_of(tmp_path) == expected


def test_a_missing_folder_is_a_fault(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert faults_of(folder) == [f"{folder}: can't be read as a folder: No such file or directory"]


def test_a_file_in_place_of_a_folder_is_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "contact.toml"
    file.write_text(GOOD, encoding="utf-8")
    assert faults_of(file) == [f"{file}: can't be read as a folder: Not a directory"]


def test_a_folder_without_form_files_is_a_fault(tmp_path: Path) -> None:
    assert faults_of(tmp_path) == [f"{tmp_path}: holds no form file (*.toml)"]


def test_a_comment_does_not_change_the_version(tmp_path: Path) -> None:
    file = tmp_path / "contact.toml"
    versions = set()
    for text in (GOOD, f"# a comment\n{GOOD}\n"):
        file.write_text(text, encoding="utf-8")
        versions.add(load_forms(tmp_path)["contact"].version)
    assert len(versions) == 1
    assert len(versions.pop()) == 12


def test_a_changed_text_changes_the_version(tmp_path: Path) -> None:
    file = tmp_path / "contact.toml"
    versions = set()
    for text in (GOOD, GOOD.replace("E-mail", "Mail"), f"keep_ip = true\n{GOOD}"):
        file.write_text(text, encoding="utf-8")
        versions.add(load_forms(tmp_path)["contact"].version)
    assert len(versions) == 3
