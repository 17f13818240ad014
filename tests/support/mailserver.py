"""A mail server for tests: just enough of SMTP (RFC 5321) to take mails, refuse or break."""

import email
import re
import socketserver
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Taken:
    """A mail that the server has taken."""

    sender: str
    to: str
    raw: bytes
    over_tls: bool = False
    login: str = ""

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed as a mailbox would."""
        return email.message_from_bytes(self.raw, policy=policy.default)

    def part(self, kind: str) -> str:
        """The text of its part of this kind: `plain` or `html`."""
        part = self.message.get_body((kind,))
        assert part is not None
        return str(part.get_content()).replace("\r\n", "\n")

    @property
    def link(self) -> str:
        """The only link in its text."""
        (link,) = re.findall(r"https?://\S+", self.part("plain"))
        return str(link)

    @property
    def path(self) -> str:
        """The same, from the server's root on."""
        parts = urlsplit(self.link)
        return f"{parts.path}?{parts.query}"


@dataclass
class MailServer:
    """What the server does and has seen.

    Attributes:
        answers: verb to what it says instead of yes; `DATA` is the answer to the mail itself.
        cuts: the verb at which it hangs up; at `DATA` it has taken the mail by then.
        arrived: set whenever a mail was taken.
        hold: cleared, it keeps the server from saying that it has taken a mail.
    """

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    cuts: str = ""
    context: ssl.SSLContext | None = None
    arrived: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """As the setting has it."""
        return f"smtp://127.0.0.1:{self.port}"

    def wait(self, number: int = 1, seconds: float = 20) -> Taken:
        """Wait until so many mails were taken; the last of them."""
        while len(self.taken) < number:
            self.arrived.clear()
            if len(self.taken) < number:
                assert self.arrived.wait(seconds), f"{len(self.taken)} mails came"
        return self.taken[number - 1]


class _Talk(socketserver.StreamRequestHandler):
    def setup(self) -> None:
        super().setup()
        self._book: MailServer = self.server.book  # type: ignore[attr-defined] # set below
        self._sender = self._to = self._login = ""
        self._over_tls = False

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper().partition(":")[0]
            if not self._answer(verb, line):
                return

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _answer(self, verb: str, line: str) -> bool:
        if self._book.cuts == verb != "DATA":
            return False
        if verb != "DATA" and verb in self._book.answers:
            self._say(self._book.answers[verb])
        elif verb == "DATA":
            return self._take()
        elif verb == "STARTTLS" and self._book.context:
            self._say("220 go on")
            self.connection = self._book.context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)
            self._over_tls = True
        elif verb == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._note(verb, line)
            self._say(self._capabilities() if verb == "EHLO" else "250 fine")
        return True

    def _capabilities(self) -> str:
        if self._book.context is None:
            return "250 fine"
        return "250-fine\r\n250 " + ("AUTH PLAIN" if self._over_tls else "STARTTLS")

    def _note(self, verb: str, line: str) -> None:
        if verb == "MAIL":
            self._sender = line.partition("<")[2].partition(">")[0]
        elif verb == "RCPT":
            self._to = line.partition("<")[2].partition(">")[0]
        elif verb == "AUTH":
            self._login = line

    def _take(self) -> bool:
        self._say("354 go on")
        raw = b""
        while (text := self.rfile.readline()) != b".\r\n":
            if not text:
                return False  # the client is gone
            raw += text[1:] if text.startswith(b"..") else text
        if answer := self._book.answers.get("DATA"):
            self._say(answer)
            return True
        self._book.taken.append(Taken(self._sender, self._to, raw, self._over_tls, self._login))
        self._book.arrived.set()
        self._book.hold.wait(30)
        if self._book.cuts == "DATA":
            return False
        self._say("250 taken")
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that was killed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def mail_server(port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """Run a mail server on this machine; with a context it offers STARTTLS, and a login behind."""
    with _Server(("127.0.0.1", port), _Talk) as server:
        book = MailServer(server.server_address[1], context=context)
        book.hold.set()
        server.book = book  # type: ignore[attr-defined] # read by the handler
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield book
        finally:
            server.shutdown()
            thread.join()
