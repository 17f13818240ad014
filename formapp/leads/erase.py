"""Erasing a person for good, at their own request.

A keyed hash of each identity stays, with the time. A submission from before that time that turns up
again, from an older copy or a back-up, is erased again; what the person sends afterwards is new.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select, update

from formapp.crm import conflicts, events
from formapp.crm.digests import Digests
from formapp.db.database import Database, upsert
from formapp.db.tables import contacts, deliveries, erasures, submissions
from formapp.files.records import rename_files
from formapp.leads import audit
from formapp.leads.anonymize import Anonymized, anonymize, lock, truncate_log
from formapp.leads.errors import UnknownSubmissionError
from formapp.leads.identity_search import (
    Hits,
    Progress,
    SearchedTexts,
    Wanted,
    search,
    searched_rows,
)
from formapp.leads.same_person import identity_in, ids_of_person
from formapp.leads.search_index import index_all, index_later
from formapp.signing import Keyring

_BATCH = 200


class ErasureListError(ValueError):
    """A list of erasures can't be read, or was made under unknown keys."""


@dataclass(frozen=True, slots=True)
class ErasedIdentity:
    """What stays of an identity that was erased: its hash, the name of the key, the time."""

    hash: str
    key: str
    erased_at: datetime

    def __str__(self) -> str:
        """One line of a list of erasures."""
        return f"{self.hash} {self.key} {self.erased_at.isoformat()}"

    @classmethod
    def parse(cls, line: str) -> "ErasedIdentity":
        """Read one line of a list; raises ErasureListError."""
        try:
            digest, key, erased_at = line.split()
            return cls(digest, key, datetime.fromisoformat(erased_at).astimezone(UTC))
        except ValueError:
            raise ErasureListError("the file is none that `leads erase --list` wrote") from None


@dataclass(slots=True)
class Erasure:
    """What was erased.

    Attributes:
        own: the person's submissions.
        redacted: ids of other people's submissions from which the person was removed.
        cached_contacts: the person's contacts in the contact cache, as (site, contact id).
        same_phone: ids of kept submissions with the same phone, which may be the person's.
        conflicts: how many of CRM books.
    """

    own: list[Anonymized] = field(default_factory=list)
    redacted: list[str] = field(default_factory=list)
    cached_contacts: set[tuple[str, str]] = field(default_factory=set)
    same_phone: list[str] = field(default_factory=list)
    conflicts: int = 0

    @property
    def contacts(self) -> list[tuple[str, str]]:
        """The person's contacts at Wix, as (site, contact id), each once."""
        delivered = {(row.site, row.contact_id) for row in self.own if row.contact_id}
        return sorted(delivered | self.cached_contacts)


def find_person(
    database: Database, identities: Collection[str], digests: Digests | None = None
) -> tuple[Hits, int]:
    """Return what `erase_person` would erase, and how many conflicts; change nothing."""
    with database.read() as connection:
        found = (
            conflicts.find_person(connection, digests.all_persons(identities)) if digests else ()
        )
        return search(connection, _wanted(identities)), len(found)


def erase_person(  # noqa: PLR0913 - by keyword
    database: Database,
    identities: Collection[str],
    *,
    keyring: Keyring,
    now: datetime,
    progress: Progress | None = None,
    digests: Digests | None = None,
) -> Erasure:
    """Erase all that is kept of a person, in any state, in one transaction.

    `identities` are the person's normalized addresses and numbers; `digests` recognize them in the
    conflicts of CRM books.
    """
    wanted = _wanted(identities)
    # The search takes time; only erasing needs the write lock.
    with database.read() as connection:
        hits = search(connection, wanted, progress)
    with database.write() as connection:
        erasure = _erase(connection, hits, wanted, now)
        ids = [row.id for row in erasure.own]
        audit.record(connection, audit.COMMAND_LINE, "erase", ids, now)
        hashes = map(keyring.sign, sorted(identities))
        remember_erasures(connection, [ErasedIdentity(h, keyring.names[0], now) for h in hashes])
        for identity in sorted(identities):
            erasure.cached_contacts |= _forget_contacts(connection, identity)
        events.erase_person(connection, identities)
        if digests:
            erasure.conflicts = conflicts.erase_person(connection, digests.all_persons(identities))
        phones = {row.phone for row in erasure.own if row.phone}
        same_phone = select(deliveries.c.submission_id).where(deliveries.c.phone.in_(phones))
        erasure.same_phone = [*connection.scalars(same_phone.order_by(deliveries.c.id))]
    truncate_log(database)
    return erasure


def erase_leads_of(  # noqa: PLR0913 - by keyword
    database: Database,
    submission_id: str,
    *,
    keyring: Keyring,
    digests: Digests,
    now: datetime,
    by: str,
) -> list[Anonymized]:
    """Erase a submission and all others of the same person, found by index; returns all of them.

    The person is who has the same e-mail address, or without one the same number. Unlike
    `erase_person` this doesn't search the texts of other people for mentions, so it takes no longer
    where there are many submissions. Raises UnknownSubmissionError.
    """
    index_all(database)
    with database.write() as connection:
        row = connection.execute(
            select(submissions.c.lead).where(submissions.c.id == submission_id)
        ).first()
        if row is None:
            raise UnknownSubmissionError(submission_id)
        ids = {submission_id}
        if identity := identity_in(row.lead):
            ids |= set(ids_of_person(connection, identity))
            known = ErasedIdentity(keyring.sign(identity), keyring.names[0], now)
            remember_erasures(connection, [known])
        erased: list[Anonymized] = []
        for batch in _batches(sorted(ids)):
            erased += anonymize(connection, batch, now, consents=True)
        if identity:
            _forget_contacts(connection, identity)
            events.erase_person(connection, [identity])
            conflicts.erase_person(connection, digests.all_persons([identity]))
        audit.record(connection, by, "erase", [row.id for row in erased], now)
    truncate_log(database)
    return erased


def erase_listed(
    database: Database,
    lines: Iterable[str],
    *,
    keyring: Keyring,
    now: datetime,
    progress: Progress | None = None,
) -> Erasure:
    """Erase the persons of a list again, which `list_erasures` made before a restore.

    Raises ErasureListError if the list can't be read, or the keyring lacks a key.
    """
    erased = [ErasedIdentity.parse(line) for line in lines if line.strip()]
    if {each.key for each in erased} - set(keyring.names):
        raise ErasureListError(
            "some of them were erased under a secret key that FORMAPP_SECRET_KEY lacks: "
            "add it behind the others, separated by a comma"
        )
    with database.write() as connection:
        remember_erasures(connection, erased)
        erasure = erase_again(connection, keyring, now, progress)
        ids = [row.id for row in erasure.own]
        audit.record(connection, audit.COMMAND_LINE, "erase", ids, now)
    truncate_log(database)
    return erasure


def erase_again(
    connection: Connection, keyring: Keyring, now: datetime, progress: Progress | None = None
) -> Erasure:
    """Erase persons who were erased before and have come back, in the caller's transaction."""
    erased = {each.hash: each.erased_at for each in find_erasures(connection)}
    if not erased:
        return Erasure()

    def matches(identity: str, received_at: datetime) -> bool:
        times = (erased.get(each) for each in keyring.hashes(identity))
        return any(time and received_at <= time for time in times)

    last = max(erased.values())
    # Conflicts have no hashes of this kind: any may be about a person who was erased since.
    conflicts.erase_until(connection, last, now)
    events.erase_matching(connection, matches)
    wanted = Wanted(matches, until=last)
    erasure = _erase(connection, search(connection, wanted, progress), wanted, now)
    for row in connection.execute(select(contacts)).all():
        if matches(row.identity, row.updated_at):
            erasure.cached_contacts |= _forget_contacts(connection, row.identity)
    return erasure


def list_erasures(database: Database) -> list[ErasedIdentity]:
    """The hashes of erased identities, oldest first."""
    with database.read() as connection:
        return find_erasures(connection)


def find_erasures(connection: Connection) -> list[ErasedIdentity]:
    """As `list_erasures`, in the caller's transaction."""
    rows = connection.execute(select(erasures).order_by(erasures.c.erased_at, erasures.c.hash))
    return [ErasedIdentity(row.hash, row.key, row.erased_at) for row in rows]


def count_lost_erasures(database: Database, keyring: Keyring | None) -> int:
    """How many erasures were made under a key that the keyring lacks: they can't be repeated."""
    names = keyring.names if keyring else []
    return sum(each.key not in names for each in list_erasures(database))


def remember_erasures(connection: Connection, erased: Iterable[ErasedIdentity]) -> None:
    """Add hashes; of two times of one identity the later one is kept."""
    held = {each.hash: each.erased_at for each in find_erasures(connection)}
    for each in erased:
        if each.hash not in held or held[each.hash] < each.erased_at:
            values = {"key": each.key, "erased_at": each.erased_at}
            upsert(connection, erasures, {"hash": each.hash}, values)


def _wanted(identities: Collection[str]) -> Wanted:
    phones = any("@" not in identity for identity in identities)
    return Wanted(lambda identity, _received_at: identity in identities, phones)


def _erase(connection: Connection, hits: Hits, wanted: Wanted, now: datetime) -> Erasure:
    erasure = Erasure()
    for batch in _batches(hits.own):
        erasure.own += anonymize(connection, batch, now, consents=True)
    for batch in _batches(hits.mention):
        erasure.redacted += _redact(connection, batch, wanted)
    return erasure


def _batches(submission_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (submission_ids[at : at + _BATCH] for at in range(0, len(submission_ids), _BATCH))


def _redact(connection: Connection, submission_ids: Sequence[str], wanted: Wanted) -> list[str]:
    lock(connection, submission_ids)
    chosen = submissions.c.id.in_(submission_ids)
    rows = connection.execute(searched_rows().where(chosen)).all()
    for row in rows:
        texts = SearchedTexts(row, wanted)
        left = texts.without_mentions()
        rename_files(connection, row.id, texts.without)
        sent = deliveries.c.submission_id == row.id
        connection.execute(
            update(deliveries).where(sent).values(reason=left.pop("reason"), changes=None)
        )
        # Key and digest as well: a digest of the answers would reveal a guessed mention.
        left |= {"key": None, "digest": ""}
        connection.execute(update(submissions).where(submissions.c.id == row.id).values(**left))
        if left["lead"] != row.lead:
            index_later(connection, row.id)
    return [row.id for row in rows]


def _forget_contacts(connection: Connection, identity: str) -> set[tuple[str, str]]:
    theirs = delete(contacts).where(contacts.c.identity == identity)
    gone = connection.execute(theirs.returning(contacts.c.site, contacts.c.contact_id))
    return {(row.site, row.contact_id) for row in gone}
