"""What proxies in front of this server say about a visitor."""

import re
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Azure's gateways and IIS write the port, too.
_WITH_PORT = re.compile(r"\s*(?:\[([0-9A-Fa-f:.]+)\](?::\d+)?|([0-9.]+):\d+)\s*", re.ASCII)
_SCHEMES = {"http", "https"}


class TrustedProxies(ProxyFix):
    """Believes the last `hops` entries of the headers X-Forwarded-For, -Proto and -Host."""

    def __init__(self, app: "WSGIApplication", hops: int) -> None:
        super().__init__(app, x_for=hops, x_proto=hops, x_host=hops)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        """Answer a request; its address has no port, its scheme is one of the web's."""
        addresses: str = environ.get("HTTP_X_FORWARDED_FOR", "")
        if ":" in addresses:
            environ["HTTP_X_FORWARDED_FOR"] = ",".join(map(_without_port, addresses.split(",")))
        schemes: str = environ.get("HTTP_X_FORWARDED_PROTO", "")
        if {scheme.strip() for scheme in schemes.split(",")} - _SCHEMES:
            environ.pop("HTTP_X_FORWARDED_PROTO", None)
        return super().__call__(environ, start_response)


def _without_port(address: str) -> str:
    match = _WITH_PORT.fullmatch(address)
    return match[1] or match[2] if match else address
