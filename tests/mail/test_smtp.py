"""Sending: what is known about a message after a failure, against a real server."""

import contextlib
import socket
import ssl
from pathlib import Path

import pytest
import trustme

from formapp.mail.message import Message
from formapp.mail.smtp import (
    MailDeferredError,
    MailError,
    MailRejectedError,
    MailUncertainError,
    SmtpMailer,
)
from tests.support.mailserver import MailServer, mail_server
from tests.support.processes import free_port

MESSAGE = Message("formapp@example.com", ("ada@example.com",), "Subject", ".dot\nText\n")


def send(server: MailServer) -> None:
    SmtpMailer(server.url, step_seconds=5, total_seconds=10).send(MESSAGE)


def test_a_message_that_the_server_accepts_arrives_once_and_whole() -> None:
    with mail_server() as server:
        send(server)
    (taken,) = server.taken
    assert (taken.sender, taken.to) == ("formapp@example.com", "ada@example.com")
    assert taken.part("plain") == ".dot\nText\n"


def test_a_failing_quit_doesnt_undo_it() -> None:
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
        ("RCPT", "550 5.1.1 no ada@example.com here", MailRejectedError),
        ("RCPT", "450 4.2.0 greylisted", MailDeferredError),
        ("RCPT", "421 closing", MailDeferredError),
        ("MAIL", "550 not you", MailDeferredError),
        ("DATA", "451 later", MailDeferredError),
        ("DATA", "554 looks like spam", MailRejectedError),
    ],
)
def test_a_refusal_shows_its_code_alone(verb: str, answer: str, kind: type[MailError]) -> None:
    with mail_server() as server:
        server.answers[verb] = answer
        with pytest.raises(MailError) as caught:
            send(server)
    assert type(caught.value) is kind
    assert "ada" not in str(caught.value)
    assert server.taken == []
    if verb != "MAIL":
        assert answer[:3] in str(caught.value)
        assert caught.value.reply == answer[4:]


def test_a_refused_sender_is_logged_once_until_a_message_is_sent_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with mail_server() as server:
        mailer = SmtpMailer(server.url, step_seconds=5, total_seconds=10)

        def errors_after(answer: str) -> int:
            caplog.clear()
            server.answers = {"MAIL": answer} if answer else {}
            with contextlib.suppress(MailDeferredError):
                mailer.send(MESSAGE)
            return sum(record.levelname == "ERROR" for record in caplog.records)

        answers = ["450 later", "550 not formapp@", "550 not formapp@", "", "553 not you"]
        assert [errors_after(answer) for answer in answers] == [0, 1, 0, 0, 1]
        assert "553 to a sender at example.com" in caplog.text
        assert "formapp@" not in caplog.text


def test_a_connection_that_breaks_before_the_message_has_sent_nothing() -> None:
    with mail_server() as server:
        server.cuts = "MAIL"
        with pytest.raises(MailDeferredError, match="broke"):
            send(server)
    assert server.taken == []


def test_a_connection_that_breaks_after_the_message_may_have_sent_it() -> None:
    with mail_server() as server:
        server.cuts = "DATA"
        with pytest.raises(MailUncertainError):
            send(server)
    assert len(server.taken) == 1


def test_an_unreachable_server_has_accepted_nothing() -> None:
    with pytest.raises(MailDeferredError, match="can't be reached"):
        SmtpMailer(f"smtp://127.0.0.1:{free_port()}").send(MESSAGE)


def test_a_silent_server_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(MailDeferredError):
            SmtpMailer(address, step_seconds=60, total_seconds=0.3).send(MESSAGE)


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
        SmtpMailer(server.url.replace("//", "//owner:pass%20word@")).send(MESSAGE)
    (taken,) = server.taken
    assert taken.over_tls


def test_an_untrusted_server_gets_nothing(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(context=tls) as server, pytest.raises(MailDeferredError):
        send(server)
    assert server.taken == []
