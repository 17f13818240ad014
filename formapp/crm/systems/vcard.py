"""vCards as text: reading their lines, changing some of them, and keeping all others as they are.

A card has lines of other programs that formapp doesn't know (photos, `X-…`, `item1.X-ABLabel`).
vobject takes lines apart, but writes some of these differently, so only changed ones are rewritten.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from vobject.base import ContentLine, ParseError, foldOneLine, getLogicalLines, parseLine

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""Characters that neither a vCard nor XML can have."""

_QUOTED_PRINTABLE = re.compile(r";(ENCODING=)?QUOTED-PRINTABLE|;CHARSET=[^;:]*", re.IGNORECASE)
_PREFERRED = re.compile(r";PREF=\d+|;TYPE=pref(?=[;:]|$)|;PREF(?=[;:]|$)", re.IGNORECASE)
_PREFERRED_OF_SEVERAL = re.compile(r"(?<=[=,])pref,|,pref(?=[,;:]|$)", re.IGNORECASE)
_BEGIN, _END = "BEGIN:VCARD", "END:VCARD"
_COMPANIONS = ("X-ABLABEL", "X-ABADR")
"""Lines that describe another one of their group."""


class UnreadableCardError(ValueError):
    """The text is no vCard."""


def escape(text: str) -> str:
    """Return a text as the value of a line (RFC 6350 section 3.4)."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), (",", "\\,"), (";", "\\;")):
        text = text.replace(plain, escaped)
    return text


def unescape(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def split(value: str, separator: str) -> list[str]:
    parts = re.findall(rf"((?:\\.|[^{separator}\\])*)(?:{separator}|$)", value, re.DOTALL)
    return [unescape(part) for part in parts[: len(parts) - 1 or None]]


@dataclass
class Line:
    """One line, unfolded: what comes before the value's colon, and the value, escaped."""

    head: str
    value: str
    group: str | None
    name: str
    types: frozenset[str] = frozenset()
    """Values of TYPE in lower case, `pref` where the line is the preferred one."""

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Take a line apart; may raise UnreadableCardError."""
        try:
            name, parameters, value, group = parseLine(raw)
            decoded = ContentLine(name, parameters, value, group, encoded=True).value  # type: ignore[arg-type] # as parseLine gives them
        except (ParseError, ValueError, LookupError) as error:
            raise UnreadableCardError from error
        types: set[str] = set()
        for parameter, *values in parameters:
            if parameter.upper() == "TYPE" or not values:
                types |= {
                    part for each in values or [parameter] for part in each.lower().split(",")
                }
            elif parameter.upper() == "PREF":
                types.add("pref")
        # A decoded value may have line breaks, which a value has only escaped.
        decoded = str(decoded).replace("\r\n", "\n").replace("\n", "\\n")
        head = raw[: len(raw) - len(value) - 1]
        return cls(
            head, decoded if decoded != value else value, group, name.upper(), frozenset(types)
        )

    @property
    def text(self) -> str:
        return unescape(self.value)

    def replace(self, value: str) -> None:
        """Set the value, escaped; its encoding is now plain."""
        self.head, self.value = _QUOTED_PRINTABLE.sub("", self.head), value

    def prefer(self, parameter: str | None) -> None:
        """Mark the line as the preferred one by this parameter, or not."""
        head = _PREFERRED.sub("", _PREFERRED_OF_SEVERAL.sub("", self.head))
        self.head = f"{head};{parameter}" if parameter else head
        self.types = self.types - {"pref"} | ({"pref"} if parameter else set())

    @property
    def raw(self) -> str:
        return f"{self.head}:{self.value}"


class Card:
    """One vCard: its lines without BEGIN and END, in their order."""

    def __init__(self, lines: Sequence[tuple[Line, str | None]]) -> None:
        self._lines = [line for line, _ in lines]
        self._originals = {id(line): (line.raw, raw) for line, raw in lines if raw is not None}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the one card of a text; may raise UnreadableCardError."""
        try:
            raws = [raw for raw, _ in getLogicalLines(io.StringIO(text)) if raw.strip()]
        except (ParseError, ValueError) as error:
            raise UnreadableCardError from error
        marks = [raw.strip().upper() for raw in raws]
        if marks[:1] != [_BEGIN] or marks[-1] != _END or _BEGIN in marks[1:]:
            raise UnreadableCardError
        return cls([(Line.parse(raw), raw) for raw in raws[1:-1]])

    @classmethod
    def new(cls, uid: str) -> Self:
        """Make a card of version 3.0, which every server takes."""
        heads = (
            ("VERSION", "3.0"),
            ("PRODID", "-//formapp//EN"),
            ("UID", escape(uid)),
            ("N", ";;;;"),
        )
        return cls([(Line(head, value, None, head), None) for head, value in heads])

    def text(self) -> str:
        """Return the card, folded as RFC 6350 says; unchanged lines are as they were."""
        out = io.StringIO(newline="")
        for raw in (_BEGIN, *map(self._raw, self._lines), _END):
            foldOneLine(out, raw)
        return out.getvalue()

    def _raw(self, line: Line) -> str:
        parsed, raw = self._originals.get(id(line), ("", ""))
        return raw if raw and parsed == line.raw else line.raw

    def all(self, name: str) -> list[Line]:
        """All lines of this name, in capitals."""
        return [line for line in self._lines if line.name == name]

    def first(self, name: str) -> Line | None:
        return next(iter(self.all(name)), None)

    def preferred(self, name: str) -> Line | None:
        """The line that is marked as preferred, else the first one."""
        lines = self.all(name)
        return next((line for line in lines if "pref" in line.types), lines[0] if lines else None)

    def prefer(self, chosen: Line) -> None:
        """Mark one line of its name as the preferred one."""
        version = self.first("VERSION")
        mark = "PREF=1" if version and version.value.startswith("4") else "TYPE=pref"
        for line in self.all(chosen.name):
            if line is not chosen and "pref" in line.types:
                line.prefer(None)
        if "pref" not in chosen.types:
            chosen.prefer(mark)

    def add(self, name: str, value: str) -> Line:
        """Add a line at the end; the value is escaped already."""
        line = Line(name, value, None, name)
        self._lines.append(line)
        return line

    def remove(self, line: Line) -> None:
        """Remove a line, and those that only describe it."""
        self._lines.remove(line)
        if line.group and all(
            other.name in _COMPANIONS for other in self._lines if other.group == line.group
        ):
            self._lines = [other for other in self._lines if other.group != line.group]

    def set(self, name: str, value: str | None) -> None:
        """Replace the first line's value or add the line; None removes all of this name."""
        line = self.first(name)
        if value is None:
            for each in self.all(name):
                self.remove(each)
        elif line is None:
            self.add(name, value)
        elif line.value != value:
            line.replace(value)

    def parts(self, name: str, count: int) -> list[str]:
        """The parts of the first line's value, such as N's five; empty ones where it has fewer."""
        line = self.first(name)
        found = split(line.value, ";") if line else []
        return (found + [""] * count)[: max(count, len(found))]

    def set_part(self, name: str, count: int, index: int, text: str) -> None:
        parts = self.parts(name, count)
        if parts[index] != text:
            parts[index] = text
            self.set(name, join(parts))


def join(parts: Sequence[str]) -> str:
    return ";".join(map(escape, parts))
