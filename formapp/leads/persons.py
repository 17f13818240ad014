"""Finding all that is kept of a person, in whatever spelling and wherever it stands.

A submission is the person's own if its lead has their address or number, or if a whole answer is
it, mapped or not. Where another person's text only mentions it, the mention alone is struck out.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from formapp.db.tables import deliveries, submissions

STRUCK_OUT = "[erased]"
_E164 = ".e164"

Scan = Callable[[str, Collection[str]], Iterable[tuple[str, int, int]]]
"""Finds who is named in a text: identity, start and end of each; see `formapp.leads.identity_search`."""

Wanted = Callable[[str, datetime], bool]
"""Whether a person with this identity is looked for, in a lead that came at this time."""

Progress = Callable[[int], None]


@dataclass(slots=True)
class Hits:
    """Ids of submissions: `own` ones of the persons, and those that `mention` them only."""

    own: list[str] = field(default_factory=list)
    mention: list[str] = field(default_factory=list)


def search(
    connection: Connection,
    wanted: Wanted,
    scan: Scan,
    *,
    before: datetime | None = None,
    progress: Progress = lambda _count: None,
) -> Hits:
    """Look through every submission that isn't erased.

    Args:
        connection: of the caller's transaction.
        wanted: who is looked for.
        scan: finds who is named in a text.
        before: look at those only that came by then.
        progress: told how many have been looked at, now and then.
    """
    query = submission_rows().execution_options(yield_per=500)
    if before:
        query = query.where(submissions.c.received_at <= before)
    hits = Hits()
    for count, row in enumerate(connection.execute(query), 1):
        spans = _Spans(row, wanted, scan)
        if _is_own(row, wanted, spans):
            hits.own.append(row.id)
        elif any(spans(text) for text in _texts(_everything(row))):
            hits.mention.append(row.id)
        progress(count)
    return hits


def submission_rows() -> Any:
    """What is looked at, of submissions that aren't erased."""
    kept = submissions.c
    return (
        select(
            *(kept.id, kept.received_at, kept.answers, kept.meta, kept.lead),
            *(deliveries.c.email, deliveries.c.phone, deliveries.c.reason),
        )
        .outerjoin(deliveries, deliveries.c.submission_id == kept.id)
        .where(kept.erased_at.is_(None))
        .order_by(kept.received_at, kept.id)
    )


class _Spans:
    """Where a text of one submission names a wanted person; each text is looked at once."""

    def __init__(self, row: Row[Any], wanted: Wanted, scan: Scan) -> None:
        self._row = row
        self._wanted = wanted
        self._scan = scan
        self._known: dict[str, list[tuple[int, int]]] = {}
        self._numbers = {value for name, value in row.answers.items() if name.endswith(_E164)}
        self._numbers |= {phone["e164"] for phone in row.lead.get("phones") or ()}

    def __call__(self, text: str) -> list[tuple[int, int]]:
        if text not in self._known:
            self._known[text] = [
                (start, end)
                for identity, start, end in self._scan(text, self._numbers)
                if self._wanted(identity, self._row.received_at)
            ]
        return self._known[text]


def _is_own(row: Row[Any], wanted: Wanted, spans: _Spans) -> bool:
    lead = row.lead
    known = [row.email, row.phone, (lead.get("email") or {}).get("address")]
    known += [phone["e164"] for phone in lead.get("phones") or ()]
    if any(wanted(identity, row.received_at) for identity in known if identity):
        return True
    whole = [*_texts(row.answers), *_texts(row.meta.get("_replyto"))]
    return any(
        text[start:end].strip() == text.strip() for text in whole for start, end in spans(text)
    )


def struck_out(row: Row[Any], wanted: Wanted, scan: Scan) -> dict[str, Any]:
    """Answers, circumstances, lead and reason without the mentions of wanted persons."""
    spans = _Spans(row, wanted, scan)

    def strike(value: Any) -> Any:
        if isinstance(value, str):
            return _struck(value, spans(value))
        if isinstance(value, list):
            return [strike(each) for each in value]
        if isinstance(value, dict):
            return {key: strike(each) for key, each in value.items()}
        return value

    return {name: strike(value) for name, value in _everything(row).items()}


def _everything(row: Row[Any]) -> dict[str, Any]:
    return {"answers": row.answers, "meta": row.meta, "lead": row.lead, "reason": row.reason}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _struck(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in reversed(_merged(spans)):
        text = text[:start] + STRUCK_OUT + text[end:]
    return text


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
