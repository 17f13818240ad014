"""Signed links by which owners reach the files of a lead, without signing in.

A link is for all files of one lead, or for those of one field. It expires, and ends with the lead:
who has it can open nothing else. It is the same text each time it is made, so that a notification
that is sent again is the same message, and Wix sees no change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from formapp.files.records import FileRecord
from formapp.signing import Signer

PREFIX = "/files"
"""Of the addresses."""

SHORT_LIFE = timedelta(hours=1)
"""How long a link on a page of the inbox is valid."""


@dataclass(frozen=True, slots=True)
class FileLink:
    """What a link opens until it expires, in whole seconds; without a field all files of a lead."""

    submission_id: str
    until: datetime
    field: str | None = None

    def opens(self, record: FileRecord) -> bool:
        return self.field is None or record.field == self.field


class FileLinkSigner:
    """Signs links with the first of the secret keys and verifies them with all."""

    def __init__(self, keys: Sequence[str]) -> None:
        # The time when it was signed would make each text another one; `until` is in its content.
        self._signer = Signer(keys, salt="formapp.files.links", clock=lambda: 1)

    def issue(self, link: FileLink) -> str:
        content = {"s": link.submission_id, "u": int(link.until.timestamp())}
        return self._signer.sign(content | ({"f": link.field} if link.field else {}))

    def read(self, token: str) -> FileLink:
        """Return the link of a token, or raise InvalidSignatureError; it may have expired."""
        content = self._signer.read(token).content
        # Signed for this purpose, so of the shape that `issue` gave it.
        until = datetime.fromtimestamp(content["u"], UTC)
        return FileLink(content["s"], until, content.get("f"))


@dataclass(frozen=True, repr=False)
class FileAddresses:
    """Addresses of files for mails, webhooks, chats and Wix.

    They are valid as long as answers are kept, counted from when the lead was received.

    Attributes:
        base_url: of this server, without a slash at the end.
        keep_days: where a lead has no number of its own.
    """

    signer: FileLinkSigner
    base_url: str
    keep_days: int

    def of_lead(
        self,
        submission_id: str,
        received_at: datetime,
        *,
        keep_days: int | None = None,
        field: str | None = None,
    ) -> str:
        """Return the address of the page that lists the files of a lead, or of one field."""
        days = self.keep_days if keep_days is None else keep_days
        link = FileLink(submission_id, received_at + timedelta(days=days), field)
        return f"{self.base_url}{PREFIX}/{self.signer.issue(link)}"


def address_of_file(address: str, record: FileRecord) -> str:
    """Return the address of one file, from that of a page which lists it."""
    return f"{address}/{record.id}"


def short_address(signer: FileLinkSigner, submission_id: str, now: datetime) -> str:
    """Return the path of a page that lists the files of a lead, for an hour."""
    return f"{PREFIX}/{signer.issue(FileLink(submission_id, now + SHORT_LIFE))}"
