"""Whatever is sent: never a 500, never a cookie, always the visitor's format.

On both kinds of database at once, with more inputs: `test_fuzz_both.py`, `tests/proofs/fuzz`.
"""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from formapp.forms.form import Form
from tests.proofs.fuzz.inputs import (
    BODIES,
    HEADER,
    HEADERS,
    METHODS,
    NAMES,
    PATHS,
    QUERIES,
    SEGMENTS,
    TEXT,
    TYPES,
    asked_for,
    encoded,
)
from tests.web.support import FROM_LISTED, FULL, LISTED, OWN, URLENCODED, Site, multipart

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.slow]
CAREFULLY = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def one_site(tmp_path_factory: pytest.TempPathFactory, forms: dict[str, Form]) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("fuzz")
    site = Site.build(folder, forms=forms)
    yield site
    site.database.close()


def assert_no_defect(site: Site, answer: object) -> None:
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
    assert_no_defect(one_site, answer)
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
    assert_no_defect(one_site, one_site.bytes(body, "application/json", headers))


@CAREFULLY
@given(answers=st.dictionaries(st.sampled_from(NAMES), TEXT | st.lists(TEXT, max_size=3)))
def test_no_form_answers_make_a_defect(one_site: Site, answers: dict[str, object]) -> None:
    assert_no_defect(one_site, one_site.bytes(encoded(answers), URLENCODED, FROM_LISTED))


@CAREFULLY
@given(disposition=st.text(max_size=40), content=st.binary(max_size=40), boundary=HEADER)
def test_no_part_makes_a_defect(
    one_site: Site, disposition: str, content: bytes, boundary: str
) -> None:
    safe = disposition.encode("utf-8", "replace").decode()
    body, content_type = multipart((safe, content), boundary=boundary)
    assert_no_defect(one_site, one_site.bytes(body, content_type, FROM_LISTED))


@CAREFULLY
@given(headers=HEADERS, method=METHODS, path=PATHS)
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
@given(path=SEGMENTS, query=QUERIES)
def test_no_address_makes_a_defect(one_site: Site, path: list[str], query: str) -> None:
    # As a WSGI server gives it: bytes, each a letter.
    address = "/" + "/".join(path).encode("utf-8", "replace").decode("latin-1")
    asked = asked_for(query)
    environ = {"PATH_INFO": address, "QUERY_STRING": asked}
    answer = one_site.open("GET", "/", environ_overrides=environ)
    assert answer.status_code in {200, 304, 404}
    if path[:2] == ["f", "lead"] and answer.status_code == 200:
        assert one_site.open("POST", f"/f/lead?{asked}", data=FULL).status_code == 403
        posted = FULL | {"_token": one_site.token()}
        assert one_site.open("POST", f"/f/lead?{asked}", data=posted).status_code == 303
