"""What is sent: strategies of requests, from nearly right to bytes without sense."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from formapp.forms.tokens import TokenSigner
from tests.web.support import FROM_LISTED, FROM_OUR_PAGE, FULL, GOOD, URLENCODED, multipart

Strategy = st.SearchStrategy["Input"]
NAMES = [*FULL, "_token", "_next", "_id", "_gotcha", "_subject", "_replyto", "source", "x"]
# Stands for a genuine token, which is made when the input is sent.
TOKENS = {"page": "t0ken-of-a-page", "embed": "t0ken-of-an-embed"}
# Header values as they reach a WSGI app: Latin-1 text without line ends and NUL.
HEADER = st.text(
    st.characters(max_codepoint=255, exclude_categories=["Cc", "Cs"]), max_size=80
).map(str.strip)
TEXT = st.text(max_size=60)
TYPES = st.sampled_from(
    [
        URLENCODED,
        "multipart/form-data; boundary=b0undary",
        "multipart/form-data",
        "application/json",
        "application/json; charset=utf-16",
        "text/plain",
    ]
)
PIECES = st.sampled_from(
    [
        *b'--b0undary --b0undary-- " % %u0000 & = + { } [ ] , NaN 1e999 null \0 \xff'.split(b" "),
        *(b"\r\n", b"\n", b'Content-Disposition: form-data; name="name"', b'; filename="'),
        *(b"; filename*=", b"\xed\xa0\x80", b'"name":', b'"\\ud800"', b"email=a@b.example"),
    ]
)
BODIES = st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=6), max_size=30).map(
    b"".join
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Host", "Origin", "Sec-Fetch-Site", "Referer", "Accept", "Accept-Encoding", "Cookie",
         "Content-Encoding", "Idempotency-Key", "X-Forwarded-For", "X-Forwarded-Host",
         "Authorization", "Range", "If-None-Match", "If-Modified-Since", "Accept-Language",
         "Formspree-Session-Data", "Access-Control-Request-Headers", "X-Whatever"]
    ),
    HEADER,
)  # fmt: skip
METHODS = st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "PUT"])
PATHS = st.sampled_from(
    ["/f/lead", "/f/lead/embed", "/f/lead/thanks", "/f/nope", "/embed.js", "/healthz", "/readyz",
     "/metrics", "/static/formapp.css", "/", "/f/lead/challenge", "/f/lead/schema.json",
     "/f/lead/theme.css", "/f/lead/confirm", "/f/lead/share"]
)  # fmt: skip
SEGMENTS = st.lists(
    st.sampled_from(["f", "lead", "embed", "thanks", "static", "..", ".", "", "embed.js"])
    | st.text(max_size=5),
    max_size=5,
)
QUERIES = st.text(max_size=40) | st.lists(
    st.sampled_from(
        ["utm_source=", "utm_x=", "parent=", "scheme=dark", "_referrer=", "_page=", "_use=embed",
         "&", "%00", "%ff", "%ed%a0%80", "http://[", "https%3A%2F%2Fx", "=", "?", "#"]
    ),
    max_size=8,
).map("".join)  # fmt: skip
ACCEPT = st.sampled_from(["application/json", "*/*", "text/html"])
# Where a post may come from: a page of ours, a listed page, a page that isn't, nowhere.
SENDERS: st.SearchStrategy[dict[str, str]] = st.sampled_from(
    [FROM_OUR_PAGE, FROM_OUR_PAGE, FROM_LISTED, FROM_LISTED, {"Origin": "null"}, {}]
)
FORMS = st.sampled_from(["lead", "lead", "lead", "other", "away", "anyone", "roof", "nope"])


@dataclass(frozen=True)
class Input:
    """One request.

    Attributes:
        path: as a WSGI server gives it: unquoted bytes, each a letter.
        query: as it stands in the address.
        headers: by name; the content's type among them.
        wire: these very bytes, in place of all the others, on a connection.
    """

    method: str = "POST"
    path: str = "/f/lead"
    query: str = ""
    headers: Mapping[str, str] | None = None
    body: bytes = b""
    wire: bytes = b""

    def filled(self, signer: TokenSigner) -> "Input":
        """The same with genuine tokens, each of its own."""
        tokens = {
            mark.encode(): signer.issue_for("lead", "000000000000", use).encode()  # type: ignore[arg-type] # one of the two
            for use, mark in TOKENS.items()
            if mark.encode() in self.body
        }
        body = self.body
        for mark, token in tokens.items():
            body = body.replace(mark, token)
        return replace(self, body=body)


def answers(odd: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Answers to the form: mostly right ones, some odd, some missing, some too many."""
    right = st.sampled_from([FULL, FULL, GOOD, {}])
    strange = st.dictionaries(st.sampled_from(NAMES), odd, max_size=5)
    huge = st.sampled_from([{}] * 19 + [{"message": "x" * 70_000}])
    token = st.sampled_from([{}, {}, *({"_token": mark} for mark in TOKENS.values())])
    return st.builds(
        lambda *dicts: {name: value for each in dicts for name, value in each.items()},
        right, strange, huge, token,
    )  # fmt: skip


def asked_for(query: str) -> str:
    """A query as a browser would send it."""
    return quote(query.encode("utf-8", "replace"), safe="%&=:/[")


def encoded(pairs: Mapping[str, Any]) -> bytes:
    """An urlencoded body; what is no text goes as the bytes that it nearly is."""
    data = {
        name: [item.encode("utf-8", "surrogatepass") for item in value]
        if isinstance(value, list)
        else value.encode("utf-8", "surrogatepass")
        for name, value in pairs.items()
    }
    return urlencode(data, doseq=True).encode()


def _sender(sender: dict[str, str], accept: str, content_type: str) -> dict[str, str]:
    return sender | {"Accept": accept, "Content-Type": content_type}


bodies: Strategy = st.builds(
    lambda sender, accept, content_type, body: Input(
        headers=_sender(sender, accept, content_type), body=body
    ),
    SENDERS, ACCEPT, TYPES | HEADER, BODIES,
)  # fmt: skip

json_answers: Strategy = st.builds(
    lambda sender, accept, form, query, data: Input(
        path=f"/f/{form}",
        query=query,
        headers=_sender(sender, accept, "application/json"),
        body=json.dumps(data).encode(),
    ),
    SENDERS, ACCEPT, FORMS, QUERIES.map(asked_for),
    answers(
        TEXT
        | st.lists(TEXT, max_size=3)
        | st.integers()
        | st.booleans()
        | st.none()
        | st.floats()
    ),
)  # fmt: skip

form_answers: Strategy = st.builds(
    lambda sender, accept, form, query, data: Input(
        path=f"/f/{form}",
        query=query,
        headers=_sender(sender, accept, URLENCODED),
        body=encoded(data),
    ),
    SENDERS, ACCEPT, FORMS, QUERIES.map(asked_for), answers(TEXT | st.lists(TEXT, max_size=3)),
)  # fmt: skip


def _parts(
    sender: dict[str, str], disposition: str, content: bytes, boundary: str, names: list[str]
) -> Input:
    safe = disposition.encode("utf-8", "replace").decode()
    known = [(f'name="{name}"', content) for name in names]
    body, content_type = multipart((safe, content), *known, boundary=boundary)
    return Input(headers=_sender(sender, "*/*", content_type), body=body)


parts: Strategy = st.builds(
    _parts,
    SENDERS,
    st.text(max_size=40),
    st.binary(max_size=40),
    HEADER,
    st.lists(st.sampled_from(NAMES), max_size=3),
)

headers: Strategy = st.builds(
    lambda method, path, own, given: Input(
        method, path, headers=own | {"Content-Type": URLENCODED} | given, body=encoded(FULL)
    ),
    METHODS, PATHS, SENDERS, HEADERS,
)  # fmt: skip

addresses: Strategy = st.builds(
    lambda method, segments, query, sender, token: Input(
        method,
        "/" + "/".join(segments).encode("utf-8", "replace").decode("latin-1"),
        asked_for(query),
        sender | {"Content-Type": URLENCODED},
        encoded(FULL | token),
    ),
    METHODS,
    SEGMENTS | st.sampled_from([["f", "lead"], ["f", "lead", "embed"], ["f", "lead", "thanks"]]),
    QUERIES,
    SENDERS,
    st.sampled_from([{}, {"_token": TOKENS["page"]}]),
)  # fmt: skip
