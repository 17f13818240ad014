"""What the doctor finds."""

import textwrap
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["ok", "hint", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked at, in one word.
        level: `ok`, `hint` (worth a look) or `fault` (keeps formapp from working).
        message: what is the case; holds no secret and no answer.
        advice: what to do about it.
    """

    check: str
    level: Level
    message: str
    advice: str = ""

    def __str__(self) -> str:
        """Two lines at most: what, and what to do."""
        lines = f"{self.level:<5}  {self.check}: {self.message}"
        return f"{lines}\n{textwrap.indent(self.advice, ' ' * 7)}" if self.advice else lines

    def as_json(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


def ok(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, "ok", message)


def hint(check: str, message: str, advice: str = "") -> Finding:
    """Worth a look."""
    return Finding(check, "hint", message, advice)


def fault(check: str, message: str, advice: str) -> Finding:
    """Keeps formapp from working."""
    return Finding(check, "fault", message, advice)
