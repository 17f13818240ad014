"""The files of one post: received while its body is read, checked, then stored or staged."""

import logging
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from formapp.db.database import DatabaseUnavailableError
from formapp.files.images import UnreadableImageError, strip_metadata
from formapp.files.intake import FileIntake, FilesUsedUpError
from formapp.files.records import STAGED_LIFE, FileRecord, new_id
from formapp.files.store import FileStoreError, Spool
from formapp.files.types import clean_name, find_kinds, fits, fitting_name, type_of
from formapp.forms import messages
from formapp.forms.definition.uploads import KEPT
from formapp.forms.fields.files import File, SentFile
from formapp.forms.form import Form
from formapp.forms.messages import ErrorMessage
from formapp.forms.notes import FILE_NAME_ONLY, MAX_NAME, Note
from formapp.forms.posted import Posted
from formapp.signing import InvalidSignatureError, Signer

KEPT_SALT = "formapp.files.kept"
_MOST_GROWTH = 2
"""How many times larger an image may become that is encoded again, if it is over the limit then."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Upload:
    """One file of a post.

    Attributes:
        slot: the index of its field.
        called: the name that the sender has for the field.
        most: the most bytes that the field allows.
        spool: its content; None if there are too many, it is too large, or it is staged already.
        size: its bytes, those that weren't written included.
        fault: why it can't be taken, if that is known before it is whole.
        sent: its name among the posted texts, once that could be decoded.
        record: once it could be checked; its key is empty until it is put.
    """

    slot: int
    called: str
    most: int
    spool: Spool | None = None
    size: int = 0
    fault: ErrorMessage | None = None
    sent: SentFile | None = None
    record: FileRecord | None = None

    def write(self, data: bytes) -> None:
        """Take the next bytes of its content; more than the field allows aren't written."""
        self.size += len(data)
        if self.spool and self.size > self.most:
            self.close()
        if self.spool:
            try:
                self.spool.write(data)
            except OSError as error:
                _log.error("a file was not kept: %s", error.strerror)
                self.close()
                self.fault = messages.FILE_GONE

    def close(self) -> None:
        """Delete its content, unless that was put into the store."""
        if self.spool:
            self.spool.close()
            self.spool = None


class Uploads:
    """The files of one post to a form that takes files.

    The body's reader calls `begin` for each file, `sort` adds them to the posted texts; then either
    `records` and `put` are for the submission, or `stage` keeps them for the corrected post.
    At its end, what was neither put nor staged is deleted.
    """

    def __init__(self, form: Form, intake: FileIntake, signer: Signer, address: str) -> None:
        self._form = form
        self._intake = intake
        self._signer = signer
        self._address = address
        self._arriving: list[Upload] = []
        self._staged: list[Upload] = []
        self._fields = {n: field for n, field in enumerate(form.fields) if isinstance(field, File)}
        self.most_bytes = form.definition.most_file_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._arriving:
            each.close()

    def begin(self, name: str) -> Upload | None:
        """Return where a file with this name is written to; None where no field takes files."""
        slot = self._form.reader.file_slot(name)
        if slot is None:
            return None
        field = self._fields[slot].definition
        before = sum(each.slot == slot for each in self._arriving)
        arriving = Upload(slot, name, field.max_size)
        self._arriving.append(arriving)
        if before < field.max_files:
            try:
                arriving.spool = self._intake.store.spool()
            except FileStoreError as error:
                # The visitor gets the other answers back.
                _log.error("a file to %s was not kept: %s", self._form.name, error)
                arriving.fault = messages.FILE_GONE
        return arriving

    def sort(
        self, posted: Posted, names: Sequence[str], now: datetime, *, limited: bool = False
    ) -> list[Note]:
        """Check the files, and put their names among the posted texts; returns notes on others.

        `names` are the files' own, in the order in which they came. Those of a post beyond a limit
        aren't kept: the visitor has to choose them again.
        """
        self._find_staged(posted, now)
        for each, name in zip(self._arriving, names, strict=True):
            each.sent = SentFile(clean_name(name), each.size)
            if limited:
                self._refuse([each], messages.FILE_GONE)
            else:
                self._check(each, now)
            posted.sent[each.slot].append(each.called)
        notes: list[Note] = []
        for slot, field in self._fields.items():
            sent: list[str] = [each.sent for each in self._of(slot) if each.sent is not None]
            texts, posted.texts[slot] = posted.texts[slot], sent
            notes += [
                Note(code=FILE_NAME_ONLY, field=field.name, value=text[:MAX_NAME])
                for text in texts
                if text.strip()
            ]
        return notes

    def records(self, answered: Container[str] | None = None) -> tuple[FileRecord, ...]:
        """Return the files of a post, in the order of the form; new ones have no key yet.

        `answered` are the fields that apply and have an answer; None: all may.
        """
        found: list[FileRecord] = []
        for slot, field in self._fields.items():
            if answered is None or field.name in answered:
                records = [each.record for each in self._of(slot) if each.record]
                found += records[: field.definition.max_files]
        return tuple(found)

    def put(self, wanted: Sequence[FileRecord]) -> tuple[FileRecord, ...]:
        """Put the new ones of these into the store, once; returns all with their keys.

        Raises FilesUsedUpError and FileStoreError; the files' faults are set then.
        """
        new = [each for each in self._arriving if each.record in wanted]
        pairs = [(e.spool, e.record) for e in new if e.spool and e.record and not e.record.key]
        try:
            put = self._intake.put(pairs, self._address, datetime.now(UTC))
        except FilesUsedUpError:
            self._refuse(new, messages.FILES_USED_UP)
            raise
        with_keys = {record.id: record for record in put}
        for each in new:
            if each.record:
                each.record = with_keys.get(each.record.id, each.record)
        return tuple(with_keys.get(record.id, record) for record in wanted)

    def stage(self) -> None:
        """Keep the files for a day, for the post that corrects this one.

        Where that isn't possible, their fields say that they have to be chosen again.
        """
        new = [each for each in self._arriving if each.record]
        wanted = [record for record in self.records() if record.expires_at is None]
        try:
            staged = self._intake.stage(self.put(wanted), datetime.now(UTC))
        except FilesUsedUpError:
            return
        except (FileStoreError, DatabaseUnavailableError) as error:
            _log.error("files of a post to %s were not kept: %s", self._form.name, error)
            self._refuse(new, messages.FILE_GONE)
            return
        ids = {record.id for record in staged}
        for each in new:
            if each.sent and each.record and each.record.id in ids:
                each.sent.reference = self._reference(each.record)

    def choose_again(self) -> None:
        """Have staged files chosen again that were deleted meanwhile."""
        for each in self._staged:
            if each.sent:
                each.sent.fault, each.sent.reference = messages.FILE_GONE, None

    def discard(self) -> None:
        """Delete what was put for a post that an earlier one had stored."""
        put = [each.record for each in self._arriving if each.record and each.record.key]
        if put:
            self._intake.discard(put)

    def _of(self, slot: int) -> Iterator[Upload]:
        return (each for each in [*self._staged, *self._arriving] if each.slot == slot)

    def _check(self, arriving: Upload, now: datetime) -> None:
        field, fault = self._fields[arriving.slot], arriving.fault
        if arriving.size > arriving.most:
            fault = field.too_big()
        elif not arriving.size:
            fault = messages.FILE_EMPTY
        elif arriving.spool:
            fault = self._read(arriving, arriving.spool, field, now)
        if fault:
            self._refuse([arriving], fault)

    def _read(
        self, arriving: Upload, spool: Spool, field: File, now: datetime
    ) -> ErrorMessage | None:
        """Make the record of a file, or return why it can't be taken."""
        given, kinds = field.definition, find_kinds(spool.head)
        if not fits(kinds, given.accept):
            return field.wrong_type()
        name = fitting_name(arriving.sent or "", kinds, given.accept)
        arriving.sent, mime = SentFile(name, arriving.size), type_of(kinds, name)
        if given.strip_metadata and mime.startswith("image/"):
            try:
                stripped = strip_metadata(spool, self._intake.store.spool)
            except UnreadableImageError:
                return messages.FILE_UNREADABLE
            except FileStoreError as error:
                _log.error("a file to %s was not kept: %s", self._form.name, error)
                return messages.FILE_GONE
            is_larger = stripped.size > max(given.max_size, _MOST_GROWTH * spool.size)
            spool.close()
            spool = arriving.spool = stripped
            if is_larger:
                return field.too_big()
        arriving.record = FileRecord(
            id=new_id(),
            submission_id=None,
            form=self._form.name,
            field=given.name,
            position=0,
            name=name,
            type=mime,
            size=spool.size,
            sha256=spool.sha256,
            key="",
            state=self._intake.first_state,
            created_at=now,
        )
        return None

    def _refuse(self, files: Sequence[Upload], fault: ErrorMessage) -> None:
        for each in files:
            each.record = None
            each.close()
            if each.sent:
                each.sent.fault = fault

    def _find_staged(self, posted: Posted, now: datetime) -> None:
        """Find the staged files that this post sends again."""
        sent = [self._read_reference(text) for text in posted.values.get(KEPT, ())]
        fields = dict(each for each in sent if each)
        if not fields:
            return
        most = sum(field.definition.max_files for field in self._fields.values())
        found = self._intake.staged(list(fields)[:most])
        slots = {field.name: slot for slot, field in self._fields.items()}
        for file_id, name in fields.items():
            if (slot := slots.get(name)) is None:
                continue
            staged = Upload(slot, name, self._fields[slot].definition.max_size)
            if record := found.get(file_id):
                reference = self._reference(record)
                staged.sent = SentFile(record.name, record.size, reference=reference)
                # One that is attached already is of the same post, sent twice, or `attach` refuses
                # it.
                staged.record = replace(record, expires_at=record.expires_at or now)
            else:
                staged.sent = SentFile("", fault=messages.FILE_GONE)
            self._staged.append(staged)

    def _reference(self, record: FileRecord) -> str:
        content = {"form": record.form, "field": record.field, "file": record.id}
        return self._signer.sign(content)

    def _read_reference(self, text: str) -> tuple[str, str] | None:
        """Return the id of a staged file and the name of its field, if a page of ours had them."""
        try:
            signed = self._signer.read(text)
        except InvalidSignatureError:
            return None
        # Signed for this purpose, so of the shape that `_reference` gave it.
        if signed.content["form"] != self._form.name or signed.age > STAGED_LIFE:
            return None
        return signed.content["file"], signed.content["field"]
