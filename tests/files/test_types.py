import io
import zipfile

import pytest

from formapp.files.types import (
    SHOWN_AS_IMAGES,
    check_accept,
    clean_name,
    find_kinds,
    fits,
    fitting_name,
    type_of,
)


def archive(*names: str, mimetype: str = "") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        if mimetype:
            opened.writestr("mimetype", mimetype)
        for name in names:
            opened.writestr(name, "content")
    return content.getvalue()


ISO = b"\0\0\0\x18ftyp%s\0\0\0\0mif1heic" + b"\0" * 30
OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CONTENTS = {
    "photo.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 50, "image/jpeg"),
    "a.png": (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "image/png"),
    "a.heic": (ISO % b"heic", "image/heif"),
    "a.pdf": (b"%PDF-1.7\n%\xe2\xe3\n", "application/pdf"),
    "cv.docx": (archive("[Content_Types].xml", "word/document.xml"), OFFICE),
    "b.odt": (
        archive(mimetype="application/vnd.oasis.opendocument.text"),
        "application/vnd.oasis.opendocument.text",
    ),
    "c.zip": (archive("a.txt"), "application/zip"),
    "a.svg": (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml"),
    "b.svg": (b"<!-- x --> <svg onload=alert(1)>", "image/svg+xml"),
    "a.html": (b"\n <!DOCTYPE html><title>x", "text/html"),
    "b.html": (b"<script>alert(1)</script>", "text/html"),
    "a.txt": ("Grüße, zwei Zeilen\nund noch eine".encode(), "text/plain"),
    "b.txt": (b"BM is how this text begins", "text/plain"),
    "c.txt": ("Gr\u00fc\u00dfe von Windows".encode("cp1252"), "text/plain"),
    "a.csv": (b"name,size\nroof,3\n", "text/csv"),
    "a.doc": (bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 600, "application/msword"),
    "a.mp4": (ISO % b"isom", "video/mp4"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_the_type_is_that_of_the_content(name: str) -> None:
    content, mime = CONTENTS[name]
    kinds = find_kinds(content)
    assert type_of(kinds, name) == mime
    assert fits(kinds, ("." + name.partition(".")[2],))
    assert fits(kinds, (mime,))
    assert fits(kinds, ())


@pytest.mark.parametrize(
    ("name", "claims", "accept"),
    [
        ("a.html", "photo.jpg", ("image/jpeg", ".jpg")),
        ("a.html", "notes.txt", (".txt",)),
        ("b.svg", "photo.png", (".png", "image/png")),
        ("c.zip", "cv.docx", (".docx",)),
        ("cv.docx", "cv.pdf", (".pdf",)),
        ("a.doc", "a.pdf", (".pdf", "image/*")),
        ("a.txt", "a.jpg", ("image/*",)),
        ("photo.jpg", "photo.txt", (".txt",)),
    ],
)
def test_a_name_is_not_believed(name: str, claims: str, accept: tuple[str, ...]) -> None:
    kinds = find_kinds(CONTENTS[name][0])
    assert not fits(kinds, accept)
    assert type_of(kinds, claims) in {kind.mime for kind in kinds}


def test_programs_are_neither_text_nor_pictures() -> None:
    for content in (b"MZ" + b"\0" * 100, b"\x7fELF\x02\x01\x01" + b"\0" * 60, b"\0\1\2\3" * 9):
        assert not fits(find_kinds(content), (".txt", ".csv", "image/*", ".pdf"))


def test_an_empty_content_has_no_type() -> None:
    assert find_kinds(b"") == []
    assert not fits([], ("image/*",))


def test_nothing_that_runs_scripts_is_shown_as_an_image() -> None:
    shown = {type_of(find_kinds(content), name) for name, (content, _) in CONTENTS.items()}
    assert shown & SHOWN_AS_IMAGES == {"image/jpeg", "image/png"}


@pytest.mark.parametrize("given", [".pdf", "IMAGE/*", "image/svg+xml", ".JPG", ".txt", ".docx"])
def test_types_are_accepted_in_any_case(given: str) -> None:
    assert check_accept(given) == given.lower()


@pytest.mark.parametrize("given", ["pdf", "*.pdf", "*/*", "image", "", ".no-such", ".qqqq"])
def test_what_is_no_type_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"is no type|recognize"):
        check_accept(given)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("roof.jpg", "roof.jpg"),
        ("C:\\Users\\Ines\\roof.jpg", "roof.jpg"),
        ("../../etc/passwd", "passwd"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\0\n b.pdf", "a b.pdf"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
    ],
)
def test_a_name_is_shown_without_folders_and_unseen_characters(sent: str, shown: str) -> None:
    assert clean_name(sent) == shown


@pytest.mark.parametrize(
    ("content", "accept", "name", "left"),
    [
        (b"GIF89a" + b"\0" * 50, ("image/*",), "photo.hta", "photo.hta.gif"),
        (b"GIF89a" + b"\0" * 50, ("image/*",), "photo.svg", "photo.svg.gif"),
        (b"GIF89a" + b"\0" * 50, ("image/*",), "photo.JPG", "photo.JPG"),
        (b"GIF89a" + b"\0" * 50, ("image/*",), "photo", "photo"),
        (b"del *.*", (".txt",), "cv.bat", "cv.bat.txt"),
        (b"name,phone", (".csv",), "list.CSV", "list.CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 50, (".doc",), "cv.msi", "cv.msi.doc"),
        (b"%PDF-1.7", (".pdf",), "cv.pdf", "cv.pdf"),
        (b"MZ" + b"\0" * 50, (), "setup.exe", "setup.exe"),
    ],
)
def test_a_name_shows_an_ending_that_was_accepted(
    content: bytes, accept: tuple[str, ...], name: str, left: str
) -> None:
    assert fitting_name(name, find_kinds(content), accept) == left


def test_a_name_can_be_stored_and_seen() -> None:
    assert clean_name("a\ud800\u200b\ufeffb\0.pdf") == "ab.pdf"
