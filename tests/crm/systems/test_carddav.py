"""Address books: what the servers do differently, and answers that no good server gives."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from formapp.crm.model import Book, FieldPair
from formapp.crm.system import (
    AlreadyExistsError,
    CursorRefusedError,
    RefusedError,
    UnauthorizedError,
    UnavailableError,
    Write,
)
from formapp.crm.systems.carddav import CardDavSystem, name_of
from formapp.crm.systems.http_calls import HttpCalls
from tests.crm.davservers import DavServer
from tests.crm.sides import dav_system

CARD = """BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:Ada Lovelace\r\nN:Lovelace;Ada;;;\r
EMAIL:ada@example.com\r\nGENDER:F;she\r\nitem1.URL:https://ada.example.com\r
item1.X-ABLabel:_$!<HomePage>!$_\r\nEND:VCARD\r\n"""


@pytest.mark.slow
def test_an_update_keeps_the_lines_of_other_programs(xandikos: DavServer) -> None:
    book = xandikos.address_book()
    book.put("ada.vcf", CARD.format(uid="a"))
    system = dav_system(book)
    record = system.get("ada.vcf")
    assert record is not None
    system.update(record, Write({"given_name": "Eva"}, frozenset({"VIP"}), key="w1"))
    kept = CARD.format(uid="a").replace("FN:Ada", "FN:Eva").replace(";Ada;", ";Eva;")
    added = "CATEGORIES:VIP\r\nX-WIX-CONTACT-ID:w1\r\nEND:VCARD"
    assert book.read("ada.vcf") == kept.replace("END:VCARD", added)
    assert [found.id for found in system.find(key="w1")] == ["ada.vcf"]
    system.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Ä b%20c.vcf", "a+b&c=d.vcf"])
@pytest.mark.parametrize("kind", ["radicale", "xandikos"])
def test_a_card_may_have_any_name(request: pytest.FixtureRequest, kind: str, name: str) -> None:
    system = dav_system(request.getfixturevalue(kind).address_book())
    system._calls.call(
        "PUT", system._address(name), data=CARD.format(uid="a").encode()
    ).raise_for_status()
    assert [id_ for page in system.sweep() for id_ in page] == [name]
    record = system.get_many([name])[name]
    assert system.update(record, Write({"given_name": "Eva"})).values["given_name"] == "Eva"
    system.delete(system.get(name) or record)
    assert system.get(name) is None
    system.close()


@pytest.mark.slow
def test_many_cards_are_read_by_few_calls(xandikos: DavServer) -> None:
    book = xandikos.address_book()
    for number in range(101):
        book.put(f"{number}.vcf", CARD.format(uid=f"u{number}"))
    system = dav_system(book)
    calls: list[str] = []
    real = system._calls.call

    def counted(method: str, *args: Any, **options: Any) -> Any:
        calls.append(method)
        return real(method, *args, **options)

    system._calls.call = counted  # type: ignore[method-assign]
    ids = [id_ for page in system.sweep() for id_ in page]
    assert len(system.get_many(ids)) == 101
    assert calls == ["REPORT"] * 3
    system.close()


@pytest.mark.slow
def test_a_uid_that_is_taken_names_its_card(radicale: DavServer) -> None:
    book = radicale.address_book()
    book.put("ada.vcf", CARD.format(uid="wix-w1"))
    system = dav_system(book)
    with pytest.raises(AlreadyExistsError) as refused:
        system.create(Write({"given_name": "Ada"}, key="w1"))
    assert refused.value.record_id in ("ada.vcf", None)
    system.close()


@pytest.mark.slow
def test_a_card_that_is_none_is_held_alone(xandikos: DavServer) -> None:
    book = xandikos.address_book()
    book.call("PUT", "bad.vcf", data=b"no card")
    book.put("ada.vcf", CARD.format(uid="a"))
    system = dav_system(book)
    with pytest.raises(RefusedError):
        system.get("bad.vcf")
    assert system.get_many(["bad.vcf", "ada.vcf"]).keys() == {"ada.vcf"}
    system.close()


@pytest.mark.slow
def test_a_wrong_password_or_address_is_a_fault(radicale: DavServer) -> None:
    book = radicale.address_book()
    pairs = (FieldPair("name.first", "given_name"),)
    wrong = CardDavSystem(
        Book("b", "carddav", "main", pairs, url=book.url), HttpCalls(auth=("shop", "wrong"))
    )
    with pytest.raises(UnauthorizedError):
        wrong.get("a.vcf")
    assert wrong.check() == [f"{urlsplit(book.url).netloc} refuses the credentials (401)"]
    wrong.close()
    book.url += "none/"
    missing = dav_system(book)
    assert "(404)" in missing.check()[0]
    missing.close()
    book.url = radicale.url
    no_book = dav_system(book)
    assert "no address book" in no_book.check()[0]
    no_book.close()


# A server whose answers the test writes


class Script:
    """Answers in turn: status, headers, body; and the requests that came."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], str]] = []
        self.seen: list[tuple[str, str]] = []
        self.url = ""

    def multistatus(self, *responses: str, token: str = "") -> None:
        token = token and f"<sync-token>{token}</sync-token>"
        body = f'<multistatus xmlns="DAV:">{"".join(responses)}{token}</multistatus>'
        self.answers.append((207, {"Content-Type": "application/xml"}, body))


def changed(name: str) -> str:
    prop = f"<prop><getetag>&quot;{name}&quot;</getetag></prop>"
    status = "<status>HTTP/1.1 200 OK</status>"
    return f"<response><href>/book/{name}</href><propstat>{prop}{status}</propstat></response>"


def with_status(path: str, status: str) -> str:
    return f"<response><href>{path}</href><status>HTTP/1.1 {status}</status></response>"


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            script.seen.append((self.command, sent))
            status, headers, body = script.answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_PUT = do_DELETE = do_PROPFIND = do_REPORT = answer  # noqa: N815 - http.server's

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/book/"
    yield script
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def scripted(script: Script) -> Iterator[CardDavSystem]:
    pairs = (FieldPair("name.first", "given_name"),)
    system = CardDavSystem(Book("b", "carddav", "main", pairs, url=script.url), HttpCalls())
    yield system
    system.close()


def test_answers_that_are_cut_short_go_on(script: Script, scripted: CardDavSystem) -> None:
    cut = with_status("/book/", "507 Insufficient Storage")
    script.multistatus(changed("a.vcf"), cut, token="t1")
    script.multistatus(with_status("/book/b.vcf", "404 Not Found"), cut, token="t2")
    script.multistatus(changed("c.vcf"), token="t3")
    pages = list(scripted.changes("t0"))
    assert [(dict(page.changed), list(page.gone), page.cursor) for page in pages] == [
        ({"a.vcf": '"a.vcf"'}, [], "t1"),
        ({}, ["b.vcf"], "t2"),
        ({"c.vcf": '"c.vcf"'}, [], "t3"),
    ]
    assert ["t0" in script.seen[0][1], "t1" in script.seen[1][1], "t2" in script.seen[2][1]] == [
        True
    ] * 3


def test_a_server_that_repeats_its_token_ends_the_pages(
    script: Script, scripted: CardDavSystem
) -> None:
    script.multistatus(with_status("/book/", "507 Insufficient Storage"), token="t0")
    assert len(list(scripted.changes("t0"))) == 1


def test_a_server_without_sync_tokens_is_swept(script: Script, scripted: CardDavSystem) -> None:
    script.multistatus(with_status("/book/", "404 Not Found"))
    [start] = scripted.changes(None)
    assert list(scripted.changes(start.cursor)) == [start]
    script.answers.append((415, {}, "unsupported report"))
    folder = (
        "<response><href>/book/inner/</href><propstat><prop><resourcetype><collection/>"
        "</resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    )
    script.multistatus(changed("a.vcf"), folder)
    assert list(scripted.sweep()) == [{"a.vcf": '"a.vcf"'}]


@pytest.mark.parametrize("status", [403, 409, 412])
def test_a_refused_sync_token_is_no_refusal_of_the_credentials(
    script: Script, scripted: CardDavSystem, status: int
) -> None:
    body = '<error xmlns="DAV:"><valid-sync-token/></error>'
    script.answers.append((status, {"Content-Type": "application/xml"}, body))
    with pytest.raises(CursorRefusedError):
        list(scripted.changes("old"))


@pytest.mark.parametrize(
    ("answer", "error", "maybe_applied"),
    [
        ((200, {}, "<html>Sign in</html>"), UnavailableError, False),
        ((207, {}, "<html><body>not XML"), UnavailableError, False),
        ((207, {}, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), UnavailableError, False),
        ((207, {}, "<other/>"), UnavailableError, False),
        ((301, {"Location": "https://evil.example/"}, ""), UnavailableError, False),
        ((401, {}, ""), UnauthorizedError, False),
        ((403, {}, ""), UnauthorizedError, False),
        ((429, {"Retry-After": "7"}, ""), UnavailableError, False),
        ((500, {}, ""), UnavailableError, False),
    ],
)
def test_what_is_no_answer_is_a_failure_in_words(
    script: Script,
    scripted: CardDavSystem,
    answer: Any,
    error: type[Exception],
    maybe_applied: bool,  # noqa: FBT001 - a case of the table
) -> None:
    script.answers.append(answer)
    with pytest.raises(error) as failed:
        list(scripted.sweep())
    assert getattr(failed.value, "maybe_applied", False) is maybe_applied
    if answer[0] == 429:
        assert failed.value.wait.total_seconds() == 7  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("answer", "error", "maybe_applied"),
    [
        ((502, {}, "<html>"), UnavailableError, True),
        ((503, {}, ""), UnavailableError, True),
        ((429, {}, ""), UnavailableError, False),
        ((400, {}, "bad card"), RefusedError, False),
        ((409, {}, "no such folder"), RefusedError, False),
        ((415, {}, ""), RefusedError, False),
        ((404, {}, ""), UnavailableError, False),
    ],
)
def test_a_write_that_fails_says_whether_it_may_be_in_place(
    script: Script,
    scripted: CardDavSystem,
    answer: Any,
    error: type[Exception],
    maybe_applied: bool,  # noqa: FBT001 - a case of the table
) -> None:
    script.answers.append(answer)
    with pytest.raises(error) as failed:
        scripted.create(Write({"given_name": "Ada"}, key="w1"))
    assert getattr(failed.value, "maybe_applied", False) is maybe_applied
    assert "Ada" not in str(failed.value)


def test_a_server_that_is_away_may_not_have_got_a_read(scripted: CardDavSystem) -> None:
    scripted._url = "http://127.0.0.1:1/book/"
    with pytest.raises(UnavailableError, match="can't be reached") as failed:
        scripted.get("a.vcf")
    assert not failed.value.maybe_applied


def test_the_name_of_a_card_is_made_from_the_contact() -> None:
    assert name_of("2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21") == (
        "wix-2f6b7a10-93f4-4f2a-8d3a-6a5c8c5f0b21.vcf"
    )
