"""Wix as a side of a book, by the client of formapp/wix."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from formapp.crm import system
from formapp.crm.model import EXTENDED, Book
from formapp.crm.system import Capabilities, Changes, Record, Value, Write, batches
from formapp.crm.systems.wix_calls import WixCalls
from formapp.crm.systems.wix_fields import Fields, extended_names
from formapp.wix import Contact, Definition
from formapp.wix.duplicates import phone_forms
from formapp.wix.parsing import MAX_PAGE, Page

OVERLAP = timedelta(minutes=10)
"""Query's index lags, by an unpublished time: changes this old are read once more."""

INDEX_LAG = timedelta(seconds=60)

_BATCH = 100
_FRESH = timedelta(seconds=60)
_FIRST_CURSOR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class WixRecord(Record):
    """A record with the contact that it was read from: an update sends whole lists."""

    contact: Contact


class WixSystem(system.System):
    """The contacts of one Wix site, with the fields of one book.

    Calls that read many contacts wait in place for room in the rate budget.
    """

    capabilities = Capabilities(preconditions=True, merge=True, index_lag=INDEX_LAG)

    def __init__(self, book: Book, calls: WixCalls) -> None:
        self._book = book
        self._calls = calls
        self._wix = calls.wix
        self._listing: tuple[int, Iterator[system.Page]] | None = None
        self._page: dict[str, WixRecord] = {}
        self._page_at = self._learned_at = _EPOCH

    def close(self) -> None:
        self._calls.close()

    # What the site has defined: read once, and again where an unknown key turns up

    @cached_property
    def _labels(self) -> dict[str, str]:
        """Display name by key."""
        rows = self._calls.once(
            lambda: [*self._wix.labels.iterate(page_size=MAX_PAGE)], patient=True
        )
        return {row.key: row.display_name for row in rows}

    @cached_property
    def _extended(self) -> dict[str, Definition]:
        """Extended fields by display name; the oldest of a name."""
        rows = self._calls.once(lambda: [*self._wix.extended_fields.iterate()], patient=True)
        return {row.display_name: row for row in reversed(rows)}

    @property
    def _fields(self) -> Fields:
        names = frozenset(pair.wix for pair in self._book.fields)
        return Fields(
            names, self._book.region, self._book.external_id_field, self._extended, self._labels
        )

    def _learn(self, contact: Contact) -> None:
        """Read what is defined anew, if the contact has labels or fields that came since."""
        info = contact.info
        keys = {field.key for field in self._extended.values()}
        unknown = {*info.label_keys} - self._labels.keys() | {*info.extended_fields} - keys
        if unknown and self._calls.now() - self._learned_at > _FRESH:
            self._learned_at = self._calls.now()
            del self._labels, self._extended

    def _define(self, write: Write) -> None:
        """Find Or Create the extended fields of a write that the site doesn't have yet."""
        for name in extended_names(write, self._book.external_id_field):
            if name not in self._extended:
                create = self._wix.extended_fields.find_or_create
                self._extended[name], _ = self._calls.once(create, name, "TEXT")

    def _label_keys(self, names: frozenset[str]) -> list[str]:
        """Find Or Create labels by their display names."""
        by_name = {name: key for key, name in reversed(self._labels.items())}
        keys = []
        for name in sorted(names):
            if name not in by_name:
                label, _ = self._calls.once(self._wix.labels.find_or_create, name)
                self._labels[label.key] = name
                by_name[name] = label.key
            keys.append(by_name[name])
        return keys

    # Reading

    def check(self) -> Sequence[str]:
        try:
            fields = self._extended
            self._calls.once(lambda: self._wix.contacts.query(limit=1))
        except system.CrmError as error:
            return [str(error)]
        key = fields.get(self._book.external_id_field)
        if key and self._book.mode == "two-way" and key.data_type not in {None, "TEXT"}:
            problem = f"has the data type {key.data_type} at Wix: an id needs TEXT; name another"
            return [f'the extended field "{key.display_name}" {problem}']
        return [
            f"the extended field \"{field.display_name}\" is Wix's own and can't be written; "
            'set its direction to "to_crm"'
            for pair in self._book.fields
            if pair.wix.startswith(EXTENDED)
            and (field := fields.get(pair.wix.removeprefix(EXTENDED)))
            and field.field_type == "SYSTEM"
            and pair.allows("wix")
        ]

    def changes(self, cursor: str | None) -> Iterator[Changes]:
        """Contacts updated since the cursor, less an overlap.

        The cursor is the newest `updatedDate` that Wix has said, never this machine's time: with
        "now" and `$gt`, what the index shows late or another clock dates earlier would be lost.
        """
        if cursor is None:
            # Wix doesn't sort by it; a wrong clock costs readings here, and no change.
            yield Changes({}, (), (self._calls.now() - _FIRST_CURSOR).isoformat())
            return
        newest = system.read_time_cursor(cursor)
        since = {"updatedDate": {"$gte": _wix_time(newest - OVERLAP)}}

        def read(offset: int) -> Page[Contact]:
            fields = ["updatedDate", "info.labelKeys"]
            return self._wix.contacts.query(since, limit=MAX_PAGE, offset=offset, fields=fields)

        for rows, _, _ in self._calls.pages(read):
            for row in rows:
                self._page.pop(row.id, None)  # the last sweep may have read it earlier
                newest = max(newest, row.updated_date or newest)
            changed = {row.id: self._revision(row) for row in rows}
            yield Changes(changed, (), newest.isoformat())

    def sweep(self) -> Iterator[Mapping[str, str]]:
        """All contacts, 1,000 a call. `get_many` returns those of the last page without a call."""
        for page in self.list_all():
            self._page = {each.id: each for each in page.records if isinstance(each, WixRecord)}
            self._page_at = self._calls.now()
            yield {id_: record.revision for id_, record in self._page.items()}

    def list_all(self, offset: int = 0) -> Iterator[system.Page]:
        """All contacts in full by List Contacts, 1,000 a call.

        Called with the offset of the page that it returned last, it goes on with the same listing.
        """

        def read(offset: int) -> Page[Contact]:
            return self._wix.contacts.list(limit=MAX_PAGE, offset=offset, fieldsets=["FULL"])

        kept, self._listing = self._listing, None
        pages = kept[1] if kept and kept[0] == offset else self._full_pages(read, offset)
        for page in pages:
            self._listing = (page.offset, pages)
            yield page

    def created_since(self, moment: datetime) -> Iterator[system.Page]:
        """By Query Contacts, `createdDate` `$gte`."""

        def read(offset: int) -> Page[Contact]:
            since = {"createdDate": {"$gte": _wix_time(moment)}}
            query = self._wix.contacts.query
            return query(since, limit=MAX_PAGE, offset=offset, fieldsets=["FULL"])

        return self._full_pages(read, 0)

    def _full_pages(
        self, read: Callable[[int], Page[Contact]], offset: int
    ) -> Iterator[system.Page]:
        for rows, after, total in self._calls.pages(read, offset):
            yield system.Page([self._record(row) for row in rows], after, total)

    def get(self, record_id: str) -> Record | None:
        """Get Contact, which answers with the survivor where it was merged away."""
        try:
            return self._record(self._calls.once(self._wix.contacts.get, record_id))
        except system.GoneError:
            return None

    def get_many(self, record_ids: Sequence[str]) -> Mapping[str, Record]:
        """From the last page of the sweep, else by one query for 100."""
        is_fresh = self._calls.now() - self._page_at <= _FRESH
        found: dict[str, Record] = {
            id_: self._page[id_] for id_ in record_ids if is_fresh and id_ in self._page
        }
        missing = [id_ for id_ in record_ids if id_ not in found]
        for batch in batches(missing, _BATCH):
            wanted = {"id": {"$in": batch}}
            for row in self._calls.once(self._full, wanted, _BATCH, patient=True):
                found[row.id] = self._record(row)
        return found

    def find(
        self, *, key: str | None = None, email: str | None = None, phone: str | None = None
    ) -> Sequence[Record]:
        """By Query, which lags. E-mails and phones that aren't the primary ones count, too."""
        fields = self._fields
        if key is not None:
            stored = self._extended.get(self._book.external_id_field)
            if stored is None:
                return []
            rows = self._calls.once(self._full, {f"info.extendedFields.{stored.key}": {"$eq": key}})
            return [self._record(row) for row in rows if fields.key(row) == key]
        if email is not None:
            wanted = fields.normalise("email", email)
            forms = sorted({email, *([wanted] if isinstance(wanted, str) else [])})
            found = self._any("email", "info.emails.email", forms)
            return [self._record(row) for row in found if wanted in fields.emails(row)]
        wanted = fields.normalise("phone", phone or "")
        forms = [*phone_forms(phone or "", self._book.region)]
        found = self._any("phone", "info.phones.e164Phone", forms) if forms else ()
        return [self._record(row) for row in found if wanted in fields.phones(row)]

    def _any(self, primary: str, other: str, forms: Sequence[str]) -> Sequence[Contact]:
        """By the primary e-mail or phone or any; not every site takes the filter for the latter."""
        first = {f"primaryInfo.{primary}": {"$in": [*forms]}}
        try:
            return [*self._calls.once(self._full, {"$or": [first, {other: {"$in": [*forms]}}]})]
        except system.RefusedError:
            return [*self._calls.once(self._full, first)]

    def _full(self, wanted: Mapping[str, Any], limit: int = 50) -> Page[Contact]:
        return self._wix.contacts.query(wanted, limit=limit, fieldsets=["FULL"])

    def _record(self, contact: Contact) -> WixRecord:
        self._learn(contact)
        fields = self._fields
        return WixRecord(
            contact.id,
            self._revision(contact),
            fields.values(contact),
            fields.labels(contact),
            fields.key(contact),
            fields.emails(contact),
            fields.phones(contact),
            contact.created_date,
            contact=contact,
        )

    @staticmethod
    def _revision(contact: Contact) -> str:
        """With a digest of the labels: whether labelling raises the revision isn't published."""
        if not contact.info.label_keys:
            return str(contact.revision)
        keys = "\n".join(sorted(contact.info.label_keys)).encode()
        return f"{contact.revision}-{hashlib.sha256(keys).hexdigest()[:8]}"

    def normalise(self, name: str, value: Value) -> Value | None:
        return self._fields.normalise(name, value)

    # Writing

    def create(self, write: Write) -> Record:
        """Create Contact with its labels and the other side's id."""
        self._define(write)
        keys = self._label_keys(write.add_labels)
        info = self._fields.body(write, None, keys)
        return self._written(self._calls.once(self._wix.contacts.create, info))

    def _written(self, answer: Contact) -> WixRecord:
        """The record that a write answered with, for which definitions may have to be read anew."""
        with system.after_write():
            return self._record(answer)

    def update(self, record: Record, write: Write) -> Record:
        """Update Contact with the revision that was read, then Label and Unlabel Contact."""
        if write.key is not None and record.key not in {None, write.key}:
            raise system.RefusedError("another external id is stored already")
        held = _with_contact(record)
        self._define(write)
        self._page.pop(record.id, None)
        if body := self._fields.body(write, held.contact):
            try:
                answer = self._calls.once(
                    self._wix.contacts.update, record.id, held.contact.revision, body
                )
            except system.AlreadyExistsError as error:
                raise system.RefusedError(str(error)) from error
            held = self._written(answer)
        with system.after_write(applied=bool(body)):
            if write.add_labels:
                held = self._label(held, write.add_labels)
        with system.after_write(applied=bool(body or write.add_labels)):
            if write.remove_labels:
                held = self._unlabel(held, write.remove_labels)
        return held

    def _label(self, record: WixRecord, names: frozenset[str]) -> WixRecord:
        for is_last in (False, True):
            keys = self._label_keys(names)
            try:
                answer = self._calls.once(self._wix.contacts.label, record.id, keys)
                break
            except system.RefusedError:
                # A label that was deleted since; which answer says so isn't published.
                if is_last:
                    raise
                del self._labels
        return self._labelled(record, answer, record.labels | names)

    def _unlabel(self, record: WixRecord, names: frozenset[str]) -> WixRecord:
        keys = [key for key, name in self._labels.items() if name in names]
        if not keys:
            return record
        answer = self._calls.once(self._wix.contacts.unlabel, record.id, keys)
        return self._labelled(record, answer, record.labels - names)

    def _labelled(self, before: WixRecord, answer: Contact, labels: frozenset[str]) -> WixRecord:
        """The record after a call that has no precondition.

        If the answer shows an edit of somebody else, the record keeps what it was before with its
        older revision, so that the edit is found as one.
        """
        after = self._written(answer)
        same = (after.values, after.key, after.labels) == (before.values, before.key, labels)
        return after if same else replace(before, labels=labels)

    def delete(self, record: Record) -> None:
        """Delete Contact, which has no precondition: so it is read once more before."""
        found = self.get(record.id)
        if found is None or found.id != record.id:
            return
        if record.revision and found.revision != record.revision:
            raise system.StaleError("the contact has changed since it was read")
        self._calls.once(self._wix.contacts.delete, record.id)

    def merge(self, survivor: Record, source: Record) -> Record:
        """Merge Contacts; a member can't be the source."""
        target = _with_contact(survivor)
        try:
            answer = self._calls.once(
                self._wix.contacts.merge, target.id, target.contact.revision, [source.id]
            )
        except system.RefusedError:
            # The code for a stale revision isn't published: it may be the same.
            found = self.get(target.id)
            if found is None or found.revision == target.revision:
                raise
            raise system.StaleError("the contact has changed since it was read") from None
        return self._written(answer)


def _with_contact(record: Record) -> WixRecord:
    if not isinstance(record, WixRecord):
        raise system.StaleError("the contact was not read")
    return record


def _wix_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
