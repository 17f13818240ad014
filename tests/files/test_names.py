"""Visitors' file names where they become names of files."""

import re
from urllib.parse import unquote

import pytest

from formapp.files.names import LONGEST, disposition, safe_name, unique_names

HOSTILE = [
    ("roof.jpg", "roof.jpg"),
    ("../../etc/passwd", "_.._etc_passwd"),
    ("..\\..\\boot.ini", "_.._boot.ini"),
    ("/etc/passwd", "_etc_passwd"),
    ("C:\\windows\\x.exe", "C__windows_x.exe"),
    ("..", "file"),
    (".", "file"),
    ("", "file"),
    ("   ", "file"),
    ("///", "file"),
    ("\u202e\u200b", "file"),
    (".htaccess", "htaccess"),
    ("trailing. . .", "trailing"),
    ("a\x00b\x1b[31m\r\nSet-Cookie: x.txt", "ab[31mSet-Cookie_ x.txt"),
    ("photo\u202egpj.exe", "photogpj.exe"),
    ("a\u2066b\u2069\u200e.pdf", "ab.pdf"),
    ("x\ud800.pdf", "x.pdf"),
    ("a\u2028b\u00a0c.pdf", "ab c.pdf"),
    ("quo\"te's; filename=x.pdf", "quo_te's; filename=x.pdf"),
    ("CON", "_CON"),
    ("nul.txt", "_nul.txt"),
    ("Com1.tar.gz", "_Com1.tar.gz"),
    ("lpt\u00b9.x", "_lpt\u00b9.x"),
    ("aux .c", "_aux .c"),
    ("conference.pdf", "conference.pdf"),
    ("com10.pdf", "com10.pdf"),
    ("a|b<c>d?e*f:g.pdf", "a_b_c_d_e_f_g.pdf"),
    ("Gru\u0308n.pdf", "Grün.pdf"),
    ("صورة السطح.jpg", "صورة السطح.jpg"),
    ("屋根の写真.jpg", "屋根の写真.jpg"),
]


@pytest.mark.parametrize(("given", "safe"), HOSTILE)
def test_a_hostile_name_becomes_one_that_every_system_takes(given: str, safe: str) -> None:
    assert safe_name(given) == safe
    assert safe_name(safe) == safe


@pytest.mark.parametrize("character", ["x", "é", "屋", "🏠"])
def test_a_very_long_name_keeps_its_ending_and_whole_characters(character: str) -> None:
    found = safe_name(character * 5000 + ".pdf")
    assert found == character * ((LONGEST - 4) // len(character.encode())) + ".pdf"


def test_a_very_long_ending_is_none() -> None:
    assert len(safe_name("a." + "b" * 5000)) == LONGEST


def test_names_of_one_folder_are_different_on_systems_that_ignore_case() -> None:
    given = ["a.jpg", "A.JPG", "a.jpg", "a (2).jpg", "noending", "noending", "STRASSE", "straße"]
    assert list(unique_names(given)) == [
        "a.jpg",
        "A (2).JPG",
        "a (3).jpg",
        "a (2) (2).jpg",
        "noending",
        "noending (2)",
        "STRASSE",
        "straße (2)",
    ]


@pytest.mark.parametrize("given", [given for given, _ in HOSTILE] + ["%41.pdf", "x" * 900])
def test_a_download_has_its_name_in_both_ways_and_nothing_else(given: str) -> None:
    header = disposition(given)
    assert header.isascii()
    assert header.isprintable()
    parts = re.fullmatch(r"""attachment; filename="([^"\\%]+)"; filename\*=UTF-8''(\S+)""", header)
    assert parts
    assert unquote(parts[2]) == safe_name(given)
    assert safe_name(parts[1]) == parts[1]


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ("roof.jpg", "attachment; filename=\"roof.jpg\"; filename*=UTF-8''roof.jpg"),
        ("Grün.pdf", "attachment; filename=\"Grun.pdf\"; filename*=UTF-8''Gr%C3%BCn.pdf"),
        ("屋根.jpg", "attachment; filename=\"file.jpg\"; filename*=UTF-8''%E5%B1%8B%E6%A0%B9.jpg"),
    ],
)
def test_an_old_program_gets_a_name_in_ascii(given: str, header: str) -> None:
    assert disposition(given) == header
