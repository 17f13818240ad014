"""Sending a letter by SMTP (RFC 5321).

What can go wrong is told apart by what is known of the letter: not taken, refused for good, or
perhaps taken. Texts of these failures hold no address and none of the server's own words, which may
quote one; those are in `words`.
"""

import contextlib
import logging
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from formapp.mail.message import Message, compose, domain_of

SECONDS = 10.0
"""How long one step may take: connecting, a command, its answer."""

LONGEST_SECONDS = 25.0
"""How long a letter may take in all: a process that is asked to end has 30."""

_PERMANENT = 500

_log = logging.getLogger(__name__)


class MailError(Exception):
    """A letter was not sent, or perhaps not.

    Attributes:
        words: what the server said; for the owner's eyes, never for a log.
    """

    def __init__(self, text: str, words: str = "") -> None:
        super().__init__(text)
        self.words = words


class MailNotSentError(MailError):
    """The server is away, or refused for now: nothing was sent."""


class MailRefusedError(MailError):
    """The server refuses this address, or this letter, for good: nothing was sent."""


class MailUncertainError(MailError):
    """The connection broke when the letter had been handed over: it may be on its way."""


class SmtpMailer:
    """Sends letters.

    Args:
        server: `smtp://user:password@host:587` (STARTTLS where the server offers it) or
            `smtps://…:465` (TLS from the start).
        seconds: for one step.
        longest: for a letter in all, in seconds.
    """

    def __init__(
        self, server: str, *, seconds: float = SECONDS, longest: float = LONGEST_SECONDS
    ) -> None:
        self._server = urlsplit(server)
        self._seconds = seconds
        self._longest = longest
        self._refused_senders: set[str] = set()

    def send(self, letter: Message) -> None:
        """Send a letter; returns when the server has taken it.

        Raises:
            MailError: one of its three kinds.
        """
        message = compose(letter, datetime.now(UTC))
        with self._connected() as connection:
            try:
                connection.send_message(message)
                self._refused_senders.discard(letter.sender)
            except smtplib.SMTPRecipientsRefused as error:
                raise _refused(error) from None
            except smtplib.SMTPDataError as error:
                raise _answered_to_letter(error) from None
            except smtplib.SMTPSenderRefused as error:
                self._tell_refused(letter.sender, error.smtp_code)
                raise _answered(error) from None
            except smtplib.SMTPResponseException as error:
                raise _answered(error) from None
            except (OSError, smtplib.SMTPException) as error:
                kind = MailUncertainError if connection.handed_over else MailNotSentError
                raise kind(f"the connection to the mail server broke ({_name(error)})") from None

    def check(self) -> None:
        """Connect and log in; nothing is sent.

        Raises:
            MailNotSentError: the server is away, or refuses.
        """
        with self._connected():
            pass

    def _tell_refused(self, sender: str, code: int) -> None:
        """Tell the owner once, who can mend it; the letter is tried again meanwhile."""
        if code < _PERMANENT or sender in self._refused_senders:
            return
        self._refused_senders.add(sender)
        _log.error(
            "the mail server answered %d to a sender at %s: no mail goes out from there until "
            "the server or the sender's address is corrected",
            code,
            domain_of(sender),
        )

    @contextmanager
    def _connected(self) -> Iterator["_Connection"]:
        connection: _Connection | None = None
        try:
            connection = self._connect()
        except smtplib.SMTPResponseException as error:
            raise _answered(error) from None
        except (OSError, smtplib.SMTPException) as error:
            raise MailNotSentError(f"the mail server can't be reached ({_name(error)})") from None
        try:
            yield connection
        finally:
            # What was taken stays so, however the goodbye goes.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
            connection.close()

    def _connect(self) -> "_Connection":
        server, context = self._server, ssl.create_default_context()
        host, port = server.hostname or "localhost", server.port
        if server.scheme == "smtps":
            connection: _Connection = _TlsConnection(
                host, port or 465, longest=self._longest, timeout=self._seconds, context=context
            )
        else:
            connection = _Connection(host, port or 25, longest=self._longest, timeout=self._seconds)
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
    """Knows whether it has begun to hand a letter over, and ends after a time.

    A server that is slow at every step may not keep the process from ending.
    """

    handed_over = False

    def __init__(self, host: str, port: int, *, longest: float, **options: Any) -> None:
        self._timer = threading.Timer(longest, self._cut)
        self._timer.daemon = True
        self._timer.start()
        try:
            super().__init__(host, port, **options)
        except BaseException:
            self.close()
            raise

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Hand the letter over."""
        self.handed_over = True
        return super().data(msg)

    def close(self) -> None:
        """Close the connection."""
        self._timer.cancel()
        super().close()

    def _cut(self) -> None:
        """End whatever is under way, in another thread."""
        if self.sock:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


class _TlsConnection(_Connection, smtplib.SMTP_SSL):
    """The same, with TLS from the start."""


def _refused(error: smtplib.SMTPRecipientsRefused) -> MailError:
    code, words = next(iter(error.recipients.values()))
    text = f"the mail server answered {code} to the address"
    return (MailRefusedError if code >= _PERMANENT else MailNotSentError)(text, _words(words))


def _answered_to_letter(error: smtplib.SMTPDataError) -> MailError:
    text = f"the mail server answered {error.smtp_code} to the letter"
    kind = MailRefusedError if error.smtp_code >= _PERMANENT else MailNotSentError
    return kind(text, _words(error.smtp_error))


def _answered(error: smtplib.SMTPResponseException) -> MailNotSentError:
    return MailNotSentError(f"the mail server answered {error.smtp_code}", _words(error.smtp_error))


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:300]


def _name(error: Exception) -> str:
    return type(error).__name__
