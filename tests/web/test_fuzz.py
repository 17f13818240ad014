"""Whatever is sent: never a 500, never a cookie, always the visitor's format."""

import json
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from formapp.forms import Form
from tests.web.support import FROM_LISTED, FULL, LISTED, OWN, Site, multipart

pytestmark = pytest.mark.filterwarnings("error")
CAREFULLY = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NAMES = [*FULL, "_token", "_next", "_id", "_gotcha", "_subject", "_replyto", "source", "x"]
# Header values as they reach a WSGI app: Latin-1 text without line ends and NUL.
HEADER = st.text(
    st.characters(max_codepoint=255, exclude_categories=["Cc", "Cs"]), max_size=80
).map(str.strip)
TEXT = st.text(max_size=60)
TYPES = st.sampled_from(
    [
        "application/x-www-form-urlencoded",
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


@pytest.fixture(scope="module")
def one_site(tmp_path_factory: pytest.TempPathFactory, forms: dict[str, Form]) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("fuzz")
    site = Site.build(folder, forms=forms)
    yield site
    site.database.close()


def check(site: Site, answer: object) -> None:
    status = answer.status_code  # type: ignore[attr-defined] # a test answer
    assert status in {200, 204, 303, 400, 403, 404, 405, 409, 413, 415, 422}
    assert "Set-Cookie" not in answer.headers  # type: ignore[attr-defined] # the same


@CAREFULLY
@given(
    body=BODIES,
    content_type=TYPES | HEADER,
    accept=st.sampled_from(["application/json", "*/*"]),
)
@example(b"", 'multipart/form-data; boundary="\xff"', "*/*")
@example(b"--\xff\r\n", "multipart/form-data; boundary=\xff", "*/*")
@example(b"{}", "application/json; charset*=utf-8''%ff", "*/*")
def test_no_body_makes_a_defect(
    one_site: Site, body: bytes, content_type: str, accept: str
) -> None:
    answer = one_site.bytes(body, content_type, FROM_LISTED | {"Accept": accept})
    check(one_site, answer)
    if accept == "application/json":
        assert answer.json is not None
        assert ("error" in answer.json) == (answer.status_code != 200)
        assert ("ok" in answer.json) == (answer.status_code == 200)


@CAREFULLY
@given(
    answers=st.dictionaries(
        st.sampled_from(NAMES),
        TEXT | st.lists(TEXT, max_size=3) | st.integers() | st.booleans() | st.none() | st.floats(),
    ),
    own=st.booleans(),
)
def test_no_json_answers_make_a_defect(
    one_site: Site, answers: dict[str, object], *, own: bool
) -> None:
    content = ({"_token": one_site.token()} if own else {}) | answers
    headers = {"Origin": OWN if own else LISTED, "Accept": "application/json"}
    body = json.dumps(content).encode()
    check(one_site, one_site.bytes(body, "application/json", headers))


@CAREFULLY
@given(answers=st.dictionaries(st.sampled_from(NAMES), TEXT | st.lists(TEXT, max_size=3)))
def test_no_form_answers_make_a_defect(one_site: Site, answers: dict[str, object]) -> None:
    pairs = {
        name: value if isinstance(value, list) else value.encode("utf-8", "surrogatepass")  # type: ignore[attr-defined] # text
        for name, value in answers.items()
    }
    body = urlencode(pairs, doseq=True, errors="surrogatepass").encode()
    check(one_site, one_site.bytes(body, "application/x-www-form-urlencoded", FROM_LISTED))


@CAREFULLY
@given(disposition=st.text(max_size=40), content=st.binary(max_size=40), boundary=HEADER)
def test_no_part_makes_a_defect(
    one_site: Site, disposition: str, content: bytes, boundary: str
) -> None:
    safe = disposition.encode("utf-8", "replace").decode()
    body, content_type = multipart((safe, content), boundary=boundary)
    check(one_site, one_site.bytes(body, content_type, FROM_LISTED))


@CAREFULLY
@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["Host", "Origin", "Sec-Fetch-Site", "Referer", "Accept", "Accept-Encoding", "Cookie",
             "Content-Encoding", "Idempotency-Key", "X-Forwarded-For", "X-Forwarded-Host",
             "Authorization", "Range", "If-None-Match", "If-Modified-Since", "Accept-Language",
             "Formspree-Session-Data", "Access-Control-Request-Headers", "X-Whatever"]
        ),
        HEADER,
    ),
    method=st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "PUT"]),
    path=st.sampled_from(
        ["/f/lead", "/f/lead/embed", "/f/lead/thanks", "/f/nope", "/embed.js", "/healthz",
         "/readyz", "/metrics", "/static/formapp.css", "/"]
    ),
)  # fmt: skip
@example({"Host": "a..b"}, "GET", "/f/lead")
@example({"Host": "é.com"}, "GET", "/metrics")
@example({"Referer": "http://["}, "POST", "/f/lead")
@example({"Origin": "http://["}, "POST", "/f/lead")
def test_no_header_makes_a_defect(
    one_site: Site, headers: dict[str, str], method: str, path: str
) -> None:
    own = {"Origin": LISTED} if "Origin" not in headers else {}
    answer = one_site.open(method, path, headers=own | headers, data=FULL)
    assert answer.status_code < 500
    assert "Set-Cookie" not in answer.headers


@CAREFULLY
@given(
    path=st.lists(
        st.sampled_from(["f", "lead", "embed", "thanks", "static", "..", ".", "", "embed.js"])
        | st.text(max_size=5),
        max_size=5,
    ),
    query=st.text(max_size=40) | st.lists(st.sampled_from(
        ["utm_source=", "parent=", "scheme=dark", "_referrer=", "_page=", "_use=embed", "&", "%00",
         "%ff", "http://[", "https%3A%2F%2Fx"]), max_size=8).map("".join),
)  # fmt: skip
def test_no_address_makes_a_defect(one_site: Site, path: list[str], query: str) -> None:
    # As a WSGI server gives it: bytes, each a letter.
    address = "/" + "/".join(path).encode("utf-8", "replace").decode("latin-1")
    asked = quote(query.encode("utf-8", "replace"), safe="%&=:/[")
    environ = {"PATH_INFO": address, "QUERY_STRING": asked}
    answer = one_site.open("GET", "/", environ_overrides=environ)
    assert answer.status_code in {200, 304, 404}
    if path[:2] == ["f", "lead"] and answer.status_code == 200:
        assert one_site.open("POST", f"/f/lead?{asked}", data=FULL).status_code == 403
        posted = FULL | {"_token": one_site.token()}
        assert one_site.open("POST", f"/f/lead?{asked}", data=posted).status_code == 303
