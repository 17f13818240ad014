"""The one entry point: a site's contacts, labels, extended fields and bulk jobs."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from formapp.wix.auth import Auth, Site
from formapp.wix.bulk import Bulk
from formapp.wix.contacts import Contacts
from formapp.wix.definitions import ExtendedFields, Labels
from formapp.wix.duplicates import DuplicateMatch, find_duplicate
from formapp.wix.transport import BASE_URL, USER_AGENT, Call, Hooks, Timeouts, Transport


class WixContacts:
    """A client for one Wix site. Threads may share it.

    Args:
        auth: an `ApiKey` or an `AppToken`.
        base_url: where the API is.
        timeouts: connect and read, in seconds.
        user_agent: sent with every call.
        before_call: gets the operation's name before each HTTP call; what it raises passes through
            and nothing is sent. A rate budget belongs here. A request for a token counts.
        on_call: gets a `Call` after each HTTP call, whatever came of it.

    Attributes:
        contacts: verbs for contacts.
        labels: verbs for labels.
        extended_fields: verbs for extended fields.
        bulk: bulk labelling and its jobs.

    Raises:
        ValueError: `base_url` is no http or https address, or holds credentials.
    """

    def __init__(  # noqa: PLR0913 - collaborators and settings, all by keyword
        self,
        auth: Auth,
        *,
        base_url: str = BASE_URL,
        timeouts: tuple[float, float] = Timeouts(),
        user_agent: str = USER_AGENT,
        before_call: Callable[[str], None] | None = None,
        on_call: Callable[[Call], None] | None = None,
    ) -> None:
        self._transport = Transport(
            base_url,
            timeouts=timeouts,
            user_agent=user_agent,
            hooks=Hooks(before_call, on_call),
        )
        site = Site(self._transport, auth)
        self.contacts = Contacts(site)
        self.labels = Labels(site)
        self.extended_fields = ExtendedFields(site)
        self.bulk = Bulk(site)

    def find_duplicate(
        self,
        *,
        email: str | None = None,
        typed_email: str | None = None,
        phone: str | None = None,
        country: str | None = None,
        also_report_phone: bool = False,
    ) -> DuplicateMatch:
        """Find Duplicate Contact: see `formapp.wix.duplicates.find_duplicate`.

        Raises:
            WixError: the query did not succeed.
        """
        return find_duplicate(
            self.contacts,
            email=email,
            typed_email=typed_email,
            phone=phone,
            country=country,
            also_report_phone=also_report_phone,
        )

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
