"""What the doctor finds."""

import textwrap
from dataclasses import dataclass
from typing import Literal

from formapp.printable import printable


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: what was checked, in one or two words.
        level: `ok`, `hint` (worth a look) or `fault` (keeps formapp from working).
        message: the result; holds no secret and no answer.
        advice: what to do about it.
    """

    check: str
    level: Literal["ok", "hint", "fault"]
    message: str
    advice: str = ""

    def __str__(self) -> str:
        lines = f"{self.level:<5}  {self.check}: {printable(self.message)}"
        return f"{lines}\n{textwrap.indent(self.advice, ' ' * 7)}" if self.advice else lines


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", message)


def hint(check: str, message: str, advice: str = "") -> Finding:
    """Worth a look."""
    return Finding(check, "hint", message, advice)


def fault(check: str, message: str, advice: str) -> Finding:
    """Keeps formapp from working."""
    return Finding(check, "fault", message, advice)
