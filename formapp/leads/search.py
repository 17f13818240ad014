"""Lists of submissions for people: filtered, searched, newest first, page by page.

Ids begin with the time of receipt (UUIDv7), so their order is the order of a list. Each list is
merged from a few streams that an index has in this order already: those of one state, one outcome,
one form of one site or one search term. A page reads about as many rows as it shows, whether there
are a thousand submissions or a million; a filter of two kinds reads one stream and skips.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
    union_all,
)

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.tables import deliveries, search_terms, submissions
from formapp.forms.reading.contact import read_email, read_phone
from formapp.leads.errors import AmbiguousIdError, UnknownSubmissionError
from formapp.leads.search_index import LONGEST_TERM, fold, index_all
from formapp.leads.summary import SHORT, LeadSummary, read_summaries

STATES = ("pending", "delivered", "failed", "quarantined", "unconfirmed", "spam")
"""All states: of the delivery, or of a submission that has none."""

OUTCOMES = ("created", "updated", "unchanged")

PAGE = 50
COUNT_LIMIT = 1000
"""Counts end here: a page shows "1,000+" as quickly as 17."""

_HELD = ("quarantined", "unconfirmed", "spam")
_DEEPEST = 1000
"""Longer words that begin with a search word are found by their index up to this number."""

_WINDOW = 20_000
"""Where there are more, so many of the newest submissions are looked through at a time."""

_MOST_ALIKE = 10
_LAST = "\U0010ffff"
_ID_END = re.compile(r"[0-9a-f-]{8,36}")
_PHONE = re.compile(r"[\d\s()+./-]+")
_LEAST_DIGITS = 4
_term_of = search_terms.c.submission_id

Id = Column[Any]
"""A column of ids, by which a stream is ordered."""


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which submissions; an empty part excludes none, but honeypot catches need their state.

    Attributes:
        sites: None: of all sites; otherwise of these alone, of none if it is empty.
        since: received then or later.
        until: received before.
        search: beginnings of a name's words, an e-mail address or its beginning, a telephone number
            or its end, or a short id.
    """

    forms: tuple[str, ...] = ()
    sites: tuple[str, ...] | None = None
    states: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""

    def within(self, sites: Sequence[str] | None) -> "LeadFilter":
        """Return the filter for somebody who may see these sites alone (None: all)."""
        if sites is None:
            return self
        chosen = sites if self.sites is None else [each for each in self.sites if each in sites]
        return replace(self, sites=tuple(chosen))

    def of_form(self, form: str) -> "LeadFilter":
        return replace(self, forms=(form,))


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Some lines of a list.

    Attributes:
        after: where the next page begins; None: this is the last one.
        searched_until: not all was searched, only what was received since then; `after` goes on.
    """

    leads: tuple[LeadSummary, ...]
    after: str | None = None
    searched_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeadCount:
    """How many leads there are: this number, or more."""

    number: int
    has_more: bool = False

    def __str__(self) -> str:
        """Such as `1,000+`."""
        return f"{self.number:,}{'+' if self.has_more else ''}"


def list_leads(
    database: Database, wanted: LeadFilter, *, after: str | None = None, limit: int = PAGE
) -> LeadPage:
    """Return the newest submissions that a filter selects, older ones than the id `after`."""
    _index_new(database, wanted)
    with database.read() as connection:
        query = _Query(connection, wanted)
        ids, window_end = query.ids(after, limit + 1)
        leads = tuple(read_summaries(connection, ids[:limit]))
    if len(ids) > limit:
        return LeadPage(leads, ids[limit - 1])
    if window_end is None:
        return LeadPage(leads)
    milliseconds = int(window_end[:13].replace("-", ""), 16)
    return LeadPage(leads, window_end, datetime.fromtimestamp(milliseconds / 1000, UTC))


def newest_ids(connection: Connection, wanted: LeadFilter, limit: int) -> list[str]:
    """Return the newest ids that a filter without a search selects, in the caller's transaction."""
    return _Query(connection, wanted).ids(None, limit)[0]


def iterate_ids(database: Database, wanted: LeadFilter, batch: int = 500) -> Iterator[str]:
    """Yield the ids of all that a filter selects, newest first, in constant memory."""
    _index_new(database, wanted)
    after: str | None = None
    while True:
        with database.read() as connection:
            ids, window_end = _Query(connection, wanted).ids(after, batch)
        yield from ids
        after = ids[-1] if len(ids) == batch else window_end
        if after is None:
            return


def count_leads(database: Database, wanted: LeadFilter, limit: int = COUNT_LIMIT) -> LeadCount:
    """Return how many a filter selects, up to a limit.

    Where a search has several words, or very many names begin like it, that is a page.
    """
    _index_new(database, wanted)
    with database.read() as connection:
        return _Query(connection, wanted).count(limit)


def list_sources(database: Database, sites: tuple[str, ...] | None = None) -> list[tuple[str, str]]:
    with database.read() as connection:
        return _sources(connection, sites)


def find_submission(database: Database, given: str, sites: tuple[str, ...] | None = None) -> str:
    """Return the id that is this, or ends with it (`SHORT` characters at least).

    Raises UnknownSubmissionError, also for one of another site than `sites`, or AmbiguousIdError.
    """
    with database.read() as connection:
        found = _ids_ending(connection, given.strip().lower(), sites)
    if not found:
        raise UnknownSubmissionError(given)
    if len(found) > 1:
        raise AmbiguousIdError(given, found)
    return found[0]


def _index_new(database: Database, wanted: LeadFilter) -> None:
    # Where nothing can be written now, what is indexed is found nevertheless.
    with suppress(DatabaseUnavailableError):
        if wanted.search.strip():
            index_all(database)


class _Query:
    def __init__(self, connection: Connection, wanted: LeadFilter) -> None:
        self._connection = connection
        self._wanted = wanted
        self._beginnings = _beginnings(wanted.search)

    def ids(self, after: str | None, limit: int) -> tuple[list[str], str | None]:
        """Return the newest ids, at most `limit`.

        Where only the newest part was searched, also the id at which that part ends.
        """
        if self._is_nothing():
            return [], None
        if self._beginnings and self._has_many(self._beginnings[0]):
            end = self._window_end(after)
            conditions = [_has_term(each) for each in self._beginnings]
            if end:
                conditions.append(submissions.c.id >= end)
            streams = [self._stream(submissions.c.id, *conditions)]
        else:
            end, streams = None, [*self._streams()]
        found = self._merged(streams, after, limit)
        return found, None if len(found) == limit else end

    def count(self, limit: int) -> LeadCount:
        if self._is_nothing():
            return LeadCount(0)
        if len(self._beginnings) > 1:
            limit = min(limit, PAGE)
        if self._beginnings and self._has_many(self._beginnings[0]):
            limit = min(limit, PAGE)
            ids, end = self.ids(None, limit + 1)
            return LeadCount(min(len(ids), limit), has_more=bool(end) or len(ids) > limit)
        parts = [stream.limit(limit + 1).subquery() for stream, _ in self._streams()]
        if not parts:
            return LeadCount(0)
        # Without an order it stops at the limit. Only a search has a lead in two streams.
        together = union if self._beginnings else union_all
        found = together(*(select(part.c[0].label("id")) for part in parts)).subquery()
        some = select(found.c.id).limit(limit + 1).subquery()
        number = self._connection.execute(select(func.count()).select_from(some)).scalar_one()
        return LeadCount(min(number, limit), has_more=number > limit)

    def _is_nothing(self) -> bool:
        is_vain = bool(self._wanted.search.strip()) and not self._beginnings
        return self._wanted.sites == () or is_vain

    def _merged(
        self, streams: Iterable[tuple[Select[Any], Id]], after: str | None, limit: int
    ) -> list[str]:
        parts = []
        for stream, column in streams:
            rest = stream.where(column < after) if after else stream
            newest = rest.order_by(column.desc()).limit(limit).subquery()
            parts.append(select(newest.c[0].label("id")))
        if not parts:
            return []
        # Wrapped, since SQLite takes no limit within a union.
        together = union(*parts).subquery()
        query = select(together.c.id).order_by(together.c.id.desc()).limit(limit)
        return [*self._connection.scalars(query)]

    def _streams(self) -> Iterator[tuple[Select[Any], Id]]:
        """Yield queries whose union is what the filter selects; an index has each in order."""
        wanted, sent, sending = self._wanted, submissions.c, deliveries.c
        if self._beginnings:
            yield from self._term_streams()
        elif wanted.states:
            for state in wanted.states:
                yield from self._state_streams(state)
        elif wanted.outcomes:
            for outcome in wanted.outcomes:
                yield self._stream(sending.submission_id, sending.outcome == _constant(outcome))
        elif wanted.forms or wanted.sites:
            for site, form in _sources(self._connection, wanted.sites):
                if not wanted.forms or form in wanted.forms:
                    yield self._stream(sent.id, sent.site == site, sent.form == form)
        else:
            yield self._stream(sent.id)

    def _state_streams(self, state: str) -> Iterator[tuple[Select[Any], Id]]:
        sent, sending = submissions.c, deliveries.c
        is_one = sending.state == _constant(state)
        if state in _HELD:
            held = sent.status != _constant("accepted")
            yield self._stream(sent.id, held, sent.status == _constant(state))
        elif state != "delivered":
            undelivered = sending.state != _constant("delivered")
            yield self._stream(sending.submission_id, undelivered, is_one)
        else:
            # What is delivered has an outcome, whose index knows nothing of a million that wait.
            for outcome in OUTCOMES:
                has_ended = sending.outcome == _constant(outcome)
                yield self._stream(sending.submission_id, has_ended, is_one)

    def _term_streams(self) -> Iterator[tuple[Select[Any], Id]]:
        first, *others = self._beginnings
        term, of = search_terms.c.term, _term_of
        more = [_has_term(each, of) for each in others]
        yield self._stream(of, term == first, *more)
        yield self._stream(of, term > first, term < first + _LAST, *more)
        if ids := _ids_ending(self._connection, self._wanted.search.strip().lower()):
            yield self._stream(submissions.c.id, submissions.c.id.in_(ids))

    def _stream(self, column: Id, *conditions: ColumnElement[bool]) -> tuple[Select[Any], Id]:
        """Select ids from the table of this column, by these conditions and the whole filter.

        Only tables that the filter needs are joined: only accepted submissions have deliveries, and
        honeypot catches have no terms.
        """
        sent, sending, wanted, driver = submissions.c, deliveries.c, self._wanted, column.table
        query = select(column).where(*conditions)
        is_alone = driver is deliveries
        if driver is search_terms:
            query = query.distinct()
            is_alone = not (wanted.forms or wanted.states or wanted.outcomes)
        if driver is not submissions and not (is_alone and wanted.sites is None):
            query = query.join(submissions, sent.id == column)
        if not is_alone:
            if wanted.states or wanted.outcomes:
                query = query.outerjoin(deliveries, sending.submission_id == column)
            query = query.where(self._has_state())
        if wanted.forms:
            form = sending.form if driver is deliveries else sent.form
            query = query.where(form.in_(wanted.forms))
        if wanted.sites is not None:
            query = query.where(sent.site.in_(wanted.sites))
        if wanted.outcomes:
            query = query.where(sending.outcome.in_(wanted.outcomes))
        if wanted.since:
            query = query.where(column >= id_at(wanted.since))
        if wanted.until:
            query = query.where(column < id_at(wanted.until))
        return query, column

    def _has_state(self) -> ColumnElement[bool]:
        status, states = submissions.c.status, self._wanted.states
        if not states:
            return status != "spam"
        held = [state for state in states if state in _HELD]
        sent = [state for state in states if state not in _HELD]
        accepted = (status == "accepted") & deliveries.c.state.in_(sent)
        return or_(*([status.in_(held)] if held else ()), *([accepted] if sent else ()))

    def _has_many(self, beginning: str) -> bool:
        """Whether more terms begin so than can be sorted at once."""
        term = search_terms.c.term
        longer = select(literal(1)).where(term > beginning, term < beginning + _LAST)
        counted = select(func.count()).select_from(longer.limit(_DEEPEST + 1).subquery())
        return self._connection.execute(counted).scalar_one() > _DEEPEST

    def _window_end(self, after: str | None) -> str | None:
        """Return the id at which the part to search ends; None: there are fewer."""
        query = select(submissions.c.id).order_by(submissions.c.id.desc())
        if after:
            query = query.where(submissions.c.id < after)
        return self._connection.execute(query.offset(_WINDOW - 1).limit(1)).scalar()


def _constant(text: str) -> ColumnElement[Any]:
    """A text of ours in the statement itself: planners compare it with a partial index."""
    return literal(text, literal_execute=True)


def _has_term(beginning: str, column: Id = submissions.c.id) -> ColumnElement[bool]:
    other = search_terms.alias()
    return exists().where(
        other.c.submission_id == column,
        other.c.term >= beginning,
        other.c.term < beginning + _LAST,
    )


def _beginnings(search: str) -> list[str]:
    """Return the beginnings of terms that a submission must have, the most selective one first."""
    text = search.strip()
    if "@" in text:
        found = [f"e{read_email(text) or text.lower()}"]
    elif len(digits := "".join(filter(str.isdecimal, text))) >= _LEAST_DIGITS and (
        _PHONE.fullmatch(text)
    ):
        whole = read_phone(text, None)
        known = whole.e164 if whole else digits.lstrip("0")
        found = [f"p{known.lstrip('+')[::-1]}"]
    else:
        found = sorted((f"n{word}" for word in fold(text)), key=len, reverse=True)
    return [each[:LONGEST_TERM] for each in found]


def _ids_ending(
    connection: Connection, end: str, sites: tuple[str, ...] | None = None
) -> list[str]:
    if not _ID_END.fullmatch(end):
        return []
    query = select(submissions.c.id).where(
        func.substr(submissions.c.id, literal_column("29")) == end[-SHORT:],
        submissions.c.id.endswith(end),
    )
    if sites is not None:
        query = query.where(submissions.c.site.in_(sites))
    return [*connection.scalars(query.order_by(submissions.c.id).limit(_MOST_ALIKE))]


def _sources(connection: Connection, sites: tuple[str, ...] | None) -> list[tuple[str, str]]:
    """Jump from pair to pair in their index: there are few, of many submissions."""
    site, form = submissions.c.site, submissions.c.form
    following = select(site, form).order_by(site, form).limit(1)
    found: list[tuple[str, str]] = []
    row = connection.execute(following).first()
    while row:
        found.append((row.site, row.form))
        # Two steps, since SQLite compares pairs with the first column of an index alone.
        same_site = following.where(site == row.site, form > row.form)
        next_site = following.where(site > row.site)
        row = connection.execute(same_site).first() or connection.execute(next_site).first()
    return [each for each in found if sites is None or each[0] in sites]


def id_at(time: datetime) -> str:
    """Return the least beginning of an id that was made then."""
    milliseconds = f"{int(time.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}"
