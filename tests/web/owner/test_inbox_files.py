"""Files in the inbox: in the list, on a lead's page, in exports, and gone with the lead."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest

from formapp.files.records import FileRecord, FileState
from formapp.files.store import FileStore
from formapp.web.services import EXTENSION
from tests.support.files import attach_file, keys_of
from tests.web.owner.inbox import HOSTILE, PASSWORD, send, signed_in, users_of
from tests.web.support import Site, SiteMaker

NOW = datetime.now(UTC)


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(OWNER_PASSWORD=PASSWORD)


def store_of(site: Site) -> FileStore:
    found: FileStore = site.app.extensions[EXTENSION].files.store
    return found


def attach(site: Site, submission_id: str, content: bytes = b"x", **values: object) -> FileRecord:
    return attach_file(site.database, store_of(site), submission_id, content, **values)


def test_a_leads_page_shows_its_files_with_links_that_open_them(site: Site) -> None:
    person, sent = signed_in(site), send(site)
    attach(site, sent, b"picture", name=HOSTILE)
    attach(site, sent, b"plan", name="plan.pdf", type="application/pdf", size=4)
    attach(site, sent, name="vector.svg", type="image/svg+xml")
    attach(site, sent, name="huge.jpg", size=40_000_000)
    attach(site, sent, name="bad.jpg", state=FileState.QUARANTINED, reason="Eicar-Signature")
    attach(site, sent, name="new.jpg", state=FileState.WAITING)
    page = person.text(f"/inbox/leads/{sent}")
    assert "<script>alert" not in page
    assert "4 B, application/pdf" in page
    assert "In quarantine, can\u2019t be downloaded: <bdi>Eicar-Signature</bdi>" in page
    assert "Still being scanned" in page
    [picture] = re.findall(r'<img src="([^"]+)"', page)
    links = dict.fromkeys(re.findall(r'href="(/files/[^"]+)"', page))
    assert len(links) == 4
    # The links need no session, and end after an hour.
    assert site.get(picture).get_data() == b"picture"
    token = picture.split("/")[2]
    until = site.app.extensions[EXTENSION].file_links.read(token).until
    assert timedelta(minutes=58) < until - datetime.now(UTC) < timedelta(minutes=61)


def test_the_list_marks_leads_with_files(site: Site) -> None:
    person, sent = signed_in(site), send(site)
    send(site, "Ben")
    assert "📎" not in person.text("/inbox/leads")
    attach(site, sent)
    attach(site, sent)
    page = person.text("/inbox/leads")
    assert page.count("📎") == 1
    assert "with 2 files" in page


def test_a_lead_without_files_has_no_place_for_them(site: Site) -> None:
    page = signed_in(site).text(f"/inbox/leads/{send(site)}")
    assert "files-title" not in page
    assert "lead_files.css" not in page
    assert "files.zip" not in signed_in(site).text("/inbox/export")


def test_exports_have_the_files_of_what_the_list_shows(site: Site) -> None:
    person, ana, ben = signed_in(site), send(site, "Ana"), send(site, "Ben")
    attach(site, ana, b"one", name="one.jpg", size=3)
    attach(site, ben, b"two", name="two.jpg")
    assert "/inbox/export/files.zip?search=ana" in person.text("/inbox/export?search=ana")
    answer = person.get("/inbox/export/files.zip?search=ana")
    assert answer.headers["Content-Disposition"] == "attachment; filename=files.zip"
    assert answer.mimetype == "application/zip"
    archive = ZipFile(io.BytesIO(answer.get_data()))
    assert [name.partition("/")[2] for name in archive.namelist()] == ["one.jpg"]
    lines = person.text("/inbox/export/leads.jsonl?search=ana").splitlines()
    [file] = json.loads(lines[0])["files"]
    assert (file["name"], file["size"], file["type"]) == ("one.jpg", 3, "image/jpeg")


def test_a_user_of_one_site_sees_no_file_of_another(site: Site) -> None:
    users_of(site).add("ana", PASSWORD, role="reader", sites=("north",))
    hidden, shown = send(site, "Zachary", wix="main"), send(site, "Yolanda", wix="north")
    attach(site, hidden, name="hidden.jpg")
    attach(site, shown, name="shown.jpg")
    person = signed_in(site, "ana")
    assert person.get(f"/inbox/leads/{hidden}").status_code == 404
    archive = ZipFile(io.BytesIO(person.get("/inbox/export/files.zip").get_data()))
    assert [name.partition("/")[2] for name in archive.namelist()] == ["shown.jpg"]
    assert "hidden.jpg" not in person.text("/inbox/export/leads.jsonl")


def test_files_are_erased_with_their_person_at_once(site: Site) -> None:
    person, sent, other = signed_in(site), send(site), send(site, "Ben")
    attach(site, sent)
    attach(site, other)
    link = re.findall(r'href="(/files/[^"]+)"', person.text(f"/inbox/leads/{sent}"))[0]
    assert site.get(link).status_code == 200
    assert person.post(f"/inbox/leads/{sent}/erase").status_code == 303
    assert site.get(link).status_code == 404
    assert len(keys_of(store_of(site))) == 1
    assert "roof.jpg" not in person.text(f"/inbox/leads/{sent}")
