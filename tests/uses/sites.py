"""Sites of other people: small servers of fixed pages, each on an origin of its own.

Every name under `localhost` is this machine, and each of them is a site of its own to a browser.
"""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import trustme

Headers = Mapping[str, str]


@dataclass
class ForeignSite:
    """A site whose pages a test writes.

    Attributes:
        origin: as a browser sends it.
        pages: HTML and headers by path.
        visited: the addresses that were asked for, with their queries.
        posted: how many posts came to it.
    """

    origin: str
    pages: dict[str, tuple[str, Headers]] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)
    posted: int = 0

    def page(self, body: str, path: str = "/page", head: str = "", **headers: str) -> str:
        """Put up a page and return its address; header names go with underscores."""
        html = (
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<title>A page</title><link rel="icon" href="data:,">{head}'
            f"<main><h1>A page of another site</h1>{body}</main></html>"
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = (html, named)
        return self.origin + path


@contextmanager
def foreign_site(host: str, *, tls: bool = False) -> Iterator[ForeignSite]:
    """A running site; with TLS its certificate is of an authority that nobody knows."""
    site = ForeignSite("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.visited.append(self.path)
            html, headers = site.pages.get(urlsplit(self.path).path, ("", {}))
            self.send_response(200 if html else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(html.encode())))
            self.end_headers()
            self.wfile.write(html.encode())

        def do_POST(self) -> None:
            site.posted += 1
            self.do_GET()

        def log_message(self, *_args: object) -> None:
            """Say nothing: every page that a test opens is no news."""

    number = host if host.startswith("127.") else "127.0.0.1"
    server = ThreadingHTTPServer((number, 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert(host).configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    site.origin = f"{'https' if tls else 'http'}://{host}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()
