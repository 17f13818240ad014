"""Text in other encodings than UTF-8, as other sites' pages and programs send it.

Labels mean what the WHATWG's Encoding Standard says, as in browsers: `latin1` is windows-1252.
Nothing is refused: a wrong or missing label costs some letters, but no lead.
"""

import codecs
import json
import re
import sys
from contextlib import suppress
from functools import cache, lru_cache
from itertools import product

from webencodings import lookup

Pairs = list[tuple[str, str]]
Guess = str | None
"""The encoding that was assumed without a valid declaration, None where there was no need."""

_LEFT_OUT = "\ufffd"
_FALLBACK = "windows-1252"
_LONGEST_LABEL = 40
_UTF_16 = {"utf-16-le", "utf-16-be"}
_BYTE_ORDER_MARK = "\ufeff"
# The Encoding Standard's decoders of these take more than Python's codecs.
_WIDER = {"gbk": "gb18030"}
_SHIFTS = re.compile(r"\x1b\$[@B][!-~]+\x1b\([BJ]")
"""What only ISO-2022-JP has: into its characters of two bytes, and back to ASCII."""
_REFERENCE = re.compile(r"&#([0-9]{2,7});")
_EUC_JP = re.compile(rb"[\0-\x7f]+|\x8f..|\x8e.|[\xa1-\xfe]{2}|.", re.DOTALL)


def decode_pairs(pairs: Pairs, declared: str | None, own: dict[int, str]) -> tuple[Pairs, Guess]:
    """Decode the names and values of a form.

    Args:
        pairs: bytes, each as the character of its number (Latin-1).
        declared: the label of all, if there is one.
        own: the labels of single values, by the index of their pair.
    """
    texts = [text for pair in pairs for text in pair]
    for index in own:
        texts[2 * index + 1] = ""
    decoded, guess = _decode(texts, declared)
    found = list(zip(decoded[::2], decoded[1::2], strict=True))
    for index, label in own.items():
        [value], other_guess = _decode([pairs[index][1]], label)
        found[index] = (found[index][0], value)
        guess = guess or other_guess
    return found, guess


def decode_json(data: bytes, declared: str | None) -> tuple[str, Guess]:
    """Decode a JSON text; a byte order mark, or the NULs of UTF-16 and UTF-32, decide first."""
    detected = json.detect_encoding(data)
    if detected != "utf-8":
        return data.decode(detected, "replace"), None
    [text], guess = _decode([data.decode("latin-1")], declared)
    return text, guess


def as_utf_8(data: bytes) -> bytes:
    """Return a form's body that is in UTF-16 or has a byte order mark as plain UTF-8."""
    detected = json.detect_encoding(data)
    return data if detected == "utf-8" else data.decode(detected, "replace").encode()


def _decode(texts: list[str], label: str | None) -> tuple[list[str], Guess]:
    if not label and any(map(_SHIFTS.search, texts)):
        label = "iso-2022-jp"
    codec = _codec(label) if label else None
    sent = [text.encode("latin-1") for text in texts]
    if codec is None or codec.name == "utf-8":
        try:
            return [text.decode() for text in sent], None
        except UnicodeDecodeError:
            return [_undone(_decode_one(text, _CP1252), _CP1252) for text in sent], _FALLBACK
    decoded = [_decode_one(text, codec) for text in sent]
    if any(_LEFT_OUT in text for text in decoded):
        with_utf_8, guess = _decode(texts, None)
        return (decoded, label) if guess else (with_utf_8, "utf-8")
    return [_undone(text, codec) for text in decoded], None


@lru_cache(maxsize=256)
def _codec(label: str) -> codecs.CodecInfo | None:
    """Return the codec of a label; None for a label that no browser knows."""
    if len(label) > _LONGEST_LABEL:
        return None
    spellings = (label, label.replace("_", "-"), label.replace("-", ""))
    found = next((each for each in map(lookup, spellings) if each), None)
    if found is None or found.name == "replacement":
        return None
    return codecs.lookup(_WIDER[found.name]) if found.name in _WIDER else found.codec_info


def _decode_one(data: bytes, codec: codecs.CodecInfo) -> str:
    if codec.name == "euc_jp":
        table = _vendors_euc_jp()
        pieces = _EUC_JP.findall(data)
        return "".join([table.get(each) or each.decode("euc_jp", "replace") for each in pieces])
    # The form of a page in UTF-16 is in UTF-8 (HTML, "get an output encoding").
    if codec.name in _UTF_16 and b"\0" not in data:
        with suppress(UnicodeDecodeError):
            return data.decode()
    return str(codec.decode(data, _HANDLER)[0]).removeprefix(_BYTE_ORDER_MARK)


@cache
def _vendors_euc_jp() -> dict[bytes, str]:
    """Return the characters of two bytes in EUC-JP.

    Python's codec lacks what vendors added, such as the signs for "Ltd." and circled numbers. Its
    codec for the same characters in Shift_JIS has them, at places that can be calculated (Encoding
    Standard, section 12.3.2).
    """
    table: dict[bytes, str] = {}
    for row, cell in product(range(94), repeat=2):
        lead, trail = divmod(row * 94 + cell, 188)
        lead += 0x81 if lead < 0x1F else 0xC1  # noqa: PLR2004
        trail += 0x40 if trail < 0x3F else 0x41  # noqa: PLR2004
        table[bytes([0xA1 + row, 0xA1 + cell])] = bytes([lead, trail]).decode("cp932", "replace")
    return table


def _undone(text: str, codec: codecs.CodecInfo) -> str:
    """Undo what a browser does to a character that the page's encoding lacks: `&#128512;`."""

    def undo(found: re.Match[str]) -> str:
        number = int(found[1])
        if number > sys.maxunicode or 0xD800 <= number < 0xE000:  # noqa: PLR2004 - surrogates
            return found[0]
        # Of what a browser would have sent as a character, the reference was typed.
        return found[0] if _is_sent(chr(number), codec) else chr(number)

    return _REFERENCE.sub(undo, text) if "&#" in text else text


def _is_sent(char: str, codec: codecs.CodecInfo) -> bool:
    """Return whether browsers send a character in this encoding; in two they decode some more."""
    try:
        first = codec.encode(char, "strict")[0][0]
    except UnicodeEncodeError:
        return False
    is_decoded_only = {"euc_jp": first == 0x8F, "big5hkscs": 0x80 < first < 0xA1}  # noqa: PLR2004
    return not is_decoded_only.get(codec.name, False)


def _keep_control(error: UnicodeError) -> tuple[str, int]:
    """Decode as the Encoding Standard does some bytes that Python's codecs don't define."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    byte, found = error.object[error.start], _LEFT_OUT
    if error.encoding == "charmap" and 0x80 <= byte < 0xA0:  # noqa: PLR2004 - C1
        found = chr(byte)
    elif error.encoding == "gb18030" and byte == 0x80:  # noqa: PLR2004 - GBK's
        found = "€"
    return found, error.start + 1


_HANDLER = "formapp.keep_control"
codecs.register_error(_HANDLER, _keep_control)
_CP1252 = codecs.lookup("cp1252")
