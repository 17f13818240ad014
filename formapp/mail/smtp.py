"""Sending e-mail by SMTP (RFC 5321).

The errors are named after the state of the message: deferred, rejected, or perhaps sent. Their text
contains no address and none of the server's reply, which may quote an address; the reply is in the
attribute `reply`.
"""

import logging
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from formapp.http import DEADLINE, Deadline, current_deadline
from formapp.mail.message import Message, compose, domain_of

STEP_SECONDS = 10.0
"""Limit for one step: connecting, or a command with its reply."""

_PERMANENT = 500

_log = logging.getLogger(__name__)


class MailError(Exception):
    """A message was not sent, or perhaps not.

    The server's `reply` may quote an address: show it to the owner, never log it.
    """

    def __init__(self, text: str, reply: bytes | str = b"") -> None:
        super().__init__(text)
        decoded = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        self.reply = " ".join(decoded.split())[:300]


class MailDeferredError(MailError):
    """The server is unreachable or refuses for now: nothing was sent, a later try may succeed."""


class MailRejectedError(MailError):
    """The server refuses this address or this message permanently: nothing was sent."""


class MailUncertainError(MailError):
    """The connection broke after the message was handed over: it may have been sent."""


class SmtpMailer:
    """Sends messages through one mail server.

    Its address is `smtp://user:password@host:587` (STARTTLS where the server offers it) or
    `smtps://…:465` (TLS from the start).
    """

    def __init__(
        self,
        server: str,
        *,
        step_seconds: float = STEP_SECONDS,
        total_seconds: float = DEADLINE,
    ) -> None:
        self._server = urlsplit(server)
        self._step_seconds = step_seconds
        self._total_seconds = total_seconds
        self._refused_senders: set[str] = set()

    def send(self, message: Message) -> None:
        """Send a message; returns when the server has accepted it.

        Raises one of MailError's subclasses, or ValueError if an address or the subject is invalid.
        """
        composed = compose(message, datetime.now(UTC))
        with Deadline(self._total_seconds), self._connected() as connection:
            try:
                connection.send_message(composed)
                self._refused_senders.discard(message.sender)
            except smtplib.SMTPRecipientsRefused as error:
                code, reply = next(iter(error.recipients.values()))
                raise _refusal(code, reply, "the address") from None
            except smtplib.SMTPDataError as error:
                raise _refusal(error.smtp_code, error.smtp_error, "the message") from None
            except smtplib.SMTPSenderRefused as error:
                self._log_refused_sender(message.sender, error.smtp_code)
                raise _deferral(error) from None
            except smtplib.SMTPResponseException as error:
                raise _deferral(error) from None
            except (OSError, smtplib.SMTPException) as error:
                kind = MailUncertainError if connection.handed_over else MailDeferredError
                reason = type(error).__name__
                raise kind(f"the connection to the mail server broke ({reason})") from None

    def check(self) -> None:
        """Connect and log in without sending anything, or raise MailDeferredError."""
        with Deadline(self._total_seconds), self._connected():
            pass

    def _log_refused_sender(self, sender: str, code: int) -> None:
        """Log a permanent refusal once: only the owner can correct the sender."""
        if code < _PERMANENT or sender in self._refused_senders:
            return
        self._refused_senders.add(sender)
        _log.error(
            "the mail server answered %d to a sender at %s: no mail can be sent from there until "
            "the server or the sender's address is corrected",
            code,
            domain_of(sender),
        )

    @contextmanager
    def _connected(self) -> Iterator["_Connection"]:
        try:
            connection = self._connect()
        except smtplib.SMTPResponseException as error:
            raise _deferral(error) from None
        except (OSError, smtplib.SMTPException) as error:
            reason = type(error).__name__
            raise MailDeferredError(f"the mail server can't be reached ({reason})") from None
        try:
            yield connection
        finally:
            # An accepted message stays accepted, even if QUIT fails.
            with suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    def _connect(self) -> "_Connection":
        server, context = self._server, ssl.create_default_context()
        host, step = server.hostname or "localhost", self._step_seconds
        connection: _Connection
        if server.scheme == "smtps":
            port = server.port or 465
            connection = _TlsConnection(host, port, timeout=step, context=context)
        else:
            connection = _Connection(host, server.port or 25, timeout=step)
        try:
            connection.ehlo_or_helo_if_needed()
            if server.scheme != "smtps" and connection.has_extn("starttls"):
                connection.starttls(context=context)
                connection.ehlo()
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
        except BaseException:
            connection.close()
            raise
        return connection


class _Connection(smtplib.SMTP):
    """Is watched by the deadline, and records whether the transfer of the message has begun."""

    handed_over = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.handed_over = True
        return super().data(msg)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connect = partial(socket.create_connection, (host, port), timeout)
        deadline = current_deadline.get()
        return deadline.connect(connect) if deadline else connect()


class _TlsConnection(_Connection, smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(
            super()._get_socket(host, port, timeout), server_hostname=host
        )


def _refusal(code: int, reply: bytes | str, what: str) -> MailError:
    kind = MailRejectedError if code >= _PERMANENT else MailDeferredError
    return kind(f"the mail server answered {code} to {what}", reply)


def _deferral(error: smtplib.SMTPResponseException) -> MailDeferredError:
    return MailDeferredError(f"the mail server answered {error.smtp_code}", error.smtp_error)
