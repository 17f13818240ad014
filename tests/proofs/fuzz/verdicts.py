"""What a site makes of an input: the facts of its answer that don't depend on the moment."""

import hashlib
import io
import json
import re
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from werkzeug.test import run_wsgi_app

from tests.proofs.fuzz.inputs import Input
from tests.web.running import Running
from tests.web.support import Site

_TOKEN = re.compile(rb'(name="_token"[^>]*value=")[^"]*')
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_RANDOM = re.compile(rb"(?im)^(date|x-request-id):.*$")
CLOSED = 0
"""The status of a connection that was closed without an answer."""


@dataclass(frozen=True)
class Verdict:
    """An answer.

    Attributes:
        codes: of each fault: its field, or "", and its code.
        location: where a redirect leads.
        digest: of the body without its token; empty where the body tells of the server itself.
        complaint: what no answer may have, such as a cookie; else empty.
    """

    status: int
    codes: tuple[tuple[str, str], ...] = ()
    location: str = ""
    digest: str = ""
    complaint: str = ""


def send(site: Site, given: Input) -> Verdict:
    """Give a request to the app as a WSGI server would."""
    body, status, headers = run_wsgi_app(site.app, _environ(given), buffered=True)
    content = b"".join(body)
    return Verdict(
        int(status[:3]),
        _codes(headers.get("Content-Type", ""), content),
        headers.get("Location", ""),
        _digest(content) if given.path != "/metrics" else "",
        _complaint(dict(headers), content, given),
    )


def send_bytes(running: Running, given: Input) -> Verdict:
    """Send bytes on a connection, then nothing more; read until the server closes it."""
    answer = b""
    with closing(running.connect()) as client, suppress(OSError):
        client.sendall(given.wire)
        client.shutdown(socket.SHUT_WR)
        while received := client.recv(65536):
            answer += received
    statuses = [int(each) for each in _STATUS.findall(answer)]
    return Verdict(
        max(statuses, default=CLOSED),
        digest=_digest(_RANDOM.sub(b"", answer)),
        complaint="a cookie" if b"\nset-cookie:" in answer.lower() else "",
    )


def _environ(given: Input) -> dict[str, Any]:
    headers = dict(given.headers or {})
    environ: dict[str, Any] = {
        "REQUEST_METHOD": given.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": given.path,
        "QUERY_STRING": given.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "CONTENT_TYPE": headers.pop("Content-Type", ""),
        "CONTENT_LENGTH": headers.pop("Content-Length", str(len(given.body))),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(given.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return environ | {
        f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()
    }


def _codes(content_type: str, content: bytes) -> tuple[tuple[str, str], ...]:
    if content_type != "application/json" or not content:
        return ()
    faults = json.loads(content).get("errors", [])
    return tuple((fault.get("field", ""), fault["code"]) for fault in faults)


def _digest(content: bytes) -> str:
    return hashlib.sha256(_TOKEN.sub(rb"\1", content)).hexdigest()[:16]


def _complaint(headers: Mapping[str, str], content: bytes, given: Input) -> str:
    if "Set-Cookie" in headers:
        return "a cookie"
    wants_json = (given.headers or {}).get("Accept") == "application/json"
    if wants_json and given.method == "POST" and content:
        try:
            found = json.loads(content)
        except ValueError:
            return "no JSON"
        if ("error" in found) == ("ok" in found):
            return "neither success nor error"
    return ""
