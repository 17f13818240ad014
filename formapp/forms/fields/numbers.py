"""What can be compared with a bound: `number` and `date`."""

from collections.abc import Callable
from datetime import date
from typing import Any

from wtforms.widgets import DateInput, NumberInput

from formapp.forms import messages
from formapp.forms.definition.model import LARGEST
from formapp.forms.fields import patterns
from formapp.forms.fields.base import Field, InvalidValueError, Parsed, Schema
from formapp.forms.fields.values import clean_token, parse_date, parse_number
from formapp.forms.messages import ErrorMessage

# At most 50 characters, and a first digit between the 15th before and the 14th behind the point, as
# `values.parse_number` wants it. The last line is how programs write very small numbers.
_NUMBER = (
    r"[+-]?(?:0{0,10}[1-9][0-9]{0,14}(?:\.[0-9]{0,20})?"
    r"|0{0,10}\.0{0,13}[1-9][0-9]{0,20}"
    r"|0{1,10}(?:\.0{0,20})?|\.0{1,20}"
    r"|[1-9](?:\.[0-9]{0,20})?[eE][+-]?(?:0?[0-9]|1[0-4]))"
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

    @staticmethod
    def parse_value(text: str) -> str | int | float | None:
        """Return the value of a text, None where it isn't one."""
        raise NotImplementedError

    def bound(self, key: str) -> Any:
        """Return the form file's `min` or `max` as it is compared with values."""
        bound = getattr(self.definition, key)
        return bound.isoformat() if isinstance(bound, date) else bound

    def parse(self, text: str) -> Parsed:
        """Return the value, if it lies within the bounds."""
        value: Any = self.parse_value(text)
        if value is None:
            raise InvalidValueError(self.invalid)
        least, largest = self.bound("min"), self.bound("max")
        if least is not None and value < least:
            raise InvalidValueError(messages.too_small(self.definition.min))
        if largest is not None and value > largest:
            raise InvalidValueError(messages.too_large(self.definition.max))
        return Parsed(value)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes with the bounds."""
        bounds = {key: self.bound(key) for key in ("min", "max")}
        return super().attributes() | {
            k: str(each) for k, each in bounds.items() if each is not None
        }

    def type_errors(self) -> list[ErrorMessage]:
        """Return the errors with those of the bounds."""
        least, largest = self.definition.min, self.definition.max
        small = [messages.too_small(least)] if least is not None else []
        large = [messages.too_large(largest)] if largest is not None else []
        return [*super().type_errors(), *small, *large]


class Number(_Bounded):
    """A number; what isn't one stays in the control as it was typed."""

    widget = NumberInput()
    input_mode = "decimal"
    invalid = messages.NUMBER
    parse_value = staticmethod(parse_number)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes with a step that takes fractions."""
        return super().attributes() | {"step": "any"}

    def value_schema(self) -> Schema:
        """Return the schema of a number, or of a text that is one."""
        smallest = 10 / LARGEST  # the first digit counts: `values.parse_number`
        number: Schema = {
            "type": "number",
            "exclusiveMinimum": -LARGEST,
            "exclusiveMaximum": LARGEST,
            "anyOf": [{"const": 0}, {"minimum": smallest}, {"maximum": -smallest}],
        }
        bounds = {"minimum": self.bound("min"), "maximum": self.bound("max")}
        number |= {key: bound for key, bound in bounds.items() if bound is not None}
        text = {"type": "string", "pattern": patterns.trimmed(_NUMBER, required=self.required)}
        return {"anyOf": [number, text] if self.required else [number, text, {"type": "null"}]}


class Date(_Bounded):
    """A date as `YYYY-MM-DD`; what isn't one stays in the control as it was typed."""

    widget = DateInput()
    invalid = messages.DATE
    parse_value = staticmethod(parse_date)

    def value_patterns(self) -> list[str]:
        """Return patterns of a calendar date within the bounds."""
        least, largest = self.bound("min"), self.bound("max")
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
