"""One request can't hold a thread: odd text, long headers, strange hosts."""

import gc
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
import requests
from werkzeug.test import EnvironBuilder

from formapp.forms.origins import origin_of
from tests.support.processes import Commands, end, environ, free_port, wait_for
from tests.web.support import (
    FROM_LISTED,
    GOOD,
    JSON,
    KEY,
    UNLISTED,
    URLENCODED,
    Site,
    SiteMaker,
    assert_refused,
    multipart,
)

# Normalizing takes seconds: two combining classes in the wrong order.
MARKS = "a" + "\u0345" * 15_800 + "\u0334" * 15_800
FEW = "a" + "\u0345" * 20 + "\u0334" * 20
FIFTEEN_KIB = 15_000
GOOD_PARTS = [(f'name="{name}"', value) for name, value in GOOD.items()]


@contextmanager
def quick(seconds: float = 0.5) -> Iterator[None]:
    """On the processor, since the machine may be busy, and without the garbage of other tests."""
    gc.disable()
    try:
        began = time.thread_time()
        yield
        assert time.thread_time() - began < seconds
    finally:
        gc.enable()


@pytest.mark.parametrize("text", [MARKS, FEW])
def test_endless_marks_are_refused_in_every_kind_of_post(site: Site, text: str) -> None:
    posts = [
        (urlencode(GOOD | {"message": text}).encode(), URLENCODED),
        (urlencode(GOOD | {text: "x"}).encode(), URLENCODED),
        multipart(
            *((f'name="{name}"', value) for name, value in (GOOD | {"message": text}).items())
        ),
    ]
    with quick():
        for body, content_type in posts:
            if len(body) < 64 * 1024:
                assert_refused(site.raw(body, content_type), 400, "TOO_MANY_MARKS")
        assert_refused(
            site.foreign(GOOD | {"message": text[:9000]}, json=True), 400, "TOO_MANY_MARKS"
        )
    assert site.rows() == []


def test_thirty_marks_are_taken(site: Site) -> None:
    zalgo = "".join(letter + "\u0345" * 15 + "\u0334" * 15 for letter in "hello")
    assert site.post(GOOD | {"message": zalgo}).status_code == 303


@pytest.mark.parametrize("path", ["/f/lead", "/f/lead/embed", "/f/lead/thanks", "/nothing"])
@pytest.mark.parametrize("name", ["name", "utm_source", "_page"])
def test_endless_marks_are_refused_in_every_query(site: Site, path: str, name: str) -> None:
    with quick():
        answer = site.get(f"{path}?{name}={quote(MARKS[:2400])}", **JSON)
        assert_refused(answer, 400, "TOO_MANY_MARKS")


def test_origin_and_limits_are_checked_before_text(make_site: SiteMaker) -> None:
    limited = make_site(LIMIT_PER_ADDRESS="1/hour")
    odd = GOOD | {"message": FEW}
    refused = make_site().foreign(odd, json=True, Origin=UNLISTED)
    assert_refused(refused, 403, "BLOCKED")
    assert limited.foreign(odd, json=True).status_code == 400
    for again in (odd, GOOD):
        assert_refused(limited.foreign(again, json=True), 429, "TOO_MANY_REQUESTS")
    assert limited.foreign(odd).status_code == 429


@pytest.mark.parametrize("password", ["e\u0301" * 400, "x" * 1025, "\u0345\u0334" * 5000])
def test_long_passwords_and_tokens_are_refused_unread(make_site: SiteMaker, password: str) -> None:
    site = make_site(OWNER_PASSWORD="grün wie Gras", METRICS_TOKEN="x" * 16)
    basic = "Basic " + b64encode(f"a:{password}".encode()).decode()
    with quick():
        for path in ("/f/lead/share", "/metrics"):
            answer = site.get(path, Authorization=basic[:FIFTEEN_KIB])
            assert answer.status_code in {401, 403}


def test_a_boundary_has_at_most_70_characters(site: Site) -> None:
    for length, status in ((70, 200), (71, 400), (10_000, 400)):
        body, content_type = multipart(*GOOD_PARTS, boundary="b" * length)
        assert site.raw(body, content_type).status_code == status


@pytest.mark.parametrize("origin", ["https://" + "é" * 200, "https://www.éxample.com", "x" * 301])
def test_an_odd_origin_is_none(site: Site, origin: str) -> None:
    with quick():
        answer = site.foreign(GOOD, Origin=origin)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert (
            site.post(GOOD, **{"Origin": origin, "Sec-Fetch-Site": "same-origin"}).status_code
            == 303
        )


def test_a_long_host_is_no_origin() -> None:
    with quick():
        assert origin_of("https://" + "é" * 60_000) is None
        assert origin_of(f"https://{'é.' * 30_000}example.com") is None


HEADERS = [
    *["Accept", "Accept-Language", "Accept-Encoding", "Accept-Charset", "Origin", "Referer"],
    *["Cookie", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via"],
    *["X-Real-IP", "Authorization", "Host", "Range", "If-None-Match", "If-Modified-Since"],
    *["If-Match", "If-Unmodified-Since", "If-Range", "Content-Encoding", "Idempotency-Key"],
    *["X-Request-Id", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Formspree-Session-Data"],
    *["Access-Control-Request-Headers", "Content-Type", "Cache-Control", "User-Agent"],
]
PIECES = [
    *[",", "a", " ", ";", '"', '\\"', "é", ".", ":", "[", "=", "0", "/", "\t"],
    *["a,", "x.", "*/*,", "de-", "de;q=0.5,", 'a="\\', "a*0=b;", "a*=utf-8''%41;", '"a",', 'W/"'],
    *["utm_a=1&", "0-1,", "Mon, ", "[::1]:1,", 'for="[::1]:1";proto=https,', "QUFB", "a=b; "],
]
BEGINNINGS = {
    "Authorization": ["Basic ", "Digest "],
    "Content-Type": ["multipart/form-data; boundary=", "application/json; charset="],
    "If-None-Match": ['"'],
    "Origin": ["https://"],
    "Range": ["bytes="],
    "Referer": ["http://", "https://a.example/?"],
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_longest_headers_take_no_time(make_site: SiteMaker, name: str) -> None:
    site = make_site(PROXY_HOPS="1", OWNER_PASSWORD="grün wie Gras", METRICS_TOKEN="x" * 16)
    paths = ["/f/lead", "/f/lead/embed", "/static/formapp.css", "/f/lead/share", "/metrics"]
    for begin in ["", *BEGINNINGS.get(name, [])]:
        for number, piece in enumerate(PIECES):
            value = begin + (piece * FIFTEEN_KIB)[: FIFTEEN_KIB - len(begin)]
            with quick():
                if name == "Content-Type":
                    assert site.bytes(b"a=b", value, FROM_LISTED).status_code < 500
                elif number % 3:
                    assert site.get(paths[number % 5], **{name: value}).status_code < 500
                else:
                    assert site.foreign(GOOD, **{name: value}).status_code < 500


@pytest.mark.parametrize("name", ["Accept", "Accept-Language", "Cookie", "X-Anything"])
def test_headers_and_address_are_16_kib_at_most(site: Site, name: str) -> None:
    assert site.get("/f/lead", **{name: "a" * FIFTEEN_KIB}).status_code == 200
    assert site.get("/f/lead", **{name: "," * 17_000}).status_code == 431
    half = "a" * 8500
    assert site.get(f"/f/lead?x={half}", **{name: half}).status_code == 431


def test_a_part_of_a_multipart_body_takes_no_time(site: Site) -> None:
    for piece in (";", "a=b;", 'a="\\', "a*0=b;", " ", '\\"', '"', "\r\n ", "\r\n--b", "--b\r\n"):
        text = (piece * 60_000)[:60_000]
        body = f"--b\r\nContent-Disposition: form-data; {text}\r\n\r\nx\r\n--b--\r\n".encode()
        with quick():
            status = site.raw(body, "multipart/form-data; boundary=b").status_code
        assert status < 500


@pytest.mark.parametrize("name", ["_gotcha", "_subject", "_replyto", "_next", "_id", "_token", "x"])
def test_a_json_number_is_taken_everywhere(site: Site, name: str) -> None:
    for _ in range(2):
        assert site.foreign(GOOD | {name: 1.5e3}, json=True).status_code in {200, 400, 403}


def test_a_json_number_stays_one_beside_other_letters(site: Site) -> None:
    answer = site.foreign(
        GOOD | {"size": 1.234, "message": "Grüße"}, json=True, form="lead?lang=de"
    )
    assert answer.status_code == 200
    assert site.row().answers["size"] == 1.234


HOSTS = [
    *["..example.com", "a..example.com", ".example.com", "-.example.com", "a_b.example.com"],
    *["x" * 70 + ".example.com", "a." * 200 + "example.com", "[::1].example.com", "é.example.com"],
    *["xn--.example.com", "xn--a.example.com", "%00.example.com", " example.com", "\t", "a" * 9999],
    *["example.com:0", "example.com:", "example.com:9" + "9" * 20, "example.com,example.com"],
    *[":80", "[", "[]", "[:]", "[::1%25a]", "xn--a", "[::1]:x"],
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("trusted", [".example.com", "example.com", "[::1]"])
def test_no_host_makes_a_defect(make_site: SiteMaker, host: str, trusted: str) -> None:
    site = make_site(TRUSTED_HOSTS=trusted, BASE_URL="", PROXY_HOPS="1")
    for header in ("HTTP_HOST", "HTTP_X_FORWARDED_HOST"):
        for path in ("/f/lead", "/f/other/embed", "/nothing", "/metrics", "/static/formapp.css"):
            assert _status(site, path, {header: host}) < 500
        assert _status(site, "/f/lead", {header: host, "REQUEST_METHOD": "POST"}) < 500


def _status(site: Site, path: str, given: dict[str, str]) -> int:
    """Werkzeug's client can't decode some hosts itself."""
    statuses: list[str] = []
    environ = EnvironBuilder(path).get_environ() | given
    with closing(site.app(environ, lambda status, *_: statuses.append(status))) as answer:  # type: ignore[type-var,arg-type] # as servers call it
        b"".join(answer)
    return int(statuses[0].split()[0])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("203.0.113.9", "203.0.113.9"),
    ],
)
def test_the_port_of_a_forwarded_address_does_not_count(
    make_site: SiteMaker, sent: str, kept: str
) -> None:
    site = make_site(PROXY_HOPS="1", LIMIT_PER_ADDRESS="1/hour")
    assert site.post(GOOD, **{"X-Forwarded-For": sent}).status_code == 303
    for again in (kept, sent, sent.replace("4711", "4712")):
        assert site.post(GOOD, **{"X-Forwarded-For": again}).status_code == 429


def test_an_odd_scheme_is_none(make_site: SiteMaker) -> None:
    site = make_site(PROXY_HOPS="1", BASE_URL="", TRUSTED_HOSTS="localhost")
    answer = site.foreign(GOOD, json=True, X_Forwarded_Proto="javascript")
    assert answer.json
    assert answer.json["next"].startswith("http://localhost/")


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "PATH_INFO"])
def test_a_client_does_not_choose_where_the_app_is_mounted(site: Site, name: str) -> None:
    given = {"HTTP_" + name.upper().replace("-", "_"): "/x", "SCRIPT_NAME": "/x"}
    answer = site.open("GET", "/f/lead", environ_overrides=given, headers=JSON)
    assert_refused(answer, 400, "PATH")


@pytest.mark.slow
def test_gunicorn_takes_no_path_of_a_client(tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    port, database = free_port(), f"sqlite:///{tmp_path / 'formapp.db'}"
    commands = Commands(tmp_path)
    assert commands.run("db", "upgrade", DATABASE_URL=database).returncode == 0
    given = ["--forwarder-headers=", "--bind", f"127.0.0.1:{port}", "formapp.app:create_app()"]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *given],
        env=environ({"SECRET_KEY": KEY, "DATABASE_URL": database}),
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        for name in ("SCRIPT_NAME", "Script-Name", "PATH_INFO"):
            for path in ("/f", "//evil.example", "/nothing"):
                url = f"http://127.0.0.1:{port}/f/contact"
                with requests.get(url, headers={name: path}, timeout=10) as answer:
                    assert answer.status_code in {200, 400}, (name, path)
                    assert "evil" not in answer.text
    finally:
        end(process)


PROXIED = [
    *["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded", "Forwarded"],
    *["Via", "X-Real-IP", "X-Forwarded-Server", "X-Client-IP", "Client-IP", "True-Client-IP"],
    *["CDN-Loop", "CF-Connecting-IP", "X-Cluster-Client-IP", "X-Azure-ClientIP"],
    *[
        "X-Envoy-External-Address",
        "X-Original-Forwarded-For",
        "X-Original-Host",
        "Fastly-Client-IP",
    ],
]


@pytest.mark.parametrize("name", PROXIED)
def test_metrics_are_closed_behind_any_proxy(site: Site, name: str) -> None:
    assert site.get("/metrics", **{name: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example", 403),
        ("evil.example:8000", 403),
        ("127.0.0.1.evil.example", 403),
        ("forms.example.com", 403),
    ],
)
def test_metrics_are_closed_to_a_name_that_leads_here(
    make_site: SiteMaker, host: str, status: int
) -> None:
    open_ = make_site(TRUSTED_HOSTS="localhost,forms.example.com")
    assert open_.get("/metrics", Host=host).status_code == status
    guarded = make_site(METRICS_TOKEN="x" * 16)
    assert guarded.get("/metrics", Host=host, Authorization="Bearer " + "x" * 16).status_code == 200
