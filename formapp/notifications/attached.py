"""A lead's files in notifications: links to them, and by choice what is attached to a mail."""

from collections.abc import Iterator

from formapp.files.links import FileAddresses, address_of_file
from formapp.files.names import safe_name
from formapp.files.records import FileState
from formapp.files.store import ContentMissingError, FileStore, FileStoreError
from formapp.forms.definition.model import FormDefinition
from formapp.forms.definition.uploads import format_size
from formapp.mail.message import Attachment
from formapp.notifications.channel import NotSentError
from formapp.notifications.store import AcceptedLead

MOST_ATTACHED = 5_000_000
"""Bytes of all files of a mail. Mailboxes take about 20 MB, of which encoding takes a third."""


def page_of_files(
    lead: AcceptedLead, definition: FormDefinition, addresses: FileAddresses | None
) -> str | None:
    """Return the address of the page that lists a lead's files; None without any."""
    if addresses is None or not lead.files:
        return None
    return addresses.of_lead(lead.id, lead.received_at, keep_days=definition.keep_days)


def links_of(
    lead: AcceptedLead, definition: FormDefinition, addresses: FileAddresses | None
) -> list[tuple[str, str]]:
    """Return name and address of each file that isn't in quarantine."""
    page = page_of_files(lead, definition, addresses)
    if page is None:
        return []
    return [
        (f"{safe_name(each.name)} ({format_size(each.size)})", address_of_file(page, each))
        for each in lead.files
        if each.state is not FileState.QUARANTINED
    ]


def attachments_of(lead: AcceptedLead, store: FileStore) -> tuple[Attachment, ...]:
    """Return the contents to attach: of all files, or none if they are too large together.

    Those that are in quarantine, or aren't scanned yet, are never attached. Raises NotSentError.
    """
    if sum(each.size for each in lead.files) > MOST_ATTACHED:
        return ()
    try:
        return tuple(_read(lead, store))
    except FileStoreError as error:
        raise NotSentError(f"a file can't be read: {error}") from None


def _read(lead: AcceptedLead, store: FileStore) -> Iterator[Attachment]:
    for each in lead.files:
        if not each.is_available:
            continue
        try:
            with store.open(each.key) as content:
                yield Attachment(safe_name(each.name), each.type, content.read())
        except ContentMissingError:  # it was erased a moment ago
            continue
