"""Book files: what is read, and every fault that is found in them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from formapp.crm.books import (
    BookFilesError,
    SecretsError,
    load_books,
    parse_book,
    read_secrets,
    variable,
)
from formapp.crm.model import Book, FieldPair

BOOK = """
system = "carddav"
url = "https://cloud.example.com/contacts/"
{more}

[[fields]]
wix = "name.first"
crm = "given_name"
{field}
"""


def _faults(text: str, file: str = "main.toml") -> list[str]:
    with pytest.raises(BookFilesError) as caught:
        parse_book(file, text)
    return str(caught.value).splitlines()


def _parse(more: str = "", field: str = "") -> Book:
    return parse_book("main.toml", BOOK.format(more=more, field=field))


def test_a_book_has_what_its_file_says_and_defaults_for_the_rest() -> None:
    text = """
        system = "hubspot"
        mode = "copy"
        every = "90s"
        region = "GB"
        [[fields]]
        wix = "extended.Budget in EUR"
        crm = "budget"
        direction = "to_crm"
        wins = "ask"
        clear = "propagate"
        [[fields]]
        wix = "emails"
        crm = "all_emails"
    """
    assert parse_book("shop-2.toml", text) == Book(
        "shop-2",
        "hubspot",
        "main",
        (
            FieldPair("extended.Budget in EUR", "budget", "to_crm", "ask", "propagate"),
            FieldPair("emails", "all_emails"),
        ),
        mode="copy",
        every=timedelta(seconds=90),
        region="GB",
    )


def test_every_fault_of_a_file_is_named_at_once_with_its_line() -> None:
    text = """system = "carddaw"
mode = "twoway"
every = "15 minutes"
url = "http://cloud.example.com/"
delets = "mark"
external_id_field = ""
region = "UK"

[[fields]]
wix = "name.frist"
crm = "given_name"
direction = "to-crm"

[[fields]]
wix = "emails"
crm = "given_name"
win = "wix"

[[fields]]
crm = "org"
"""
    found = _faults(text)
    assert [line.partition(": ")[0] for line in found] == [
        f"main.toml:{line}" for line in (1, 2, 3, 4, 5, 6, 7, 10, 12, 16, 17, 19)
    ]
    whole = "\n".join(found)
    for part in (
        'did you mean "carddav"?',
        'did you mean "two-way"?',
        'write it like "15m"',
        "is allowed to this machine only",
        'delets: is not a known key; did you mean "deletes"?',
        "external_id_field: is empty",
        'region: "UK" is no country',
        'fields[0] (name.frist).wix: "name.frist" is no field of Wix; did you mean "name.first"?',
        'did you mean "to_crm"?',
        'fields[1] (emails).win: is not a known key; did you mean "wins"?',
        'fields[1] (emails).crm: "given_name" is mapped already by fields[0]',
        "fields[2] (org).wix: is missing",
    ):
        assert part in whole


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("system = ", "is not valid TOML"),
        ('system = "webhook"', "fields: is missing"),
        ('system = "webhook"\nfields = []', "fields: is empty"),
        (
            'token = "hidden"',
            "main.toml:1: token: is a secret, which doesn't belong here; set FORM",
        ),
        ('system = "webhook"\nfields = "name"', "should be written as [[fields]]"),
        ('system = "webhook"\n[[fields]]\nwix = "phone"\ncrm = "p"', "url: is missing"),
        ('[[fields]]\nwix = "phone"\ncrm = "p"', "system: is missing"),
        ('system = "hubspot"\n[[fields]]\nwix = "labels"\ncrm = "l"', 'labels = "both"'),
        ('system = "hubspot"\n[[fields]]\nwix = "extended."\ncrm = "l"', "is no field of Wix"),
    ],
)
def test_a_file_that_can_t_be_used_says_why(text: str, problem: str) -> None:
    assert any(problem in line for line in _faults(text))


@pytest.mark.parametrize(
    ("more", "field", "problem"),
    [
        ('every = "0m"', "", "every"),
        ('every = "8d"', "", "every"),
        ('mode = "copy"', 'direction = "to_wix"', "writes nothing at Wix"),
        ('mode = "copy"\nlabels = "to_wix"', "", "writes nothing at Wix"),
        ("", '[[fields]]\nwix = "emails"\ncrm = "email"', "map like to like"),
        ("", '[[fields]]\nwix = "email"\ncrm = "e-mail"', 'did you mean "email"?'),
        ("", '[[fields]]\nwix = "company"\ncrm = "labels"', "labels are no field"),
        ("", '[[fields]]\nwix = "company"\ncrm = "x."', "is no field of CardDAV"),
        ("", '[[fields]]\nwix = "extended.externalCrmId"\ncrm = "x.ID"', "stores the CRM's id"),
    ],
)
def test_what_does_not_fit_together_is_a_fault(more: str, field: str, problem: str) -> None:
    with pytest.raises(BookFilesError, match=problem.replace("?", r"\?")):
        _parse(more, field)


@pytest.mark.parametrize(
    "url",
    [
        "https://cloud.example.com/contacts/",
        "http://127.0.0.1:5232/contacts/",
        "http://localhost/contacts/",
        "http://[::1]/contacts/",
    ],
)
def test_plain_http_is_allowed_to_this_machine(url: str) -> None:
    changed = BOOK.format(more="", field="").replace("https://cloud.example.com/contacts/", url)
    assert parse_book("main.toml", changed).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://cloud.example.com/",
        "http://127.0.0.1.example.com/",
        "https://user:secret@cloud.example.com/",
        "https://cloud.example.com/#a",
        "ftp://cloud.example.com/",
        "https://cloud example.com/",
        "cloud.example.com",
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(url: str) -> None:
    changed = BOOK.format(more="", field="").replace("https://cloud.example.com/contacts/", url)
    (line,) = _faults(changed)
    assert line.startswith("main.toml:3: url: ")
    assert "secret@" not in line


def test_an_x_name_of_carddav_is_allowed() -> None:
    book = _parse(field='[[fields]]\nwix = "extended.Budget"\ncrm = "x.BUDGET"')
    assert book.fields[1].crm == "x.BUDGET"


def test_a_folder_reports_all_files_and_names_that_share_their_variables(tmp_path: Path) -> None:
    for name in ("a-b", "a_b", "Capital"):
        (tmp_path / f"{name}.toml").write_text(BOOK.format(more="", field=""))
    (tmp_path / "wrong.toml").write_bytes(b"\xff")
    with pytest.raises(BookFilesError) as caught:
        load_books(tmp_path)
    whole = str(caught.value)
    assert "Capital.toml: \"Capital\" can't be a book's name" in whole
    assert "wrong.toml: is not UTF-8 text" in whole
    assert "a_b.toml: has the same environment variables as a-b.toml" in whole


def test_two_way_books_of_a_site_need_an_external_id_field_each(tmp_path: Path) -> None:
    """Each would take the ids that the other stores for its own, and hold all its contacts."""
    texts = {
        "b": "",
        "c": 'site = "other"',
        "copy": 'mode = "copy"',
        "d": 'every = "soon"\nexternal_id_field = "externalCrmId"',
        "e": 'external_id_field = "mailing"',
        "f": 'external_id_field = "EXTERNALCRMID"',
    }
    for name, more in texts.items():
        (tmp_path / f"{name}.toml").write_text(BOOK.format(more=more, field=""))
    with pytest.raises(BookFilesError) as caught:
        load_books(tmp_path)
    every, shared, in_another_case = str(caught.value).splitlines()
    assert every.startswith("d.toml:4: every: ")
    assert shared.startswith('d.toml:5: external_id_field: "externalCrmId" is the field of b.toml')
    assert "two-way books of the site main" in shared
    assert 'external_id_field = "externalCrmId d"' in shared
    assert in_another_case.startswith("f.toml:")
    assert "is the field of b.toml" in in_another_case
    for file in ("d.toml", "f.toml"):
        (tmp_path / file).unlink()
    assert [*load_books(tmp_path)] == ["b", "c", "copy", "e"]


def test_a_folder_without_books_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BookFilesError, match="holds no book file"):
        load_books(tmp_path)
    with pytest.raises(BookFilesError, match="can't be read as a folder"):
        load_books(tmp_path / "none")


# Secrets


def _book(system: Any) -> Book:
    return Book("new-york", system, "main", (FieldPair("phone", "phone"),))


def test_secrets_come_from_variables_and_files(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hidden\n")
    name = variable("new-york", "USERNAME")
    assert name == "FORMAPP_CRM_NEW_YORK_USERNAME"
    environ = {name: " shop ", "FORMAPP_CRM_NEW_YORK_PASSWORD_FILE": str(file)}
    found = read_secrets(_book("carddav"), environ)
    assert (found.username, found.password) == ("shop", "hidden")
    assert "hidden" not in repr(found)


@pytest.mark.parametrize(
    ("system", "environ", "faults"),
    [
        ("hubspot", {}, ["FORMAPP_CRM_NEW_YORK_TOKEN: is missing; new-york.toml needs it"]),
        ("webhook", {"FORMAPP_CRM_NEW_YORK_TOKEN": "a"}, ["FORMAPP_CRM_NEW_YORK_SECRET: is"]),
        ("carddav", {"FORMAPP_CRM_NEW_YORK_USERNAME": "a"}, ["FORMAPP_CRM_NEW_YORK_PASSWORD: is"]),
        (
            "hubspot",
            {"FORMAPP_CRM_NEW_YORK_TOKEN": "a", "FORMAPP_CRM_NEW_YORK_TOKEN_FILE": "b"},
            ["FORMAPP_CRM_NEW_YORK_TOKEN_FILE: is set beside the value itself"],
        ),
        (
            "hubspot",
            {"FORMAPP_CRM_NEW_YORK_TOKEN_FILE": "/no/such/file"},
            ["FORMAPP_CRM_NEW_YORK_TOKEN_FILE: names a file that can't be read"],
        ),
        ("hubspot", {"FORMAPP_CRM_NEW_YORK_TOKEN": "a\nb"}, ["FORMAPP_CRM_NEW_YORK_TOKEN: has a"]),
    ],
)
def test_secrets_that_are_missing_are_named_all_at_once(
    system: str, environ: dict[str, str], faults: list[str]
) -> None:
    with pytest.raises(SecretsError) as caught:
        read_secrets(_book(system), environ)
    assert len(caught.value.faults) == len(faults)
    for found, wanted in zip(caught.value.faults, faults, strict=True):
        assert found.startswith(wanted)
        assert "/no/such/file" not in found


def test_carddav_may_need_no_password() -> None:
    assert read_secrets(_book("carddav"), {}).username == ""
