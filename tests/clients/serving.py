"""The two servers of a test: formapp, and a page of somebody else's site."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from flask import Flask, request, request_started

from formapp.forms.definition.parse import parse_form
from formapp.forms.form import Form, compile_form
from tests.web.running import Running

FORM = """
title = "Contact"
origins = [{origins}]

[[fields]]
name = "name"
type = "text"
label = "Name"
required = true
to = "full_name"

[[fields]]
name = "email"
type = "email"
label = "Email"
required = true
to = "email"

[[fields]]
name = "size"
type = "number"
label = "Size"

[[fields]]
name = "extras"
type = "checkboxes"
label = "Extras"
options = ["milk", "sugar", "lemon"]
"""


def forms(listed: str) -> dict[str, Form]:
    """`contact`, which that origin may post to, and `closed`, which nobody may."""
    texts = {"contact": FORM.format(origins=f'"{listed}"'), "closed": FORM.format(origins="")}
    return {name: compile_form(name, parse_form(name, text)) for name, text in texts.items()}


@dataclass
class Served:
    """A running formapp server.

    Attributes:
        endpoint: what a site's owner writes in place of Formspree's address.
        seen: method, path and headers of each request, in order.
    """

    running: Running
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        request_started.connect(self._see, self.running.site.app)

    @property
    def endpoint(self) -> str:
        host, port = self.running.address
        return f"http://{host}:{port}"

    def answers(self) -> list[dict[str, Any]]:
        """The answers of all submissions, without those that were left empty."""
        return [
            {name: value for name, value in row.answers.items() if value not in (None, "", [])}
            for row in self.running.site.rows()
        ]

    def _see(self, _app: Flask, **_: object) -> None:
        self.seen.append((request.method, request.path, dict(request.headers)))


@contextmanager
def page_server(contents: Mapping[str, str]) -> Iterator[str]:
    """Serve these texts by path; gives the origin, on another site than formapp's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            kind = "text/javascript" if path.endswith(".js") else "text/html"
            body = contents.get(path, "").encode()
            self.send_response(200 if path in contents else 404)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    # formapp is asked at 127.0.0.1: another host is another site to a browser.
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
