"""Finding a person in the record, in any spelling.

An identity has one spelling: an address in lower case with its domain in ASCII, a number in E.164
with its extension.
A submission is the person's own if its lead has their identity, or if one complete answer is
it, mapped or not. If another person's text only mentions it, only the mention is erased.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any
from urllib.parse import unquote

import phonenumbers
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher
from sqlalchemy import Connection, Row, func, select

from formapp.db.tables import deliveries, files, submissions
from formapp.forms.notes import FILE_DROPPED, FILE_NAME_ONLY
from formapp.forms.reading.contact import read_email, read_phone
from formapp.forms.reading.text import clean_token
from formapp.lead import with_extension

_OF_FILES = {FILE_DROPPED, FILE_NAME_ONLY}
ERASED_MENTION = "[erased]"

Progress = Callable[[int], None]
"""Receives the number of submissions that were searched."""

# Delimiters of a link's query are left out: they are rare in addresses.
_ADDRESS = re.compile(r"[\w.!#$%'*+^`{|}~-]{1,64}(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_WRAPPING = "'`*_~{|}.!#$%^-"
_MIN_DIGITS = 6
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


class InvalidIdentityError(ValueError):
    """The text is no e-mail address or telephone number."""


def parse_identities(
    email: str | None, phone: str | None, regions: Collection[str | None] = ()
) -> set[str]:
    """Normalize an address and a number (with country code or of one region), as typed.

    Raises InvalidIdentityError if one of them can't be read.
    """
    identities = set()
    if email:
        address = read_email(clean_token(email))
        if address is None:
            raise InvalidIdentityError("this is no e-mail address")
        identities.add(address)
    if phone:
        numbers = {read_phone(clean_token(phone), region) for region in {*regions, None}}
        found = {number.identity for number in numbers if number}
        if len(found) != 1:
            raise InvalidIdentityError("write the number with its country code, such as +44…")
        identities |= found
    return identities


def find_identities(
    text: str, numbers: Collection[str] = (), *, phones: bool = True
) -> Iterator[tuple[str, int, int]]:
    """Yield the identities in a text, each with its start and end.

    A number without a country code is read as one of the countries of `numbers` (in E.164). To
    search for `phones` takes about a millisecond a text.
    """
    for found in _ADDRESS.finditer(text):
        typed = unquote(found[0]) if "%" in found[0] else found[0]
        for spelling in dict.fromkeys((typed, typed.strip(_WRAPPING))):
            if identity := read_email(spelling):
                yield identity, *found.span()
    if phones and sum(char.isdigit() for char in text) >= _MIN_DIGITS:
        yield from _find_numbers(text, numbers)


def _find_numbers(text: str, numbers: Collection[str]) -> Iterator[tuple[str, int, int]]:
    if _E164.fullmatch(text):
        yield text, 0, len(text)
        return
    # With a region, numbers that have their country code are found as well.
    for region in {_region(number) for number in numbers} or {None}:
        if whole := read_phone(clean_token(text), region):
            yield whole.identity, 0, len(text)
            continue
        for found in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE):
            e164 = phonenumbers.format_number(found.number, PhoneNumberFormat.E164)
            yield with_extension(e164, found.number.extension or ""), found.start, found.end


@lru_cache(maxsize=1024)
def _region(number: str) -> str | None:
    parsed = read_phone(number, None)
    return parsed.country if parsed else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is searched for.

    Attributes:
        matches: whether an identity, in a submission received at this time, is theirs.
        phones: whether a number may be theirs; without, numbers needn't be searched for.
        until: no later submission is theirs.
    """

    matches: Callable[[str, datetime], bool]
    phones: bool = True
    until: datetime | None = None


@dataclass(slots=True)
class Hits:
    """Ids of submissions: the persons' `own`, and others that `mention` them."""

    own: list[str] = field(default_factory=list)
    mention: list[str] = field(default_factory=list)


def search(connection: Connection, wanted: Wanted, progress: Progress | None = None) -> Hits:
    """Search every submission that isn't erased."""
    query = searched_rows().execution_options(yield_per=500)
    if wanted.until:
        query = query.where(submissions.c.received_at <= wanted.until)
    hits = Hits()
    for count, row in enumerate(connection.execute(query), 1):
        texts = SearchedTexts(row, wanted)
        if texts.are_own():
            hits.own.append(row.id)
        elif texts.mention():
            hits.mention.append(row.id)
        if progress:
            progress(count)
    return hits


def searched_rows() -> Any:
    """The query for what is searched, of submissions that aren't erased."""
    sent = submissions.c
    # Names have no line breaks.
    names = select(func.aggregate_strings(files.c.name, "\n"))
    return (
        select(
            *(sent.id, sent.received_at, sent.answers, sent.meta, sent.lead),
            *(sent.notes, sent.unknown),
            *(deliveries.c.email, deliveries.c.phone, deliveries.c.reason),
            names.where(files.c.submission_id == sent.id).scalar_subquery().label("file_names"),
        )
        .outerjoin(deliveries, deliveries.c.submission_id == sent.id)
        .where(sent.erased_at.is_(None))
        .order_by(sent.id)
    )


class SearchedTexts:
    """The texts of one submission; each is searched once."""

    def __init__(self, row: Row[Any], wanted: Wanted) -> None:
        self._row = row
        self._wanted = wanted
        self._spans: dict[str, list[tuple[int, int]]] = {}
        parts = ("answers", "meta", "lead", "notes", "unknown", "reason")
        self._parts = {name: getattr(row, name) for name in parts}
        self._file_names = {*(row.file_names or "").split("\n")}
        # Of files that weren't kept.
        self._file_names |= {n.get("value", "") for n in row.notes or () if n["code"] in _OF_FILES}
        # Without its extension a number is that of others at the same switchboard.
        self._whole = {
            phone["e164"]: with_extension(phone["e164"], phone.get("extension", ""))
            for phone in row.lead.get("phones") or ()
        }
        self._phones = set(self._whole.values())
        typed = {value for name, value in row.answers.items() if name.endswith(".e164")}
        self._numbers = self._phones | typed

    def are_own(self) -> bool:
        row = self._row
        known = {row.email, row.phone, (row.lead.get("email") or {}).get("address")}
        known |= self._phones
        if any(self._wanted.matches(each, row.received_at) for each in known if each):
            return True
        sent = [row.answers, row.unknown, row.notes, row.meta.get("_replyto")]
        return any(
            text[start:end].strip() == text.strip()
            for text in _texts(sent)
            for start, end in self._find(text)
        )

    def mention(self) -> bool:
        texts = chain(_texts(self._parts), self._file_names)
        return any(self._find(text) for text in texts)

    def without_mentions(self) -> dict[str, Any]:
        """Return all searched parts, but the names of files, without mentions."""
        return {name: self.without(part) for name, part in self._parts.items()}

    def without(self, value: Any) -> Any:
        """Return a text, or a list or dict of texts, without mentions of wanted persons."""
        if isinstance(value, str):
            for start, end in reversed(_merged(self._find(value))):
                value = value[:start] + ERASED_MENTION + value[end:]
            return value
        if isinstance(value, list):
            return [self.without(each) for each in value]
        if isinstance(value, dict):
            # Names of unknown fields are the sender's, too.
            return {self.without(key): self.without(each) for key, each in value.items()}
        return value

    def _find(self, text: str) -> list[tuple[int, int]]:
        """Where a text names a wanted person."""
        if text not in self._spans:
            self._spans[text] = [
                (start, end)
                for spelling in self._spellings(text)
                for identity, start, end in find_identities(
                    spelling, self._numbers, phones=self._wanted.phones
                )
                if self._wanted.matches(identity, self._row.received_at)
            ]
        return self._spans[text]

    def _spellings(self, text: str) -> list[str]:
        """Return what is searched for a text; where in it something is found stays the same."""
        if text not in self._file_names:
            return [self._whole.get(text, text)]
        # The ending would belong to the domain, and `cv_ana@example.com` is an address, too.
        stem = text.rpartition(".")[0]
        return [text, stem, stem.replace("_", " ")]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(each)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
