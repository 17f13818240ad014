"""Host names: a request by a name that isn't ours is refused, in the visitor's format.

Flask checks the name before it looks for a route, and without a route neither the refusal could
link to our style sheet nor a health check be answered by the machine's address. So such a request
is routed by a name of ours, and refused before its view.
"""

import re

from flask import Flask, Request, request
from werkzeug.exceptions import SecurityError
from werkzeug.routing import MapAdapter

from formapp.web.errors import RefusalError

_REFUSED = "formapp.host_refused"
# Names that a setting may list and Werkzeug knows not as hosts: IPv6 addresses, and underscores.
_OTHER_NAME = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]*_[a-z0-9._-]*)(?::[0-9]{1,5})?", re.ASCII)


class App(Flask):
    """Flask with `TRUSTED_HOSTS`: lower-case names without ports; `.example.com` has subdomains."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the request's route, by a name of ours where its own isn't trusted."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        host: str = environ.get("HTTP_HOST", "").lower().removesuffix(":")
        if host:
            environ["HTTP_HOST"] = host
        try:
            return super().create_url_adapter(request)
        except SecurityError:
            trusted = self.config["TRUSTED_HOSTS"]
            other = _OTHER_NAME.fullmatch(host)
            if not other or other[1] not in trusted:
                host = trusted[0].removeprefix(".")
                environ |= {"HTTP_HOST": host, _REFUSED: True}
        request.host = host
        return self.url_map.bind_to_environ(environ, subdomain="")


def check_host() -> None:
    """Refuse a request by a name that isn't ours; health checks come by the machine's address.

    Raises:
        RefusalError: 400.
    """
    if _REFUSED in request.environ and request.blueprint != "health":
        raise RefusalError(400, "HOST", "This server isn't known by that name.")
