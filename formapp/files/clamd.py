"""A client of ClamAV's daemon: streams a content to it and reads the verdict.

Its protocol (`man clamd`, INSTREAM) is a command, chunks with their lengths and one line as the
answer; the packages for it are older than the daemon's oldest supported release.
"""

import socket
import struct
from typing import IO
from urllib.parse import urlsplit

_CHUNK = 64 * 1024
_SECONDS = 60.0
_LONGEST_ANSWER = 4096
_FOUND = " FOUND"
_OK = "stream: OK"
_TOO_LARGE = "INSTREAM size limit exceeded"
UNSCANNED = "too large to be scanned: raise StreamMaxLength of clamd"


class ClamdError(Exception):
    """The daemon can't be reached, or could not scan; the text says why."""


class Clamd:
    """The daemon at `unix:/path` or `tcp://host:port`."""

    def __init__(self, address: str) -> None:
        self._address = address

    def scan(self, content: IO[bytes]) -> str | None:
        """Return the name of what was found, None if the content is clean; raises ClamdError."""
        try:
            with self._connect() as connection:
                answer = self._send(connection, content)
        except OSError as error:
            raise ClamdError(f"clamd: {error.strerror or type(error).__name__}") from error
        if answer == _OK:
            return None
        if answer.endswith(_FOUND):
            return answer.removeprefix("stream: ").removesuffix(_FOUND)
        if answer.startswith(_TOO_LARGE):
            return UNSCANNED
        raise ClamdError("clamd could not scan the content")

    def _connect(self) -> socket.socket:
        if self._address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(_SECONDS)
            try:
                connection.connect(self._address.removeprefix("unix:"))
            except OSError:
                connection.close()
                raise
            return connection
        parts = urlsplit(self._address)
        return socket.create_connection((parts.hostname, parts.port), timeout=_SECONDS)

    def _send(self, connection: socket.socket, content: IO[bytes]) -> str:
        try:
            connection.sendall(b"zINSTREAM\0")
            while data := content.read(_CHUNK):
                connection.sendall(struct.pack("!I", len(data)) + data)
            connection.sendall(struct.pack("!I", 0))
        except BrokenPipeError:
            # It stops reading once its limit is reached, and has answered.
            pass
        answer = b""
        while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
            if not (data := connection.recv(_LONGEST_ANSWER)):
                break
            answer += data
        return answer.rstrip(b"\0").decode("utf-8", "replace").strip()
