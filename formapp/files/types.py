"""The type of a file, by its content: names and what browsers declare are not believed.

`puremagic` finds it: pure Python, so that nothing has to be installed beside formapp, and kept up
to date. It returns every type that a signature fits; the visitor's name only chooses among these.
What has no signature is text if it decodes as text. Of ZIP archives, which office documents are,
the names within say more.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import puremagic
from puremagic.main import PureError, PureMagicWithConfidence, magic_header_array

UNKNOWN = "application/octet-stream"
SHOWN_AS_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""Types that a page may show. All others are only ever downloads: SVG and HTML run scripts."""

LONGEST_NAME = 200
_SURE = 0.4
"""puremagic's confidence in a signature of four bytes; text may begin like a shorter one."""

_TEXTS = {
    ".txt": "text/plain",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".ics": "text/calendar",
    ".vcf": "text/vcard",
    ".json": "application/json",
    ".dxf": "application/dxf",
}
"""Types of text that have no signature."""

_OFFICE = "application/vnd.openxmlformats-officedocument."
_IN_ZIP = {
    "word/": (".docx", f"{_OFFICE}wordprocessingml.document"),
    "xl/": (".xlsx", f"{_OFFICE}spreadsheetml.sheet"),
    "ppt/": (".pptx", f"{_OFFICE}presentationml.presentation"),
    "META-INF/": (".jar", "application/java-archive"),
}
_BY_MIMETYPE = {
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/epub+zip": ".epub",
}
_ALIKE = (
    {".jpg", ".jpeg", ".jpe", ".jfif"},
    {".tif", ".tiff"},
    {".heic", ".heif"},
    {".htm", ".html"},
    {".md", ".markdown", ".txt", ".log"},
)
_PICTURES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".heic", ".heif", ".tif", ".tiff"}
)
_MIME_PATTERN = re.compile(r"[a-z]+/(\*|[a-z0-9][a-z0-9.+-]*)")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,10}")
_MARKUP = re.compile(
    rb"\s*(?:<!--.*?-->\s*)?<(\?xml|!doctype html|html|head|body|script|svg)",
    re.IGNORECASE | re.DOTALL,
)
_ZIP_ENTRY = re.compile(rb"PK\x03\x04.{22}(..)(..)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_UNSHOWN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff/\\\\]"
)
"""Control characters, folders, what can't be seen or stored, and what turns the direction of text,
so that an ending hides."""


class Kind(NamedTuple):
    extension: str
    mime: str


_ZIP = Kind(".zip", "application/zip")


def find_kinds(head: bytes) -> list[Kind]:
    """Return the types that a content may have, the likeliest first, by its beginning."""
    if not head:
        return []
    if markup := _MARKUP.match(head[:4096]):
        return [_kind_of_markup(markup[1].lower(), head)]
    if head.startswith(b"PK\x03\x04"):
        return _kinds_of_zip(head)
    found = _by_signature(head)
    is_sure = any(each.confidence >= _SURE for each in found)
    kinds = [Kind(each.extension, each.mime_type) for each in found]
    if not is_sure and _is_text(head):
        return [*(Kind(*each) for each in _TEXTS.items())]
    return kinds


def type_of(kinds: list[Kind], name: str) -> str:
    """Return the MIME type to keep; the name chooses where several are possible."""
    own = _alike(extension_of(name))
    named = [kind.mime for kind in kinds if kind.extension in own and kind.mime]
    return next(iter(named or [kind.mime for kind in kinds if kind.mime]), UNKNOWN)


def fits(kinds: Sequence[Kind], accept: tuple[str, ...]) -> bool:
    """Return whether a content has one of the accepted types; all do where none is named.

    For `image/*` the likeliest type counts: a document's signature may be that of an image, too.
    """
    likeliest = next((kind.mime for kind in kinds if kind.mime), "")
    return not accept or any(
        likeliest.startswith(each[:-1])
        if each.endswith("/*")
        else any(_matches(kind, each) for kind in kinds)
        for each in accept
    )


def check_accept(text: str) -> str:
    """Return `.pdf`, `image/*` or `image/png` in lower case, or raise ValueError."""
    text = text.strip().lower()
    if _MIME_PATTERN.fullmatch(text):
        return text
    if not _EXTENSION.fullmatch(text):
        raise ValueError(f'"{text}" is no type; write it like ".pdf", "image/*" or "image/png"')
    if text not in _known_extensions():
        raise ValueError(
            f'"{text}" has no content that formapp can recognize; use another ending, a MIME type '
            'such as "image/*", or leave accept out'
        )
    return text


def extension_of(name: str) -> str:
    """Return such as `.pdf`, in lower case; empty if the name has none."""
    return "." + name.rpartition(".")[2].lower() if "." in name else ""


def clean_name(name: str) -> str:
    """Return a visitor's file name as it is shown: without folders and unseen characters."""
    base = re.split(r"[/\\]", name)[-1]
    plain = " ".join(_UNSHOWN.sub("", base).split())
    if len(plain) > LONGEST_NAME:
        extension = extension_of(plain)[:20]
        plain = plain[: LONGEST_NAME - len(extension)] + extension
    return plain or "file"


def fitting_name(name: str, kinds: Sequence[Kind], accept: tuple[str, ...]) -> str:
    """Return the name, behind another ending with that of an accepted type of the content.

    A content may begin like a GIF and be called `photo.hta`, which runs once it is opened. Where
    every type is accepted, and without an ending, the name stays.
    """
    ending = extension_of(name)
    fitting = [kind.extension for kind in kinds if any(_matches(kind, each) for each in accept)]
    if not ending or not fitting or not fitting[0]:
        return name
    # Cameras and messengers call many a PNG `photo.jpg`, which harms no one.
    is_picture = ending in _PICTURES and fitting[0] in _PICTURES
    named = ending in fitting or any(_alike(ending) == _alike(each) for each in [*accept, *fitting])
    return name if named or is_picture else clean_name(name + fitting[0])


def _matches(kind: Kind, accepted: str) -> bool:
    if accepted.endswith("/*"):
        return kind.mime.startswith(accepted[:-1])
    if accepted.startswith("."):
        return kind.extension in _alike(accepted)
    return kind.mime == accepted


@cache
def _alike(extension: str) -> frozenset[str]:
    return frozenset(next((group for group in _ALIKE if extension in group), {extension}))


def _by_signature(head: bytes) -> list[PureMagicWithConfidence]:
    try:
        found = puremagic.magic_string(head)
    except (PureError, ValueError):
        return []
    return [each for each in found if each.mime_type or each.extension]


def _kind_of_markup(tag: bytes, head: bytes) -> Kind:
    if tag == b"svg" or (tag == b"?xml" and b"<svg" in head.lower()):
        return Kind(".svg", "image/svg+xml")
    return Kind(".xml", "application/xml") if tag == b"?xml" else Kind(".html", "text/html")


def _kinds_of_zip(head: bytes) -> list[Kind]:
    names: list[str] = []
    for entry in _ZIP_ENTRY.finditer(head):
        length = int.from_bytes(entry[1], "little")
        extra = int.from_bytes(entry[2], "little")
        name = head[entry.end() : entry.end() + length]
        if name == b"mimetype":
            # OpenDocument and EPUB begin with their type.
            start = entry.end() + length + extra
            declared = head[start : start + 100].decode("latin-1")
            found = [Kind(e, mime) for mime, e in _BY_MIMETYPE.items() if declared.startswith(mime)]
            return found or [_ZIP]
        names.append(name.decode("latin-1"))
    for begin, kind in _IN_ZIP.items():
        if any(name.startswith(begin) for name in names):
            return [Kind(*kind)]
    if "[Content_Types].xml" in names:
        return [Kind(*kind) for kind in _IN_ZIP.values()][:3]
    return [_ZIP]


def _is_text(head: bytes) -> bool:
    """Return whether this decodes as text; the last character may be cut off."""
    encoding = "utf-16" if head[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError as error:
        if len(head) - error.start >= 4:  # noqa: PLR2004 - the longest character in bytes
            # Older files of Windows: there, any byte is a character.
            text = head.decode("cp1252", "replace")
        else:
            text = head[: error.start].decode(encoding)
    return not _CONTROL.search(text)


@cache
def _known_extensions() -> frozenset[str]:
    found = {each.extension for each in magic_header_array}
    inside = {extension for extension, _ in _IN_ZIP.values()}
    return frozenset(found.union(_TEXTS, inside, _BY_MIMETYPE.values(), *_ALIKE))
