"""Lists of submissions for people: filtered, searched, newest first, page by page.

Ids begin with the time of receipt (UUIDv7), so their order is the order of a list. Each list is
merged from streams that an index has in this order already: those of one state or outcome, of one
form at one site. From each a page reads as many entries as it shows and skips none, whether there
are a thousand submissions or a million, and whatever most of them are. A search reads the stream of
its rarest part, and looks through it for the others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlalchemy.sql.selectable import GenerativeSelect, ScalarSelect

from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.state_counts import count_states
from formapp.db.tables import deliveries, search_terms, submissions
from formapp.leads.ids import id_at, ids_ending, time_of
from formapp.leads.lead_filter import OUTCOMES, LeadFilter
from formapp.leads.places import at_each_place
from formapp.leads.search_index import beginnings_of, index_all
from formapp.leads.summary import LeadSummary, read_summaries

PAGE = 50
COUNT_LIMIT = 1000
"""Counts end here: a page shows "1,000+" as quickly as 17."""

_HELD = ("quarantined", "unconfirmed", "spam")
_DEEPEST = 1000
"""Longer words that begin with a search word are found by their index up to this number."""

_NEAR = 100
"""A part of a search, such as a word or a form, is rare where no more leads have it: then these are
looked through for the other parts. Where none is rare, so many of the newest are."""

_WINDOW = 20_000
"""Further pages look through so many."""

_LISTED = ("quarantined", "unconfirmed")
"""States without a delivery that a list without a filter shows."""

_LAST = "\U0010ffff"
_term_of = search_terms.c.submission_id
_every = submissions.alias()

Id = KeyedColumnElement[Any]
Stream = tuple[Select[Any], Id]
"""A query of ids, and their column, by which it is ordered."""


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
        # The first page takes no longer where there are millions; further ones go on from there.
        widths = (_NEAR, _WINDOW) if after else (_NEAR,)
        ids, window_end = _Query(connection, wanted).ids(after, limit + 1, widths)
        leads = tuple(read_summaries(connection, ids[:limit]))
    if len(ids) > limit:
        return LeadPage(leads, ids[limit - 1])
    return LeadPage(leads, window_end, time_of(window_end) if window_end else None)


def newest_ids(connection: Connection, wanted: LeadFilter, limit: int) -> list[str]:
    """Return the newest ids that a filter without a search selects, in the caller's transaction."""
    return _Query(connection, wanted).ids(None, limit)[0]


def iterate_ids(database: Database, wanted: LeadFilter, batch: int = 500) -> Iterator[str]:
    """Yield the ids of all that a filter selects, newest first, in constant memory."""
    _index_new(database, wanted)
    after: str | None = None
    while True:
        with database.read() as connection:
            ids, window_end = _Query(connection, wanted).ids(after, batch, (_NEAR, _WINDOW))
        yield from ids
        after = ids[-1] if len(ids) == batch else window_end
        if after is None:
            return


def count_leads(database: Database, wanted: LeadFilter, limit: int = COUNT_LIMIT) -> LeadCount:
    """Return how many a filter selects, up to a limit, or as far as its first page searches."""
    _index_new(database, wanted)
    with database.read() as connection:
        return _Query(connection, wanted).count(limit)


def _index_new(database: Database, wanted: LeadFilter) -> None:
    # Where nothing can be written now, what is indexed is found nevertheless.
    with suppress(DatabaseUnavailableError):
        if wanted.search.strip():
            index_all(database)


class _Query:
    def __init__(self, connection: Connection, wanted: LeadFilter) -> None:
        self._connection = connection
        self._wanted = wanted
        self._beginnings = beginnings_of(wanted.search)

    def ids(
        self, after: str | None, limit: int, widths: Sequence[int] = ()
    ) -> tuple[list[str], str | None]:
        """Return the newest ids, at most `limit`.

        Where a search has looked through the newest part alone, also where that part ends. It has
        as many candidates as one of the `widths`; the next is taken while that fills no page.
        """
        if self._is_nothing():
            return [], None
        if not self._beginnings:
            return self._newest(self._listed(after, limit), limit), None
        plan = self._plan(after)
        if plan.candidates is None:
            return self._newest(self._merged(plan, after, limit), limit), None
        found: list[str] = []
        end: str | None = None
        for width in widths:
            end = self._window_end(plan.candidates, after, width)
            found = self._newest(self._merged(plan, after, limit, end), limit)
            if end is None or len(found) == limit:
                break
        return found, None if len(found) == limit else end

    def count(self, limit: int) -> LeadCount:
        if self._is_nothing():
            return LeadCount(0)
        if self._beginnings:
            plan = self._plan(None)
            end = self._window_end(plan.candidates, None, _NEAR) if plan.candidates else None
            found = self._number(self._merged(plan, None, limit + 1, end), limit + 1)
            return LeadCount(min(found, limit), has_more=bool(end) or found > limit)
        number = self._kept_total()
        if number is None:
            number = self._number(self._listed(None, limit + 1), limit + 1)
        return LeadCount(min(number, limit), has_more=number > limit)

    def _number(self, query: GenerativeSelect, limit: int) -> int:
        return self._connection.scalar(select(_number_of(query, limit))) or 0

    def _kept_total(self) -> int | None:
        """Return the number that the database keeps; None: it keeps none for this filter."""
        wanted = self._wanted
        # The total of quarantine leaves out erased leads, which its list has.
        is_kept = wanted.states and {"pending", "failed"}.issuperset(wanted.states)
        if not is_kept or wanted.outcomes or wanted.since or wanted.until:
            return None
        return count_states(self._connection, wanted.states, wanted.forms, wanted.sites)

    def _is_nothing(self) -> bool:
        is_vain = bool(self._wanted.search.strip()) and not self._beginnings
        return self._wanted.sites == () or is_vain

    def _newest(self, query: GenerativeSelect, limit: int) -> list[str]:
        ids = query.subquery().c.id
        return [*self._connection.scalars(select(ids).order_by(ids.desc()).limit(limit))]

    def _merged(
        self, plan: "_Plan", after: str | None, limit: int, end: str | None = None
    ) -> GenerativeSelect:
        """Select the newest ids of each of a search's streams: below `after`, not below `end`."""
        parts = []
        for query, column in plan.streams:
            rest = query.where(column < after) if after else query
            rest = rest.where(column >= end) if end else rest
            parts.append(_limited(rest.order_by(column.desc()).limit(limit)))
        return union(*parts)

    def _listed(self, after: str | None, limit: int) -> Select[Any]:
        """Select what fits the filter without its search, the newest so many of each list."""
        lists = [*self._lists(after, limit)]
        if not lists:
            return select(submissions.c.id).where(false())
        return select(union_all(*lists).subquery().c.id)

    def _lists(self, after: str | None, limit: int) -> Iterator[Select[Any]]:
        """Yield queries that together select each lead once, each by the order of an index."""
        wanted = self._wanted
        is_anywhere = not wanted.forms and wanted.sites is None
        for column, *conditions in self._kinds(is_anywhere=is_anywhere):
            query = self._timed(select(column.label("id")).where(*conditions), column)
            query = query.where(column < after) if after else query
            # As in these indexes alone: else PostgreSQL might read all ids, and skip.
            order = column.desc().nulls_last() if conditions else column.desc()
            newest = query.order_by(order).limit(limit)
            if is_anywhere and (column.table is submissions or not conditions):
                yield _limited(newest)
            else:
                kind = self._connection.dialect.name
                yield at_each_place(newest, column.table, kind, wanted.forms, wanted.sites)

    def _kinds(self, *, is_anywhere: bool) -> Iterator[tuple[Any, ...]]:
        """Yield the column of ids and the conditions of each state and outcome.

        What is accepted has a delivery; what is delivered has an outcome, and nothing else has.
        """
        sent, sending, wanted = submissions.c, deliveries.c, self._wanted
        # SQLite takes a partial index only where its condition is written out; PostgreSQL finds out
        # by itself, and would expect far fewer rows: too few to read them in the index's order.
        is_sqlite = self._connection.dialect.name == "sqlite"
        if not wanted.states and not wanted.outcomes:
            # Accepted ones and not "all but spam": a million catches may be the newest.
            if is_anywhere:
                yield (sending.submission_id,)
            else:
                yield sent.id, sent.status == _constant("accepted")
        states = wanted.states or (("delivered",) if wanted.outcomes else _LISTED)
        for state in dict.fromkeys(states):
            if state == "delivered":
                for outcome in dict.fromkeys(wanted.outcomes or OUTCOMES):
                    has_ended = [sending.outcome.is_not(None)] if is_sqlite else []
                    yield sending.submission_id, *has_ended, sending.outcome == _constant(outcome)
            elif wanted.outcomes:
                continue
            elif state in _HELD:
                is_held = (
                    [sent.status != _constant("accepted")] if is_anywhere and is_sqlite else []
                )
                yield sent.id, *is_held, sent.status == _constant(state)
            else:
                is_undelivered = [sending.state != _constant("delivered")] if is_sqlite else []
                yield sending.submission_id, *is_undelivered, sending.state == _constant(state)

    def _plan(self, after: str | None) -> "_Plan":
        """Choose what the search reads."""
        candidates, found = self._plan_by_size(after)
        streams = [*found]
        if named := ids_ending(self._connection, self._wanted.search.strip().lower()):
            id_ = _every.c.id
            by_id = select(id_).where(id_.in_(named), self._fits(id_))
            streams.append((self._timed(by_id, id_), id_))
        return _Plan(streams, candidates)

    def _plan_by_size(self, after: str | None) -> tuple[Stream | None, Iterable[Stream]]:
        sizes = self._sizes(after)
        searched = [first for first in self._beginnings if sizes.longer[first] <= _DEEPEST]
        for first in searched:
            if sizes.exact.get(first, 0) <= _NEAR:
                return None, self._term_streams(first)
        if sizes.listed <= _NEAR:
            column = self._listed(after, _NEAR).subquery().c.id
            found = [_has_term(each, column) for each in self._beginnings]
            return None, [(select(column).where(*found), column)]
        if not searched:
            id_ = _every.c.id
            candidates = self._timed(select(id_), id_).order_by(id_.desc()), id_
            found = [_has_term(each, id_) for each in self._beginnings]
            return candidates, [self._matching(id_, *found)]
        exact = self._timed(_exact(searched[0]), _term_of)
        return (exact, _term_of), self._term_streams(searched[0])

    def _sizes(self, after: str | None) -> "_Sizes":
        """Count each part of the search, by one statement.

        What a single term finds is in order: where there is no other part, it isn't counted.
        """
        beginnings = self._beginnings
        counts = [_number_of(_longer(each), _DEEPEST + 1) for each in beginnings]
        if len(beginnings) > 1 or self._has_others():
            counts += [_number_of(_exact(each), _NEAR + 1) for each in beginnings]
            counts.append(_number_of(self._listed(after, _NEAR + 1), _NEAR + 1))
        numbers = iter(self._connection.execute(select(*counts)).one())
        return _Sizes(
            longer=dict(zip(beginnings, numbers, strict=False)),
            exact=dict(zip(beginnings, numbers, strict=False)),
            listed=next(numbers, _NEAR + 1),
        )

    def _window_end(self, candidates: Stream, after: str | None, width: int) -> str | None:
        """Return where the next so many candidates end, as ids begin; None: there are fewer.

        The last one may be of a site that the user may not see: the page shows only the second of
        its receipt.
        """
        query, column = candidates
        rest = query.where(column < after) if after else query
        last = self._connection.scalar(rest.offset(width - 1).limit(1))
        return id_at(time_of(last).replace(microsecond=0)) if last else None

    def _term_streams(self, first: str) -> Iterator[Stream]:
        """Yield streams of this beginning, in which all others are looked for."""
        term = search_terms.c.term
        # Set apart, so that they are read by their term and not by the id, all newer ones with it.
        longer = _longer(first).limit(_DEEPEST).subquery().c[0]
        for column, is_found in ((_term_of, [term == first]), (longer, [])):
            more = [_has_term(each, column) for each in self._beginnings if each != first]
            yield self._matching(column, *is_found, *more)

    def _matching(self, column: Id, *conditions: ColumnElement[bool]) -> Stream:
        """Select ids by these conditions, one of which is a term, and the whole filter."""
        query = select(column).where(*conditions).distinct()
        # A lead with terms is no honeypot catch.
        if self._has_others():
            query = query.where(self._fits(column))
        return self._timed(query, column), column

    def _fits(self, column: Id) -> ColumnElement[bool]:
        """Whether the lead with this id fits the filter, but for its search and days.

        Not joined: SQLite would begin with all submissions of a site or a form. Only accepted
        submissions have deliveries.
        """
        sent, sending, wanted = submissions.c, deliveries.c, self._wanted
        lead = select(sent.id).where(sent.id == column, self._has_state())
        if wanted.states or wanted.outcomes:
            lead = lead.outerjoin(deliveries, sending.submission_id == sent.id)
        if wanted.forms:
            lead = lead.where(sent.form.in_(wanted.forms))
        if wanted.sites is not None:
            lead = lead.where(sent.site.in_(wanted.sites))
        if wanted.outcomes:
            lead = lead.where(sending.outcome.in_(wanted.outcomes))
        return lead.correlate(column.table).exists()

    def _has_others(self) -> bool:
        """Whether the filter has more parts than a search and days."""
        wanted = self._wanted
        return wanted.sites is not None or bool(wanted.forms or wanted.states or wanted.outcomes)

    def _timed(self, query: Select[Any], column: Id) -> Select[Any]:
        if self._wanted.since:
            query = query.where(column >= id_at(self._wanted.since))
        if self._wanted.until:
            query = query.where(column < id_at(self._wanted.until))
        return query

    def _has_state(self) -> ColumnElement[bool]:
        status, states = submissions.c.status, self._wanted.states
        if not states:
            return status != "spam"
        held = [state for state in states if state in _HELD]
        sent = [state for state in states if state not in _HELD]
        accepted = (status == "accepted") & deliveries.c.state.in_(sent)
        return or_(*([status.in_(held)] if held else ()), *([accepted] if sent else ()))


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a search reads.

    Attributes:
        streams: of what it finds; a lead may be in two of them.
        candidates: what it looks through, newest first; None: all of the streams, which are short
            or in the order of an index.
    """

    streams: Sequence[Stream]
    candidates: Stream | None


@dataclass(frozen=True, slots=True)
class _Sizes:
    """How many leads each part of a search has, up to a limit.

    Attributes:
        longer: by beginning, of terms that begin so.
        exact: by beginning, of the term itself.
        listed: of the filter without its search.
    """

    longer: Mapping[str, int]
    exact: Mapping[str, int]
    listed: int


def _number_of(query: GenerativeSelect, limit: int) -> ScalarSelect[int]:
    return select(func.count()).select_from(query.limit(limit).subquery()).scalar_subquery()


# Ordered, so that PostgreSQL reads them by their index however few of them it is asked for.


def _exact(term: str) -> Select[Any]:
    """Select the leads with this term, newest first."""
    return select(_term_of).where(search_terms.c.term == term).order_by(_term_of.desc())


def _longer(beginning: str) -> Select[Any]:
    """Select the leads with a longer term that begins so."""
    term = search_terms.c.term
    return select(_term_of).where(term > beginning, term < beginning + _LAST).order_by(term)


def _limited(query: Select[Any]) -> Select[Any]:
    """Wrap a query, since SQLite takes no limit within a union."""
    return select(query.subquery().c[0].label("id"))


def _constant(text: str) -> ColumnElement[Any]:
    """A text of ours in the statement itself: planners compare it with a partial index."""
    return literal(text, literal_execute=True)


def _has_term(beginning: str, column: Id) -> ColumnElement[bool]:
    other = search_terms.alias()
    return exists().where(
        other.c.submission_id == column,
        other.c.term >= beginning,
        other.c.term < beginning + _LAST,
    )
