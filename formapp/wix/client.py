"""The one entry point: a site's contacts, labels and extended fields."""

from collections.abc import Callable
from functools import partial
from typing import Self

from requests.adapters import HTTPAdapter

from formapp.wix.contacts import Contacts
from formapp.wix.definitions import Definitions
from formapp.wix.duplicates import find_candidates, find_duplicate
from formapp.wix.transport import BASE_URL, Auth, Call, Timeouts, Transport


class WixContacts:
    """A client for one Wix site. Threads may share it.

    Args:
        auth: an `ApiKey` or an `AppToken`.
        base_url: scheme and host, and a path only where a proxy needs one; else ValueError.
        timeouts: connect and read, in seconds.
        adapter: sends the requests, as of `requests`; it must not repeat any.
        before_call: gets the operation's name before each HTTP call, token requests included; an
            exception from it passes through and prevents the call. Enforce a rate limit here.
        on_call: gets a `Call` after each HTTP call, successful or not.
    """

    def __init__(  # noqa: PLR0913 - collaborators and settings, all by keyword
        self,
        auth: Auth,
        *,
        base_url: str = BASE_URL,
        timeouts: tuple[float, float] = Timeouts(),
        adapter: HTTPAdapter | None = None,
        before_call: Callable[[str], None] | None = None,
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        self._transport = transport = Transport(
            auth, base_url, timeouts, before_call, on_call, adapter
        )
        self.contacts = Contacts(transport)
        self.labels = Definitions(transport, "labels", "Label", "label")
        self.extended_fields = Definitions(transport, "extended-fields", "ExtendedField", "field")
        self.find_duplicate = partial(find_duplicate, self.contacts)
        self.find_candidates = partial(find_candidates, self.contacts)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
