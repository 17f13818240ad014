"""A vCard's fields as a book names them: reading, comparing, writing. Pure.

Values are compared in one form: e-mails in lower case, phones in E.164, birthdays as ISO dates,
countries as ISO codes. What a card has keeps its own spelling until it changes.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from formapp.crm.model import LABELS, SETS
from formapp.crm.system import Record, Value, Write, as_items, normalised, six_lines
from formapp.crm.systems.vcard import Card, Line, escape, join, split
from formapp.forms.reading.contact import read_email, read_phone
from formapp.forms.reading.places import read_country, read_subdivision

KEY = "X-WIX-CONTACT-ID"
"""The line that stores the Wix contact's id."""

_X = "x."
_LINES = {
    "full_name": "FN",
    "title": "TITLE",
    "note": "NOTE",
    "birthday": "BDAY",
    "email": "EMAIL",
    "emails": "EMAIL",
    "phone": "TEL",
    "phones": "TEL",
    "addresses": "ADR",
}
_NAME_PARTS = 5
_PARTS = {
    "family_name": ("N", _NAME_PARTS, 0),
    "given_name": ("N", _NAME_PARTS, 1),
    "org": ("ORG", 1, 0),
}
"""Fields that are a part of a line's value: the line, how many parts it has, which one it is."""

_ADDRESS_PARTS = 7
_MAX_TEXT = 10_000
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:T.*)?")
_LANGUAGE = "en"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CardRecord(Record):
    """A record with the card that it was read from: an update changes only some of its lines."""

    card: str


@dataclass(frozen=True, slots=True)
class CardFields:
    """The fields of one book: which of them it maps, and the region of phones without a country."""

    names: frozenset[str]
    region: str | None = None

    # Comparing

    def normalise(self, name: str, value: Value) -> Value | None:
        """Return the value in the form in which it is compared; None: a card can't hold it."""
        is_set = name in SETS or name == LABELS
        return normalised(value, partial(self._normalise, name), is_set=is_set)

    def _normalise(self, name: str, text: str) -> str | None:
        if len(text) > _MAX_TEXT:
            return None
        reader = _lines if name.startswith(_X) else self._readers.get(name)
        return (reader(text) if reader else _line(text)) or None

    @property
    def _readers(self) -> Mapping[str, Callable[[str], str | None]]:
        return {
            "email": _email,
            "emails": _email,
            "phone": self._phone,
            "phones": self._phone,
            "addresses": _address,
            "birthday": _birthday,
            "note": _lines,
        }

    def _phone(self, text: str) -> str | None:
        """Return the number with its extension; as it is where it can't be read."""
        line = _line(text)
        if line.lower().startswith("tel:"):
            line = line[4:].replace(";ext=", " ext. ")
        found = read_phone(line, self.region)
        return found.identity if found else line if any(map(str.isdigit, line)) else None

    # Reading

    def record(self, text: str, id_: str, revision: str) -> CardRecord:
        """Return what a card says; may raise UnreadableCardError."""
        card = Card.parse(text)
        values = {name: value for name in self.names if (value := self._value(card, name))}
        key = card.first(KEY)
        return CardRecord(
            id_,
            revision,
            values,
            frozenset(_labels(card)),
            (_line(key.text) or None) if key else None,
            emails=self._items(card, "emails"),
            phones=self._items(card, "phones"),
            card=text,
        )

    def _value(self, card: Card, name: str) -> Value | None:
        if name in SETS:
            return self._items(card, name) or None
        if name in _PARTS:
            line_name, count, index = _PARTS[name]
            return self._normalise(name, card.parts(line_name, count)[index])
        is_one_of_several = name in ("email", "phone")
        line = card.preferred(_LINES[name]) if is_one_of_several else card.first(_line_name(name))
        return self._normalise(name, line.text) if line else None

    def _items(self, card: Card, name: str) -> tuple[str, ...]:
        found = {self._item(name, line) for line in card.all(_LINES[name])}
        return tuple(sorted(item for item in found if item))

    def _item(self, name: str, line: Line) -> str | None:
        text = _lines_of_address(line.value) if name == "addresses" else line.text
        return self._normalise(name, text)

    # Writing

    def apply(self, card: Card, write: Write) -> None:
        """Change a card as a write says; lines that it doesn't concern stay as they are."""
        shown = _shown_name(card)
        follows = _line(shown) in {"", *map(_line, _joined_names(card))}
        for name in sorted(write.values, key=lambda name: name not in SETS):
            self._set(card, name, write.values[name])
        if write.add_labels or write.remove_labels:
            _set_labels(card, write)
        if write.key is not None:
            card.set(KEY, escape(write.key))
        if follows and "full_name" not in write.values:
            card.set("FN", escape(next(filter(None, _joined_names(card)), "")))
        if not _shown_name(card).strip():
            # RFC 6350 section 6.2.1 wants one that isn't empty.
            card.set("FN", escape(self._substitute(card)))

    def _set(self, card: Card, name: str, value: Value | None) -> None:
        if name in SETS:
            self._set_items(card, name, as_items(value))
            return
        text = next(iter(as_items(value)), None)
        if name in _PARTS:
            card.set_part(*_PARTS[name], text or "")
        elif name in ("email", "phone"):
            self._set_preferred(card, name, text)
        elif self._value(card, name) != (self._normalise(name, text) if text else None):
            card.set(_line_name(name), escape(text) if text else None)

    def _set_items(self, card: Card, name: str, wanted: Iterable[str]) -> None:
        missing = {self._normalise(name, item): item for item in wanted}
        for line in card.all(_LINES[name]):
            if self._item(name, line) not in missing:
                card.remove(line)
        held = {self._item(name, line) for line in card.all(_LINES[name])}
        for which, item in missing.items():
            if which and which not in held:
                card.add(
                    _LINES[name], _address_value(item) if name == "addresses" else escape(item)
                )

    def _set_preferred(self, card: Card, name: str, text: str | None) -> None:
        """Replace the preferred line, unless another one has the value: that is preferred then."""
        line, lines = card.preferred(_LINES[name]), card.all(_LINES[name])
        if text is None:
            if line:
                card.remove(line)
            return
        wanted = self._normalise(name, text)
        holder = next((each for each in lines if self._item(name, each) == wanted), None)
        if holder is None and line is not None:
            line.replace(escape(text))
        elif holder is None:
            card.add(_LINES[name], escape(text))
        elif holder is not line:
            card.prefer(holder)

    def _substitute(self, card: Card) -> str:
        lines = (card.first(name) for name in ("ORG", "EMAIL", "TEL"))
        return next((split(each.value, ";")[0] for each in lines if each and each.value), "No name")


def _line_name(name: str) -> str:
    return f"X-{name.removeprefix(_X).upper()}" if name.startswith(_X) else _LINES[name]


def _line(text: str) -> str:
    return " ".join(text.split())


def _lines(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def _email(text: str) -> str | None:
    line = _line(text).removeprefix("mailto:")
    return read_email(line) or line.casefold()


def _birthday(text: str) -> str | None:
    """Return the ISO date; None without a year, as `--0412`."""
    found = _DAY.fullmatch(text.strip())
    try:
        return date(*map(int, found.groups())).isoformat() if found else None
    except ValueError:
        return None


def _shown_name(card: Card) -> str:
    line = card.first("FN")
    return line.text if line else ""


def _joined_names(card: Card) -> list[str]:
    """Return how programs put the parts of a name together; the first one is ours."""
    family, given, more, before, after = card.parts("N", _NAME_PARTS)[:_NAME_PARTS]
    orders = ((given, more, family), (before, given, more, family, after), (given, family))
    return [" ".join(filter(None, order)) for order in orders]


def _labels(card: Card) -> list[str]:
    """Return the categories of all lines, each once."""
    found = (_line(part) for line in card.all("CATEGORIES") for part in split(line.value, ","))
    return list(dict.fromkeys(filter(None, found)))


def _set_labels(card: Card, write: Write) -> None:
    held = _labels(card)
    wanted = [label for label in held if label not in write.remove_labels]
    wanted += [label for label in sorted(write.add_labels) if label not in held]
    if wanted == held:
        return
    for line in card.all("CATEGORIES")[1:]:
        card.remove(line)
    card.set("CATEGORIES", ",".join(map(escape, wanted)) if wanted else None)


# Addresses: six lines here, seven parts in a card (the first of which is a post office box)


def _lines_of_address(value: str) -> str:
    parts = [_line(part.replace("\n", ", ")) for part in split(value, ";")]
    box, second, street, city, region, code, country = (parts + [""] * _ADDRESS_PARTS)[:7]
    return "\n".join((street, _line(f"{box} {second}"), city, code, region, country))


def _address_value(text: str) -> str:
    street, second, city, code, region, country = six_lines(text)
    return join(("", second, street, city, region, code, country))


def _address(text: str) -> str | None:
    street, second, city, code, region, country = six_lines(text)
    country = read_country(country, _LANGUAGE) or country
    region = read_subdivision(region, country, _LANGUAGE) or region
    parts = (street, second, city, code, region, country)
    return "\n".join(parts) if any(parts) else None
