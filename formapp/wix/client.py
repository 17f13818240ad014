"""The one entry point: a site's contacts, labels and extended fields."""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from requests.adapters import HTTPAdapter

from formapp.wix.auth import Auth, AuthenticatedTransport
from formapp.wix.contacts import Contacts
from formapp.wix.definitions import ExtendedFields, Labels
from formapp.wix.duplicates import find_duplicate
from formapp.wix.transport import BASE_URL, USER_AGENT, Call, Timeouts, Transport


class WixContacts:
    """A client for one Wix site. Threads may share it.

    Args:
        auth: an `ApiKey` or an `AppToken`.
        base_url: where the API is.
        timeouts: connect and read, in seconds.
        adapter: sends the requests, as of `requests`; it must not repeat any.
        user_agent: sent with every call.
        before_call: gets the operation's name before each HTTP call, token requests included; an
            exception from it passes through and prevents the call. Enforce a rate limit here.
        on_call: gets a `Call` after each HTTP call, successful or not.

    Raises:
        ValueError: `base_url` is not an http or https address, or holds credentials.
    """

    def __init__(  # noqa: PLR0913 - collaborators and settings, all by keyword
        self,
        auth: Auth,
        *,
        base_url: str = BASE_URL,
        timeouts: tuple[float, float] = Timeouts(),
        adapter: HTTPAdapter | None = None,
        user_agent: str = USER_AGENT,
        before_call: Callable[[str], None] | None = None,
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        self._transport = Transport(
            base_url,
            timeouts=timeouts,
            adapter=adapter,
            user_agent=user_agent,
            before_call=before_call,
            on_call=on_call,
        )
        authenticated = AuthenticatedTransport(self._transport, auth)
        self.contacts = Contacts(authenticated)
        self.labels = Labels(authenticated)
        self.extended_fields = ExtendedFields(authenticated)
        self.find_duplicate = partial(find_duplicate, self.contacts)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
