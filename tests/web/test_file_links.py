"""What a signed link opens: the files of one lead, as downloads that run nothing, until it ends."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from formapp.files import records
from formapp.files.links import FileLink, FileLinkSigner
from formapp.files.records import FileState
from formapp.files.sweep import delete_at_once
from formapp.leads.anonymize import anonymize
from formapp.web.files import POLICY
from formapp.web.services import EXTENSION
from tests.support.files import attach_file, keys_of, put_file
from tests.web.owner.inbox import send
from tests.web.support import JSON, KEY, Site

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=1)
HTML = b"<!doctype html><script>alert(1)</script>"


def attach(site: Site, submission_id: str, content: bytes = b"content", **values: object) -> str:
    """Give a lead a file; returns the file's id."""
    store = site.app.extensions[EXTENSION].files.store
    return attach_file(site.database, store, submission_id, content, **values).id


def address(submission_id: str, until: datetime = LATER, **more: str) -> str:
    return "/files/" + FileLinkSigner([KEY]).issue(FileLink(submission_id, until, **more))


def file_of(site: Site, **values: object) -> tuple[str, TestResponse]:
    """A lead with one file: the address of the file, and what it answers."""
    sent = send(site)
    path = f"{address(sent)}/{attach(site, sent, **values)}"  # type: ignore[arg-type]
    return path, site.get(path)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("image/jpeg", True),
        ("image/png", True),
        ("image/gif", True),
        ("image/webp", True),
        ("application/pdf", False),
        ("image/svg+xml", False),
        ("text/html", False),
        ("application/xhtml+xml", False),
        ("application/xml", False),
        ("text/plain", False),
        ("application/octet-stream", False),
        ("application/zip", False),
    ],
)
def test_only_pictures_are_shown_and_nothing_ever_runs(
    site: Site, kind: str, *, shown: bool
) -> None:
    path, answer = file_of(site, type=kind, content=HTML, name='rœf\u202e"\r\nX: y.png')
    assert answer.status_code == 200
    assert answer.get_data() == HTML
    assert answer.headers.getlist("Content-Type") == [kind]
    assert answer.headers.getlist("Content-Length") == [str(len(HTML))]
    assert answer.headers.getlist("Content-Security-Policy") == [POLICY]
    assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Content-Language" not in answer.headers
    named = answer.headers["Content-Disposition"]
    assert named.partition(";")[0] == ("inline" if shown else "attachment")
    assert "filename*=UTF-8''r%C5%93f_X_%20y.png" in named
    head = site.open("HEAD", path)
    assert head.status_code == 200
    assert head.get_data() == b""
    assert head.headers["Content-Length"] == str(len(HTML))


def test_a_large_file_comes_in_pieces(site: Site) -> None:
    sent, content = send(site), bytes(range(256)) * 4096
    path = f"{address(sent)}/{attach(site, sent, content)}"
    with site.app.test_client().get(path) as answer:
        pieces = list(answer.iter_encoded())
    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= 64 * 1024


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [(FileState.QUARANTINED, 403, "QUARANTINED"), (FileState.WAITING, 503, "WAITING")],
)
def test_a_file_that_isnt_known_to_be_harmless_is_refused_in_words(
    site: Site, state: FileState, status: int, code: str
) -> None:
    path, answer = file_of(site, state=state)
    assert answer.status_code == status
    assert "virus" in answer.get_data(as_text=True)
    as_json = site.get(path, **JSON).json
    assert as_json
    assert as_json["errors"][0]["code"] == code
    listed = site.get(path.rpartition("/")[0]).get_data(as_text=True)
    assert "roof.jpg" in listed
    assert "<img" not in listed
    assert path not in listed


def test_a_link_ends_with_its_time_and_with_the_lead(site: Site) -> None:
    sent = send(site)
    file = attach(site, sent)
    over = address(sent, NOW - timedelta(seconds=5))
    for each in (over, f"{over}/{file}"):
        answer = site.get(each)
        assert answer.status_code == 410
        assert "expired" in answer.get_data(as_text=True)
    path = address(sent)
    assert site.get(f"{path}/{file}").status_code == 200
    with site.database.write() as connection:
        anonymize(connection, [sent], NOW)
    # Between the commit and the sweep as well.
    for _ in range(2):
        for each in (path, f"{path}/{file}"):
            answer = site.get(each)
            assert answer.status_code == 404
            assert "roof" not in answer.get_data(as_text=True)
        delete_at_once(site.database, site.app.extensions[EXTENSION].files.store, NOW)


def test_a_file_whose_content_is_gone_is_gone(site: Site) -> None:
    sent = send(site)
    file = attach(site, sent)
    store = site.app.extensions[EXTENSION].files.store
    for key in keys_of(store):
        store.delete(key)
    assert site.get(f"{address(sent)}/{file}").status_code == 404


def test_a_link_opens_its_own_lead_and_field_alone(site: Site) -> None:
    mine, other = send(site), send(site, "Ben")
    photo, foreign = attach(site, mine), attach(site, other)
    for link, file, status in [
        (address(mine), photo, 200),
        (address(mine, field="photos"), photo, 200),
        (address(mine, field="cv"), photo, 404),
        (address(mine), foreign, 404),
        (address(other), photo, 404),
        (address(mine), "0" * 32, 404),
        (address(mine), "..%2f..%2fetc%2fpasswd", 404),
        (address(mine), "%00", 404),
    ]:
        assert site.get(f"{link}/{file}").status_code == status, (link, file)


def test_a_staged_file_has_no_address(site: Site) -> None:
    sent = send(site)
    store = site.app.extensions[EXTENSION].files.store
    with site.database.write() as connection:
        [staged] = records.stage(connection, [put_file(store)], NOW)
    assert site.get(f"{address(sent)}/{staged.id}").status_code == 404
    assert site.get(f"{address(str(None))}/{staged.id}").status_code == 404


def test_a_link_that_isnt_ours_opens_nothing(site: Site) -> None:
    sent = send(site)
    file = attach(site, sent)
    real = address(sent)
    wrong = [
        "/files/x",
        real[:-1],
        real.replace("/files/", "/files/A"),
        f"/files/{site.token()}",
        "/files/" + FileLinkSigner(["another key, long enough"]).issue(FileLink(sent, LATER)),
        "/files/%e2%82%ac",
    ]
    for path in wrong:
        for each in (path, f"{path}/{file}"):
            assert site.get(each).status_code == 404, each


def test_the_page_of_a_link_lists_and_shows(site: Site) -> None:
    sent = send(site)
    photo = attach(site, sent, name="<b>\u202eroof.jpg")
    attach(site, sent, name="plan.pdf", type="application/pdf", size=1_500_000)
    answer = site.get(address(sent))
    text = answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert 'content="noindex' in text
    assert "&lt;b&gt;" in text
    assert "1.5 MB, application/pdf" in text
    assert re.findall(r'<img src="([^"]+)"', text) == [f"{address(sent)}/{photo}"]
    # The visitor's answers are no part of it.
    assert "Ana" not in text


def test_links_are_the_same_text_and_outlive_a_change_of_keys() -> None:
    link = FileLink("0190-a", NOW.replace(microsecond=0), "photos")
    token = FileLinkSigner(["old key"]).issue(link)
    assert FileLinkSigner(["old key"]).issue(link) == token
    assert FileLinkSigner(["new key", "old key"]).read(token) == link
