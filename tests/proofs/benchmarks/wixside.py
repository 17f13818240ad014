"""The sandbox beside a benchmark, in its process: what it was called for and when it answered."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

from formapp.sandbox import SandboxOptions, SandboxServer, Settings, create_sandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CREATE = ("POST", "/contacts/v4/contacts")


class WixSide:
    """A running sandbox; a context manager.

    Attributes:
        url: where formapp calls it.
        created: called after each contact that was created, once its answer is on its way.
    """

    def __init__(self, clock: Callable[[], float] = time.time, **settings: Any) -> None:
        chosen = Settings().changed({"rate_limit": 0, **settings})
        self._app = create_sandbox(SandboxOptions(settings=chosen, clock=clock))
        self._server = SandboxServer(self._answer)
        self.url = self._server.url
        self.created: Callable[[], object] = lambda: None

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def _answer(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        body = self._app(environ, start)
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == CREATE:
            self.created()
        return body

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the control path, which must succeed."""
        client = self._app.test_client()
        answer = client.open(f"/_sandbox{path}", method=method, json=body, buffered=True)
        if answer.status_code != 200:
            raise ValueError(f"the sandbox answered {answer.status}")
        return answer.json

    def calls(self) -> list[dict[str, Any]]:
        """The latest calls, oldest first (20,000 are kept)."""
        found: list[dict[str, Any]] = self.control("GET", "/calls")["calls"]
        return found
