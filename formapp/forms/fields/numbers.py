"""What can be compared with a bound: `number` and `date`."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from wtforms.widgets import DateInput, TextInput

from formapp.forms import messages
from formapp.forms.definition.model import LARGEST, PropertyTarget
from formapp.forms.fields import patterns
from formapp.forms.fields.base import Field, InvalidValueError, Parsed, Schema
from formapp.forms.messages import ErrorMessage
from formapp.forms.reading.dates import OLDEST_AGE, read_date
from formapp.forms.reading.numbers import JsonNumber, read_number, write_number
from formapp.forms.reading.text import clean_token

# At most 50 characters, and a first digit between the 15th before and the 14th behind the point, as
# `read_number` wants it. The last line is how programs write very small numbers; three digits
# behind its point would be a group in some languages.
_NUMBER = (
    r"[+-]?(?:0{0,10}[1-9][0-9]{0,14}(?:\.[0-9]{0,20})?"
    r"|0{0,10}\.0{0,13}[1-9][0-9]{0,20}"
    r"|0{1,10}(?:\.0{0,20})?|\.0{1,20}"
    r"|[1-9](?:\.(?:[0-9]{0,2}|[0-9]{4,20}))?[eE][+-]?(?:0?[0-9]|1[0-4]))"
)
_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP = (
    "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"  # not 0000
)
_DATE = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP}-02-29)"
)


class _Bounded(Field):
    """A value with a least and a largest one."""

    clean = staticmethod(clean_token)
    typed = False
    left_to_right = True
    invalid: ErrorMessage
    reader: Callable[[str, str], Any]
    """Returns the value of a text in a language, None where it isn't one."""

    def bounds(self) -> tuple[Any, Any]:
        """Return the least and the largest value, None where there is none."""
        return self.definition.min, self.definition.max

    def written(self, bound: Any) -> str:
        """Return a bound as the language writes it."""
        return str(bound)

    def parse(self, text: str) -> Parsed:
        value = self.reader(text, self.language)
        if value is None:
            raise InvalidValueError(self.invalid)
        least, largest = self.bounds()
        if least is not None and value < _comparable(least):
            raise InvalidValueError(messages.too_small(least, self.written(least)))
        if largest is not None and value > _comparable(largest):
            raise InvalidValueError(messages.too_large(largest, self.written(largest)))
        return Parsed(value)

    def type_errors(self) -> list[ErrorMessage]:
        least, largest = self.bounds()
        small = [messages.too_small(least, self.written(least))] if least is not None else []
        large = [messages.too_large(largest, self.written(largest))] if largest is not None else []
        return [*super().type_errors(), *small, *large]


def _comparable(bound: Any) -> Any:
    return bound.isoformat() if isinstance(bound, date) else bound


class Number(_Bounded):
    """A number as people write it in the form's language: a browser's number control refuses that.

    What was typed stays in the control.
    """

    widget = TextInput()
    input_mode = "decimal"
    looks_like = patterns.DIGIT
    invalid = messages.NUMBER
    reader = staticmethod(read_number)

    def read(self, texts: Sequence[str]) -> Parsed:
        if texts and isinstance(texts[0], JsonNumber):
            return self.parse(texts[0])
        return super().read(texts)

    def written(self, bound: float) -> str:
        return write_number(bound, self.language)

    @property
    def range(self) -> tuple[str | None, ...]:
        """The bounds as the language writes them, for a hint at the control."""
        return tuple(None if bound is None else self.written(bound) for bound in self.bounds())

    def value_schema(self) -> Schema:
        smallest = 10 / LARGEST  # the first digit counts: `read_number`
        number: Schema = {
            "type": "number",
            "exclusiveMinimum": -LARGEST,
            "exclusiveMaximum": LARGEST,
            "anyOf": [{"const": 0}, {"minimum": smallest}, {"maximum": -smallest}],
        }
        bounds = zip(("minimum", "maximum"), self.bounds(), strict=True)
        number |= {key: bound for key, bound in bounds if bound is not None}
        text = {"type": "string", "pattern": patterns.trimmed(_NUMBER, required=self.required)}
        return {"anyOf": [number, text] if self.required else [number, text, {"type": "null"}]}


class Date(_Bounded):
    """A date, kept as `YYYY-MM-DD`; what isn't one stays in the control as it was typed."""

    widget = DateInput()
    invalid = messages.DATE
    reader = staticmethod(read_date)

    def bounds(self) -> tuple[Any, Any]:
        """Return the form file's bounds; a birth date is within the last 150 years."""
        least, largest = super().bounds()
        to = self.definition.to
        if isinstance(to, PropertyTarget) and to.property == "birthdate":
            today = datetime.now(UTC).date()
            oldest = date(today.year - OLDEST_AGE, 1, 1)
            return max(least or oldest, oldest), min(largest or today, today)
        return least, largest

    def shown(self, texts: Sequence[str]) -> str:
        """Return the date as browsers' date controls take it, else the text."""
        text: str = super().shown(texts)
        return self.reader(text, self.language) or text

    def attributes(self) -> dict[str, Any]:
        bounds = {"min": self.definition.min, "max": self.definition.max}
        given = {key: str(bound) for key, bound in bounds.items() if bound is not None}
        return super().attributes() | given

    def value_patterns(self) -> list[str]:
        """Return patterns of a calendar date within the form file's bounds."""
        least, largest = map(_comparable, (self.definition.min, self.definition.max))
        found = [_DATE]
        if least is not None:
            found.append(_beyond(least, lambda digit: f"[{digit + 1}-9]" if digit < 9 else ""))  # noqa: PLR2004 - the last digit
        if largest is not None:
            found.append(_beyond(largest, lambda digit: f"[0-{digit - 1}]" if digit else ""))
        return found


def _beyond(day: str, further: Callable[[int], str]) -> str:
    """Return a pattern for this date and those on one side of it.

    Dates compare as their digits do: the first that differs is further, the rest is free.
    """
    ways = [day]
    for place, char in enumerate(day):
        if char.isdigit() and (step := further(int(char))):
            free = "".join("-" if rest == "-" else "[0-9]" for rest in day[place + 1 :])
            ways.append(day[:place] + step + free)
    return "(?:" + "|".join(ways) + ")"
