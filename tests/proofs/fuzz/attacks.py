"""Requests that grow what has once held a thread: marks, boundaries, heads, encodings, nesting."""

import json
from urllib.parse import quote, quote_from_bytes

from hypothesis import strategies as st

from tests.proofs.fuzz.inputs import SENDERS, Input, Strategy
from tests.web.support import GOOD, URLENCODED, multipart

_NAMES = st.sampled_from([*GOOD, "message", "phone", "web", "day", "size", "_next", "_id", "x"])
_MARKS = st.sampled_from([*"\u0300\u0334\u0345\u0591\u0f73\u1e3f\u3099\u1161", "\u0334\u0345"])
_GROWN = st.sampled_from(
    [*' \t,;:"=&%[{(<@.-+/0a1\u00e9\u00df\u3000\uff11\u200b', "\\", '\\"', "a.", "xn--", "e\u0301",
     "a@", "http://", "1,", "%CC", "&#x", "=?x?q?", "\u0f73", "+1 ", "\U0001f468\u200d", "\r\n"]
)  # fmt: skip
_SIZES = st.sampled_from([31, 300, 3000, 10_000, 20_000, 60_000])
_texts = st.builds(
    lambda first, grown, size, last: first + (grown * size)[:size] + last,
    st.sampled_from(["", "a", "a@b.", "https://", "+44", "="]),
    st.lists(_MARKS | _GROWN, min_size=1, max_size=3).map("".join),
    _SIZES,
    st.sampled_from(["", "x", "!", "@example.com", ".com", "\u0334"]),
)
_HEADERS = st.sampled_from(
    ["Accept", "Accept-Language", "Origin", "Referer", "Cookie", "X-Forwarded-For", "Forwarded",
     "Authorization", "Host", "If-None-Match", "If-Modified-Since", "Range", "X-Request-Id",
     "Content-Encoding", "Idempotency-Key", "Formspree-Session-Data", "X"]
)  # fmt: skip
_CHARSETS = st.sampled_from(
    ["utf-8", "utf-16", "utf-7", "latin-1", "shift_jis", "gb18030", "iso-2022-jp", "idna", "hex",
     "punycode", "unicode_escape", "x" * 5000]
)  # fmt: skip
_GETS = st.sampled_from(["/f/lead", "/f/lead/embed", "/f/lead/thanks", "/static/formapp.css"])


def _post(sender: dict[str, str], content_type: str, body: bytes) -> Input:
    lines = {"Host": "localhost", "Connection": "close", "Content-Type": content_type, **sender}
    head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
    start = f"POST /f/lead HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n"
    return Input(wire=start.encode("latin-1", "replace") + body)


def _form(sender: dict[str, str], name: str, text: str, *, is_name: bool) -> Input:
    pair = f"{quote(text)}=x" if is_name else f"{name}={quote(text)}"
    return _post(sender, URLENCODED, f"name=Ada&email=a@b.example&privacy=yes&{pair}".encode())


def _parts(sender: dict[str, str], name: str, text: str, boundary: int, file: str) -> Input:
    known = [(f'name="{key}"', value) for key, value in GOOD.items()]
    disposition = f'name="{name}"{file}'
    body, kind = multipart((disposition, text), *known, boundary="b" * boundary)
    return _post(sender, kind, body)


def _nested(sender: dict[str, str], name: str, opening: str, depth: int) -> Input:
    return _post(sender, "application/json", f'{{"{name}": {opening * depth}'.encode())


def _header(name: str, path: str, text: str) -> Input:
    value = text.replace("\r", "").replace("\n", "").encode()
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{name}: ".encode()
    return Input("GET", wire=head + value + b"\r\n\r\n")


def _query(path: str, name: str, text: str) -> Input:
    target = f"{path}?{name}={quote(text)}"
    return Input("GET", wire=f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def _charset(sender: dict[str, str], charset: str, raw: bytes, size: int) -> Input:
    body = b"name=Ada&email=a@b.example&privacy=yes&message=" + (raw * size)[:size]
    return _post(sender, f"{URLENCODED}; charset={charset}", body)


_LINES = [b"1" * 9000 + b" x", b"a://" + b"1" * 9000 + b" x", b"*", b"/" + b"%41" * 5000]
_bytes = st.builds(
    lambda target, name, grown, size, last: Input(
        wire=b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n" + name + grown * size + last
    ),
    st.sampled_from([b"/f/lead", *_LINES]),
    st.sampled_from([b"X:", b"", b"Transfer-Encoding: chunked\r\n\r\n", b"X"]),
    st.sampled_from([b" ", b"\t", b"a ", b"\r\n ", b"a:b\r\n", b"1;a\r\n", b"0", b"\n", b";a=b"]),
    _SIZES,
    st.sampled_from([b"\r\n\r\n", b"\x01\r\n\r\n", b"a\r\n\r\n", b""]),
)

attacks: Strategy = st.one_of(
    st.builds(_form, SENDERS, _NAMES, _texts, is_name=st.booleans()),
    st.builds(
        lambda sender, name, text: _post(
            sender, "application/json", json.dumps(GOOD | {name: text}).encode()
        ),
        SENDERS, _NAMES, _texts,
    ),
    st.builds(
        _parts, SENDERS, _NAMES, _texts, st.sampled_from([1, 70, 71, 5000]),
        st.sampled_from(["", '; filename="a.png"', "; filename*=utf-8''" + "%41" * 5000]),
    ),
    st.builds(_nested, SENDERS, _NAMES, st.sampled_from(["[", '{"a":', "[[1],"]), _SIZES),
    st.builds(_header, _HEADERS, _GETS, _texts.map(lambda text: text[:5000])),
    st.builds(_query, _GETS, _NAMES, _texts.map(lambda text: text[:1500])),
    st.builds(_charset, SENDERS, _CHARSETS, st.binary(min_size=1, max_size=4), _SIZES),
    st.builds(
        lambda sender, raw: _post(sender, URLENCODED, b"message=" + quote_from_bytes(raw).encode()),
        SENDERS, st.binary(max_size=5000),
    ),
    _bytes,
)  # fmt: skip
