"""An address book of a CardDAV server: Nextcloud, Fastmail, iCloud, Google, Radicale (RFC 6352).

A record's id is its card's name in the address book. That of a card which comes from Wix is made
from the contact's id, so that a repeated create can't make a double.
"""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, unquote, urlsplit

import requests

from formapp.crm.model import Book
from formapp.crm.system import (
    AlreadyExistsError,
    Capabilities,
    Changes,
    CrmError,
    CursorRefusedError,
    GoneError,
    Record,
    RefusedError,
    StaleError,
    System,
    UnauthorizedError,
    UnavailableError,
    Value,
    Write,
    batches,
)
from formapp.crm.systems import dav
from formapp.crm.systems.card_fields import KEY, CardFields, CardRecord
from formapp.crm.systems.http_calls import HttpCalls
from formapp.crm.systems.vcard import Card, UnreadableCardError

_BATCH = 100
_XML = "application/xml; charset=utf-8"
_VCARD = "text/vcard; charset=utf-8"
_ABSENT = (404, 410)
_DONE = (200, 201, 204)
_STALE = 412
_NO_CURSOR = "none"
"""The cursor at a server without sync tokens: its changes are found by the sweep alone."""

_NO_SYNC = (400, 403, 405, 415, 501)
"""How servers refuse a report that they don't know."""

_MAX_ID = 200


class CardDavSystem(System):
    """One address book, with the fields of one book."""

    capabilities = Capabilities(preconditions=True)

    def __init__(self, book: Book, calls: HttpCalls) -> None:
        self._url = book.url.rstrip("/") + "/"
        self._folder = unquote(urlsplit(self._url).path)
        self._fields = CardFields(frozenset(pair.crm for pair in book.fields), book.region)
        self._calls = calls

    def close(self) -> None:
        self._calls.close()

    def check(self) -> Sequence[str]:
        try:
            answer = self._ask("PROPFIND", dav.properties("resourcetype"), depth=0)
            kinds = [kind for member in dav.parse(answer.content).members for kind in member.kinds]
        except CrmError as error:
            return [str(error)]
        if f"{dav.CARD}addressbook" not in kinds:
            return ["url is no address book; use the address of one, as its server shows it"]
        return []

    # Reading

    def changes(self, cursor: str | None) -> Iterator[Changes]:
        if cursor is None:
            answer = self._ask("PROPFIND", dav.properties("sync-token"), depth=0)
            yield Changes({}, (), dav.parse(answer.content).token or _NO_CURSOR)
            return
        if cursor == _NO_CURSOR:
            yield Changes({}, (), cursor)
            return
        yield from self._report(cursor)

    def _report(self, token: str) -> Iterator[Changes]:
        while True:
            answer = self._ask("REPORT", dav.changes_since(token), depth=1, allow=_NO_SYNC)
            if answer.status_code != 207:  # noqa: PLR2004
                raise CursorRefusedError("the address book doesn't know the sync token any more")
            found = dav.parse(answer.content)
            cards = list(found.cards(self._folder))
            changed = {each.name: each.etag for each in cards if each.status == 200}  # noqa: PLR2004
            gone = [each.name for each in cards if each.status in _ABSENT]
            is_last = not found.is_cut_short or found.token in ("", token)
            token = found.token or token
            yield Changes(changed, gone, token)
            if is_last:
                return

    def sweep(self) -> Iterator[Mapping[str, str]]:
        """All cards with their ETags; from a server without sync tokens by PROPFIND."""
        try:
            for page in self._report(""):
                yield page.changed
        except CursorRefusedError:
            answer = self._ask("PROPFIND", dav.properties("getetag", "resourcetype"), depth=1)
            cards = dav.parse(answer.content).cards(self._folder)
            yield {
                each.name: each.etag for each in cards if f"{dav.DAV}collection" not in each.kinds
            }

    def get(self, record_id: str) -> Record | None:
        answer = self._calls.call("GET", self._address(record_id))
        if answer.status_code in _ABSENT:
            return None
        if answer.status_code not in _DONE:
            raise _refusal(answer)
        etag = answer.headers.get("ETag", "")
        return self._record(record_id, etag, answer.content.decode("utf-8", "replace"))

    def get_many(self, record_ids: Sequence[str]) -> Mapping[str, Record]:
        """Read cards, 100 a call; those that can't be read are missing."""
        found: dict[str, Record] = {}
        for batch in batches(record_ids, _BATCH):
            paths = [urlsplit(self._address(name)).path for name in batch]
            for record in self._cards(dav.cards(paths)):
                found[record.id] = record
        return found

    def find(
        self, *, key: str | None = None, email: str | None = None, phone: str | None = None
    ) -> Sequence[Record]:
        """Ask the server, and compare what it finds: it doesn't know how phones are compared."""
        if key is not None:
            own = self.get(name_of(key))
            if own and own.key == key:
                return [own]
            return [each for each in self._search(KEY, key, "equals") if each.key == key]
        if email is not None:
            wanted = self._fields.normalise("email", email)
            found = self._search("EMAIL", email.strip(), "equals")
            return [each for each in found if wanted in each.emails]
        wanted = self._fields.normalise("phone", phone or "")
        # Two digits stay together in any spelling.
        last = "".join(filter(str.isdigit, (phone or "").partition(" ")[0]))[-2:]
        return [each for each in self._search("TEL", last, "contains") if wanted in each.phones]

    def _search(self, line: str, text: str, match: str) -> Sequence[Record]:
        return self._cards(dav.search(line, text, match)) if text else ()

    def _cards(self, report: bytes) -> list[Record]:
        answer = self._ask("REPORT", report, depth=1)
        records: list[Record] = []
        for member in dav.parse(answer.content).cards(self._folder):
            if member.card:
                try:
                    records.append(self._record(member.name, member.etag, member.card))
                except RefusedError:
                    continue  # `get` says so, for the one link that it concerns
        return records

    def _record(self, name: str, etag: str, text: str) -> CardRecord:
        try:
            return self._fields.record(text, name, etag)
        except UnreadableCardError:
            raise RefusedError("the card can't be read: it is no vCard") from None

    # Writing

    def create(self, write: Write) -> Record:
        """Put a card under the name that belongs to the key.

        One that is there already with these values is the answer; with others it was changed since.
        """
        if write.key is None:
            raise RefusedError("a card can't be made without the other side's id")
        name = name_of(write.key)
        card = Card.new(name.removesuffix(".vcf"))
        self._fields.apply(card, write)
        text = card.text()
        answer = self._put(name, text, {"If-None-Match": "*"}, allow=(409,))
        if answer.status_code in _DONE:
            return self._record(name, answer.headers.get("ETag", ""), text)
        if answer.status_code == _STALE:
            held, made = self.get(name), self._record(name, "", text)
            if held and (held.values, held.labels) == (made.values, made.labels):
                return held
            raise AlreadyExistsError("a card of this contact is there already", name)
        if b"no-uid-conflict" in answer.content:
            raise AlreadyExistsError("a card with this UID is there already", _named(answer))
        raise _refusal(answer)

    def update(self, record: Record, write: Write) -> Record:
        """Change some lines of the card as it was read."""
        if not isinstance(record, CardRecord) or not record.revision:
            raise StaleError("the card was not read")
        card = Card.parse(record.card)
        self._fields.apply(card, write)
        if (text := card.text()) == Card.parse(record.card).text():
            return record
        answer = self._put(record.id, text, {"If-Match": record.revision})
        if answer.status_code == _STALE or answer.status_code in _ABSENT:
            if self._is_there(record.id):
                raise StaleError("the card has changed")
            raise GoneError("the card is gone")
        if answer.status_code not in _DONE:
            raise _refusal(answer)
        # Without an ETag the server has changed the card: the next pass reads what it made of it.
        return self._record(record.id, answer.headers.get("ETag", ""), text)

    def delete(self, record: Record) -> None:
        headers = {"If-Match": record.revision} if record.revision else {}
        answer = self._calls.call("DELETE", self._address(record.id), headers=headers)
        if answer.status_code == _STALE:
            if self._is_there(record.id):
                raise StaleError("the card has changed")
        elif answer.status_code not in (*_DONE, *_ABSENT):
            raise _refusal(answer)

    def normalise(self, name: str, value: Value) -> Value | None:
        return self._fields.normalise(name, value)

    # Calls

    def _address(self, name: str) -> str:
        return self._url + quote(name, safe="")

    def _ask(
        self, method: str, body: bytes, *, depth: int, allow: tuple[int, ...] = ()
    ) -> requests.Response:
        """Send a PROPFIND or REPORT; the answer is a multistatus, or has an allowed status.

        Without its precondition a 403 is about the credentials; 412 is how some servers refuse a
        sync token.
        """
        headers = {"Depth": str(depth), "Content-Type": _XML}
        answer = self._calls.call(method, self._url, data=body, headers=headers, allow=allow)
        status, is_token = answer.status_code, b"valid-sync-token" in answer.content
        if status == 207 or (is_token and (allow or status == _STALE)):  # noqa: PLR2004
            return answer
        if status in allow and status != 403:  # noqa: PLR2004
            return answer
        raise _refusal(answer)

    def _put(
        self, name: str, text: str, headers: Mapping[str, str], allow: tuple[int, ...] = ()
    ) -> requests.Response:
        headers = {**headers, "Content-Type": _VCARD}
        return self._calls.call(
            "PUT", self._address(name), data=text.encode(), headers=headers, allow=allow
        )

    def _is_there(self, name: str) -> bool:
        return self._calls.call("GET", self._address(name)).status_code not in _ABSENT


def _refusal(answer: requests.Response) -> CrmError:
    status = answer.status_code
    if status == 403:  # noqa: PLR2004
        return UnauthorizedError("the address book refuses the credentials (403)")
    if answer.request.method in ("PROPFIND", "REPORT") or status in _ABSENT:
        return UnavailableError(f"the address book isn't at this address ({status})")
    return RefusedError(f"the address book refuses the card ({status})")


def name_of(key: str) -> str:
    return f"wix-{key}.vcf"[-_MAX_ID:]


def _named(answer: requests.Response) -> str | None:
    """Return the name of the card that a conflict is about."""
    _, found, rest = answer.content.decode("utf-8", "replace").partition("href>")
    path = unquote(urlsplit(rest.partition("<")[0].strip()).path)
    return path.rpartition("/")[2] or None if found else None
