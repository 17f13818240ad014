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
        charsets: encodings of the pages by path.
        redirects: where posts to a path are sent on to, unchanged.
    """

    origin: str
    pages: dict[str, tuple[str, Headers]] = field(default_factory=dict)
    visited: list[str] = field(default_factory=list)
    posted: int = 0
    charsets: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)

    def page(
        self,
        body: str,
        path: str = "/page",
        head: str = "",
        *,
        charset: str = "utf-8",
        **headers: str,
    ) -> str:
        """Put up a page and return its address; header names go with underscores."""
        self.charsets[path] = charset
        html = (
            f'<!doctype html><html lang="en"><meta charset="{charset}">'
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
            path = urlsplit(self.path).path
            html, headers = site.pages.get(path, ("", {}))
            charset = site.charsets.get(path, "utf-8")
            content = html.encode(charset, "xmlcharrefreplace")
            self.send_response(200 if html else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", f"text/html; charset={charset}")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            site.posted += 1
            if target := site.redirects.get(self.path):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(308)
                self.send_header("Location", target)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
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
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()
