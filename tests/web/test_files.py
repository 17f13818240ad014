"""Files with a post: taken, refused, kept for the corrected post, and never lost or left behind."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from formapp.files import records
from formapp.files.records import FileRecord, FileState
from formapp.files.store import FileStoreError, FolderStore, Spool
from formapp.files.sweep import delete_erased, delete_orphans
from formapp.forms.definition.parse import parse_form
from formapp.forms.fields.files import File
from formapp.forms.form import Form, compile_form
from tests.support import formfiles
from tests.support.files import keys_of
from tests.web.pages import Page
from tests.web.support import FROM_LISTED, FROM_OUR_PAGE, JSON, Site, SiteMaker

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50
PDF = b"%PDF-1.7\n%\xe2\xe3\n" + b"x" * 200
HTML = b"<!doctype html><script>alert(1)</script>"
ANSWERS = {"email": "ada@example.com"}

ROOF = (
    """
title = "A photo of the roof"
origins = ["https://www.example.com"]
"""
    + formfiles.EMAIL
    + """
[[fields]]
name = "photos"
type = "file"
label = "Photos"
aliases = ["attachment"]
accept = ["image/*", ".pdf"]
max_size = "100 kB"
max_files = 3

[[fields]]
name = "cv"
type = "file"
label = "CV"
accept = [".pdf"]
"""
)
REQUIRED = ROOF.replace('label = "CV"', 'label = "CV"\nrequired = true')


def compiled(text: str) -> Form:
    return compile_form("roof", parse_form("roof", text))


@pytest.fixture(scope="module")
def forms() -> dict[str, Form]:
    return {"roof": compiled(ROOF)}


def folder(site: Site) -> Path:
    return Path(site.database.place).parent / "formapp-files"


def store(site: Site) -> FolderStore:
    return FolderStore(folder(site))


def send(
    site: Site,
    files: Iterable[tuple[str, str, bytes]] = (),
    answers: dict[str, Any] | None = None,
    headers: Mapping[str, str] = {},
) -> TestResponse:
    """Post from our page: `files` are fields, names and contents."""
    given: dict[str, Any] = {"_token": site.token("roof")} | (
        ANSWERS if answers is None else answers
    )
    for field, name, content in files:
        given.setdefault(field, []).append((BytesIO(content), name))
    sent = FROM_OUR_PAGE | dict(headers)
    return site.open(
        "POST", "/f/roof", data=given, headers=sent, content_type="multipart/form-data"
    )


def files_of(site: Site) -> list[FileRecord]:
    with site.database.read() as connection:
        return records.of_submission(connection, site.row().id)


def contents(site: Site) -> int:
    return len(keys_of(store(site)))


def incoming(site: Site) -> list[Path]:
    return list((folder(site) / "incoming").glob("*"))


def kept(page: Page) -> list[str]:
    """What the ticked boxes send again."""
    return [str(a["value"]) for tag, a in page.tags if tag == "input" and a.get("name") == "_kept"]


def test_files_are_kept_with_their_lead(site: Site) -> None:
    sent = [("photos", "roof.png", PNG), ("cv", "mine/cv.pdf", PDF), ("photos", "b.pdf", PDF)]
    assert send(site, sent).status_code == 303
    assert site.row().answers["photos"] == ["roof.png", "b.pdf"]
    assert site.row().answers["cv"] == ["cv.pdf"]
    found = files_of(site)
    assert [(each.name, each.field, each.type) for each in found] == [
        ("roof.png", "photos", "image/png"),
        ("b.pdf", "photos", "application/pdf"),
        ("cv.pdf", "cv", "application/pdf"),
    ]
    with store(site).open(found[0].key) as content:
        assert content.read() == PNG
    assert all(each.state is FileState.STORED for each in found)
    assert (contents(site), incoming(site)) == (3, [])


def test_the_control_says_what_it_takes(site: Site) -> None:
    page = Page(site.get("/f/roof"))
    [form] = [a for tag, a in page.tags if tag == "form"]
    assert form["enctype"] == "multipart/form-data"
    [photos] = [a for tag, a in page.tags if a.get("name") == "photos"]
    assert photos["accept"] == "image/*,.pdf"
    assert "multiple" in photos
    assert photos["data-max-size"] == "100000"
    assert "At most 3 files of 100 kB each." in page.text
    assert "files.js" in site.get("/f/roof").get_data(as_text=True)
    assert "connect-src 'self'" in site.get("/f/roof").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ([("photos", "a.png", PNG)] * 4, "Choose no more than 3 files."),
        ([("photos", "a.png", PNG + b"\0" * 100_000)], "Choose a file of no more than 100 kB."),
        ([("photos", "a.png", HTML)], "Choose a file of one of these types: images, PDF."),
        ([("cv", "cv.pdf", PNG)], "Choose a file of one of these types: PDF."),
        ([("photos", "a.png", b"")], "Choose a file that isn't empty."),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_words(
    site: Site, sent: list[tuple[str, str, bytes]], message: str
) -> None:
    answer = send(site, sent)
    assert answer.status_code == 422
    assert message in Page(answer).text
    assert site.rows() == []
    assert incoming(site) == []


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([("attachment", "a.png", PNG)] * 4, "TOO_MANY_FILES"),
        ([("photos", "a.png", PNG + b"\0" * 100_000)], "FILES_TOO_BIG"),
    ],
)
def test_formsprees_clients_get_these_codes_of_the_form(
    site: Site, sent: list[tuple[str, str, bytes]], code: str
) -> None:
    answer = send(site, sent, headers=JSON)
    assert answer.status_code == 422
    assert answer.json
    [error] = answer.json["errors"]
    assert error["code"] == code
    assert "field" not in error
    assert error["message"].startswith("Photos: ")
    assert contents(site) == 0


def test_another_type_is_an_error_of_its_field(site: Site) -> None:
    answer = send(site, [("attachment", "a.png", HTML)], headers=JSON)
    assert answer.json
    [error] = answer.json["errors"]
    assert (error["code"], error["field"]) == ("TYPE_FILE", "attachment")


def test_files_are_not_chosen_again_after_an_error_elsewhere(site: Site) -> None:
    page = Page(send(site, [("photos", "roof.png", PNG), ("cv", "cv.pdf", PDF)], {"email": "x"}))
    assert "Send roof.png (58 B)" in page.text
    assert "Send cv.pdf (213 B)" in page.text
    references = kept(page)
    assert len(references) == 2
    answers = ANSWERS | {"_kept": references}
    assert send(site, [("photos", "more.png", PNG)], answers).status_code == 303
    assert [each.name for each in files_of(site)] == ["roof.png", "more.png", "cv.pdf"]
    assert all(each.expires_at is None for each in files_of(site))
    assert contents(site) == 3


def test_a_kept_file_can_be_left_out(site: Site) -> None:
    page = Page(send(site, [("photos", "a.png", PNG), ("photos", "b.png", PNG)], {"email": "x"}))
    assert send(site, [], ANSWERS | {"_kept": kept(page)[1:]}).status_code == 303
    assert [each.name for each in files_of(site)] == ["b.png"]
    assert delete_erased(site.database, store(site), datetime.now(UTC) + timedelta(days=2)) == 1
    assert contents(site) == 1


def test_kept_files_survive_several_corrections(site: Site) -> None:
    page = Page(send(site, [("photos", "a.png", PNG)], {"email": "x"}))
    for _ in range(2):
        page = Page(send(site, [], {"email": "x", "_kept": kept(page)}))
    assert send(site, [], ANSWERS | {"_kept": kept(page)}).status_code == 303
    assert [each.name for each in files_of(site)] == ["a.png"]
    assert contents(site) == 1


def test_of_too_many_files_the_first_ones_are_kept(site: Site) -> None:
    page = Page(send(site, [("photos", f"{n}.png", PNG) for n in range(5)]))
    assert send(site, [], ANSWERS | {"_kept": kept(page)}).status_code == 303
    assert [each.name for each in files_of(site)] == ["0.png", "1.png", "2.png"]


@pytest.mark.parametrize("sent", ["", "x", "eyJmb3JtIjoicm9vZiJ9.aaaa.bbbb"])
def test_what_is_no_reference_sends_no_file(site: Site, sent: str) -> None:
    assert send(site, [], ANSWERS | {"_kept": [sent]}).status_code == 303
    assert files_of(site) == []


def test_a_file_of_another_lead_is_not_taken(site: Site) -> None:
    page = Page(send(site, [("photos", "a.png", PNG)], {"email": "x"}))
    assert send(site, [], ANSWERS | {"_kept": kept(page)}).status_code == 303
    again = send(site, [], {"email": "b@example.com", "_kept": kept(page)})
    assert again.status_code == 422
    assert "Choose your file again" in Page(again).text
    assert len(site.rows()) == 1


def test_a_kept_file_whose_day_is_over_is_chosen_again(site: Site) -> None:
    page = Page(send(site, [("photos", "a.png", PNG)], {"email": "x"}))
    delete_erased(site.database, store(site), datetime.now(UTC) + timedelta(days=2))
    assert send(site, [], ANSWERS | {"_kept": kept(page)}).status_code == 422
    assert site.rows() == []


def test_a_post_that_is_sent_twice_leaves_one_lead_and_its_files(site: Site) -> None:
    answers = ANSWERS | {"_token": site.token("roof")}
    for _ in range(2):
        assert send(site, [("photos", "a.png", PNG)], answers).status_code == 303
    assert len(site.rows()) == 1
    assert contents(site) == 1
    assert send(site, [("photos", "a.png", PNG + b"other")], answers).status_code == 409
    assert len(site.rows()) == 1


def test_a_required_file_may_be_one_that_was_kept(make_site: SiteMaker) -> None:
    site = make_site(forms={"roof": compiled(REQUIRED)})
    page = Page(send(site))
    assert "Choose a file." in page.text
    page = Page(send(site, [("cv", "cv.pdf", PDF)], {"email": "x"}))
    [control] = [a for tag, a in page.tags if a.get("name") == "cv"]
    assert "required" not in control
    assert send(site, [], ANSWERS | {"_kept": kept(page)}).status_code == 303


def test_another_sites_form_and_its_correction(site: Site) -> None:
    data = {"email": "x", "attachment": (BytesIO(PNG), "a.png"), "unknown": (BytesIO(PDF), "b.pdf")}
    kind = "multipart/form-data"
    page = Page(site.open("POST", "/f/roof", data=data, headers=FROM_LISTED, content_type=kind))
    assert "Send a.png" in page.text
    assert send(site, [], ANSWERS | {"_kept": kept(page)}).status_code == 303
    assert [each.name for each in files_of(site)] == ["a.png", "b.pdf"]


def test_a_form_that_sends_names_alone_is_noted(site: Site) -> None:
    assert site.foreign(ANSWERS | {"photos": "roof.png"}, form="roof").status_code == 303
    note = {"code": "FILE_NAME_ONLY", "field": "photos", "value": "roof.png"}
    assert site.row().notes == [note]
    assert "photos" not in site.row().answers


def test_a_filled_honeypot_is_kept_with_its_files(site: Site) -> None:
    assert send(site, [("photos", "a.png", PNG)], ANSWERS | {"_gotcha": "x"}).status_code == 303
    assert site.row().status == "spam"
    assert [each.name for each in files_of(site)] == ["a.png"]


def test_a_page_that_may_not_post_stores_nothing(site: Site) -> None:
    data = {**ANSWERS, "photos": (BytesIO(PNG), "a.png")}
    headers = FROM_LISTED | {"Origin": "https://www.example.org"}
    kind = "multipart/form-data"
    answer = site.open("POST", "/f/roof", data=data, headers=headers, content_type=kind)
    assert answer.status_code == 403
    assert (contents(site), incoming(site)) == (0, [])


@pytest.mark.parametrize("limit", ["FILES_PER_ADDRESS", "FILES_PER_FORM"])
def test_more_than_a_days_bytes_are_refused(make_site: SiteMaker, limit: str) -> None:
    site = make_site(**{limit: "1 kB"})
    big = PNG + b"\0" * 900
    assert send(site, [("photos", "a.png", big)]).status_code == 303
    refused = send(site, [("photos", "a.png", big)])
    assert refused.status_code == 422
    assert "too much was sent today" in Page(refused).text
    answer = send(site, [("photos", "a.png", big)], headers=JSON).json
    assert answer
    assert answer["errors"][0]["code"] == "FILES_TOO_BIG"
    assert send(site).status_code == 303
    assert (len(site.rows()), contents(site)) == (2, 1)


@pytest.mark.parametrize("method", ["spool", "put"])
def test_answers_are_shown_again_where_the_store_refuses(site: Site, method: str) -> None:
    broken = patch.object(FolderStore, method, side_effect=FileStoreError("No space left"))
    with broken:
        answer = send(site, [("photos", "a.png", PNG)])
    assert answer.status_code in {422, 503}
    page = Page(answer)
    assert "Choose your file again" in page.text
    assert "ada@example.com" in answer.get_data(as_text=True)
    assert site.rows() == []
    assert incoming(site) == []


def test_our_script_gets_an_address_that_it_can_go_to(site: Site) -> None:
    answer = send(site, [("photos", "a.png", PNG)], headers={"Formapp-Progress": "1"})
    assert answer.json
    assert re.fullmatch("/f/roof/thanks.*", answer.json["next"])


def test_a_file_to_be_scanned_waits_for_it(make_site: SiteMaker) -> None:
    site = make_site(CLAMD="unix:/run/clamav/clamd.ctl")
    send(site, [("photos", "a.png", PNG)])
    [file] = files_of(site)
    assert file.state is FileState.WAITING
    assert not file.is_available


def test_nothing_is_left_without_a_row(site: Site) -> None:
    send(site, [("photos", "a.png", PNG)])
    send(site, [("photos", "a.png", PNG)], {"email": "x"})
    later = datetime.now(UTC) + timedelta(hours=3)
    assert delete_orphans(site.database, store(site), later).found == 0
    assert contents(site) == 2


def test_files_beyond_a_limit_are_chosen_again_and_kept_ones_stay(make_site: SiteMaker) -> None:
    site = make_site(LIMIT_PER_ADDRESS="1/minute")
    page = Page(send(site, [("photos", "a.png", PNG)], {"email": "x"}))
    limited = send(site, [("cv", "cv.pdf", PDF)], ANSWERS | {"_kept": kept(page)})
    assert limited.status_code == 429
    assert len(kept(Page(limited))) == 1
    assert "Choose your file again" in Page(limited).text
    assert (contents(site), incoming(site)) == (1, [])


def test_a_disk_that_fills_up_while_a_file_comes_gives_the_answers_back(site: Site) -> None:
    full = patch.object(Spool, "write", side_effect=OSError(28, "No space left on device"))
    with full:
        answer = send(site, [("photos", "a.png", PNG)])
    assert answer.status_code == 422
    assert "Choose your file again" in Page(answer).text
    assert (site.rows(), incoming(site)) == ([], [])


def test_an_image_does_not_grow_far_beyond_its_limit(make_site: SiteMaker) -> None:
    strip = ROOF.replace('max_size = "100 kB"', 'max_size = "100 kB"\nstrip_metadata = true')
    site, scan = make_site(forms={"roof": compiled(strip)}), BytesIO()
    Image.new("1", (1500, 1500)).save(scan, "TIFF", compression="group4")
    with patch.dict("formapp.files.images._OPTIONS", {"TIFF": {"compression": "raw"}}):
        answer = send(site, [("photos", "a.tif", scan.getvalue())])
    assert answer.status_code == 422
    assert "Choose a file of no more than 100 kB." in Page(answer).text
    assert incoming(site) == []
    assert send(site, [("photos", "a.tif", scan.getvalue())]).status_code == 303


@pytest.mark.parametrize(
    ("accept", "language", "shown"),
    [
        ([".pdf", "image/*"], "en", "PDF, images"),
        (["image/*", "video/*", "audio/*", "text/*"], "de", "Bilder, Videos, Tonaufnahmen, Texte"),
        (["image/png", "application/pdf", "image/jpeg"], "fr", "PNG, PDF, JPG"),
        (["image/*"], "ja", "画像"),
        ([], "en", ""),
    ],
)
def test_accepted_types_are_said_in_words(accept: list[str], language: str, shown: str) -> None:
    text = f"title = 'Roof'\nlanguage = '{language}'\n" + formfiles.EMAIL
    given = f"accept = {accept}\n" if accept else ""
    form = compiled(f"{text}\n[[fields]]\nname = 'cv'\ntype = 'file'\nlabel = 'CV'\n{given}")
    [field] = [each for each in form.fields if isinstance(each, File)]
    assert field.shown_types == shown
