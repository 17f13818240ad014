"""Posts of other people's forms with files, where the form has no field for one."""

import io
import itertools
import tracemalloc
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.web.pages import Page
from tests.web.support import (
    FROM_LISTED,
    GOOD,
    LISTED,
    UNLISTED,
    Site,
    assert_refused,
    multipart,
)

MIB = 1024 * 1024


def with_file(
    given: dict[str, str] | None = None, *, size: int = 4, name: str = "cv.pdf"
) -> tuple[bytes, str]:
    fields = [(f'name="{n}"', v) for n, v in (GOOD | (given or {})).items()]
    head = f'name="cv"; filename="{name}"\r\nContent-Type: application/pdf'
    file = (head, b"%\r\n\xff" * (size // 4))
    return multipart(fields[0], file, *fields[1:])


DROPPED = {"code": "FILE_DROPPED", "field": "cv", "value": "cv.pdf"}


def test_a_lead_with_a_file_is_kept_without_it(site: Site) -> None:
    assert site.bytes(*with_file(), FROM_LISTED).status_code == 303
    row = site.row()
    assert row.notes == [DROPPED]
    assert row.answers["privacy"] is True


def test_a_script_gets_formsprees_code(site: Site) -> None:
    answer = site.raw(*with_file())
    assert answer.status_code == 422
    assert answer.json
    [error] = answer.json["errors"]
    assert error["code"] == "NO_FILE_UPLOADS"
    assert error["message"] == answer.json["error"]
    assert "field" not in error
    assert site.rows() == []


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 303),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 303),
        ("text/html, application/json", 303),
        ("application/json", 422),
        ("application/json, text/plain, */*", 422),
    ],
)
def test_only_a_script_that_asks_for_json_is_refused_for_a_file(
    site: Site, accept: str, status: int
) -> None:
    assert site.bytes(*with_file(), FROM_LISTED | {"Accept": accept}).status_code == status
    assert [row.notes for row in site.rows()] == ([[DROPPED]] if status == 303 else [])


@pytest.mark.parametrize(
    ("disposition", "value"),
    [
        ('filename="a.txt"', "a.txt"),
        ("filename=a.txt", "a.txt"),
        ("filename*=UTF-8''%E5%B1%A5.pdf", "履.pdf"),
        ('filename="履歴書.pdf"', "履歴書.pdf"),
        (f'filename="{"x" * 300}"', "x" * 200),
    ],
)
def test_its_name_is_in_the_notes(site: Site, disposition: str, value: str) -> None:
    fields = [(f'name="{n}"', v) for n, v in GOOD.items()]
    body = multipart((f'name="cv"; {disposition}', "x"), *fields)
    assert site.bytes(*body, FROM_LISTED).status_code == 303
    assert site.row().notes == [DROPPED | {"value": value}]


def test_a_visitor_is_told_on_the_next_page(site: Site) -> None:
    answer = site.bytes(*with_file(), FROM_LISTED)
    assert answer.status_code == 303
    page = Page(site.get(answer.headers["Location"]))
    assert "Your file was left out" in page.text
    assert "Your file was left out" not in Page(site.get("/f/lead/thanks")).text


@pytest.mark.parametrize("form", ["lead", "away"])
def test_before_another_sites_page_ours_tells_and_leads_on(site: Site, form: str) -> None:
    fields = {"_next": f"{LISTED}/done?a=b"} if form == "lead" else {}
    body, kind = with_file(fields)
    sent = site.open("POST", f"/f/{form}", data=body, content_type=kind, headers=FROM_LISTED)
    page = Page(site.get(sent.headers["Location"]))
    assert "Your file was left out" in page.text
    onward = f"{LISTED}/done?a=b" if fields else f"{LISTED}/thanks?from=form"
    assert onward in [a.get("href") for tag, a in page.tags if tag == "a"]


def test_our_page_leads_nobody_to_a_site_that_is_not_listed(site: Site) -> None:
    page = Page(site.get(f"/f/lead/thanks?files=dropped&next={UNLISTED}/"))
    assert not [a for tag, a in page.tags if tag == "a" and UNLISTED in (a.get("href") or "")]


def test_the_note_outlives_a_correction(site: Site) -> None:
    answer = site.bytes(*with_file({"email": "x"}), FROM_LISTED)
    for _ in range(2):
        assert answer.status_code == 422
        page = Page(answer)
        assert "Your file was left out: this form can't take files." in page.text
        answer = page.submit(site, email="x")
    done = page.submit(site, email="ada@example.com")
    assert site.row().notes == [{"code": "FILE_DROPPED", "value": "cv.pdf"}]
    assert "files=dropped" in done.headers["Location"]


def test_ten_mib_of_files_are_read_past(site: Site) -> None:
    assert site.bytes(*with_file(size=10 * MIB), FROM_LISTED).status_code == 303
    assert site.row().notes == [DROPPED]


@pytest.mark.parametrize("size", [10 * MIB + 4, 12 * MIB])
def test_of_a_larger_file_the_visitor_is_told(site: Site, size: int) -> None:
    answer = site.raw(*with_file(size=size))
    assert_refused(answer, 413, "TOO_LARGE")
    assert "without it" in answer.get_data(as_text=True)
    assert site.rows() == []


class Trickle(io.RawIOBase):
    """A body that is made while it is read."""

    def __init__(self, begin: bytes, middle: bytes, times: int, end: bytes) -> None:
        self.size = len(begin) + times * len(middle) + len(end)
        self._chunks = iter(itertools.chain([begin], itertools.repeat(middle, times), [end]))
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._chunks, b"")
        taken, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


@pytest.mark.parametrize("byte", [b"x", b"\xff", b"\n", b"-"])
def test_a_file_is_read_past_in_constant_memory(site: Site, byte: bytes) -> None:
    before, after = with_file()[0].split(b"%\r\n\xff")
    body = Trickle(before, byte * 65_536, 159, after)
    headers = list(FROM_LISTED.items())
    environ = EnvironBuilder("/f/lead", method="POST", headers=headers).get_environ()
    environ |= {"CONTENT_TYPE": with_file()[1], "CONTENT_LENGTH": str(body.size)}
    environ["wsgi.input"] = body
    tracemalloc.start()
    _, status, _ = run_wsgi_app(site.app, environ, buffered=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert status == "303 SEE OTHER"
    assert site.row().notes == [DROPPED]
    assert peak < 2 * MIB


def test_a_preamble_without_end_is_not_kept(site: Site) -> None:
    assert_refused(site.raw(b"x" * MIB, "multipart/form-data; boundary=b"), 413, "TOO_LARGE")


def test_an_empty_file_control_is_no_file(site: Site) -> None:
    assert site.raw(*with_file(name="", size=0)).status_code == 200
    assert site.row().notes is None
