"""Sending: what is known of a letter when something goes wrong, against a real server."""

import contextlib
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from formapp.mail import (
    MailError,
    MailNotSentError,
    MailRefusedError,
    MailUncertainError,
    Message,
    SmtpMailer,
)
from tests.support.mailserver import MailServer, mail_server
from tests.support.processes import free_port

LETTER = Message("formapp@example.com", ("ada@example.com",), "Subject", ".dot\nText\n")


def send(server: MailServer) -> None:
    SmtpMailer(server.url, seconds=5, longest=10).send(LETTER)


def test_a_letter_that_the_server_takes_arrives_once_and_whole() -> None:
    with mail_server() as server:
        send(server)
    (taken,) = server.taken
    assert (taken.sender, taken.to) == ("formapp@example.com", "ada@example.com")
    assert taken.part("plain") == ".dot\nText\n"


def test_a_goodbye_that_fails_doesnt_undo_it() -> None:
    with mail_server() as server:
        server.answers["QUIT"] = "500 rude"
        send(server)
        server.answers.clear()
        server.cuts = "QUIT"
        send(server)
    assert len(server.taken) == 2


@pytest.mark.parametrize(
    ("verb", "answer", "kind"),
    [
        ("RCPT", "550 5.1.1 no ada@example.com here", MailRefusedError),
        ("RCPT", "450 4.2.0 greylisted", MailNotSentError),
        ("RCPT", "421 closing", MailNotSentError),
        ("MAIL", "550 not you", MailNotSentError),
        ("DATA", "451 later", MailNotSentError),
        ("DATA", "554 looks like spam", MailRefusedError),
    ],
)
def test_a_refusal_is_told_by_its_code_alone(verb: str, answer: str, kind: type[MailError]) -> None:
    with mail_server() as server:
        server.answers[verb] = answer
        with pytest.raises(MailError) as caught:
            send(server)
    assert type(caught.value) is kind
    assert "ada" not in str(caught.value)
    assert server.taken == []
    if verb != "MAIL":
        assert answer[:3] in str(caught.value)
        assert caught.value.words == answer[4:]


def test_a_sender_that_is_refused_is_told_once_until_a_letter_goes_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with mail_server() as server:
        office = SmtpMailer(server.url, seconds=5, longest=10)

        def told(answer: str) -> int:
            caplog.clear()
            server.answers = {"MAIL": answer} if answer else {}
            with contextlib.suppress(MailNotSentError):
                office.send(LETTER)
            return sum(record.levelname == "ERROR" for record in caplog.records)

        answers = ["450 later", "550 not formapp@", "550 not formapp@", "", "553 not you"]
        assert [told(answer) for answer in answers] == [0, 1, 0, 0, 1]
        assert "553 to a sender at example.com" in caplog.text
        assert "formapp@" not in caplog.text


def test_a_connection_that_breaks_before_the_letter_has_sent_nothing() -> None:
    with mail_server() as server:
        server.cuts = "MAIL"
        with pytest.raises(MailNotSentError, match="broke"):
            send(server)
    assert server.taken == []


def test_a_connection_that_breaks_after_the_letter_may_have_sent_it() -> None:
    with mail_server() as server:
        server.cuts = "DATA"
        with pytest.raises(MailUncertainError):
            send(server)
    assert len(server.taken) == 1


def test_a_server_that_is_away_has_taken_nothing() -> None:
    with pytest.raises(MailNotSentError, match="can't be reached"):
        SmtpMailer(f"smtp://127.0.0.1:{free_port()}").send(LETTER)


def test_a_server_that_never_answers_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(MailNotSentError):
            SmtpMailer(address, seconds=60, longest=0.3).send(LETTER)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for this machine, by an authority that is trusted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def test_tls_is_used_where_the_server_offers_it_and_the_login_goes_by_it(
    tls: ssl.SSLContext,
) -> None:
    with mail_server(context=tls) as server:
        server.answers["AUTH"] = "235 welcome"
        SmtpMailer(server.url.replace("//", "//owner:pass%20word@")).send(LETTER)
    (taken,) = server.taken
    assert taken.over_tls


def test_a_server_that_can_not_be_trusted_gets_nothing(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(context=tls) as server, pytest.raises(MailNotSentError):
        send(server)
    assert server.taken == []
