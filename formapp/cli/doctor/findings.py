"""What the doctor finds."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from formapp.cli.output import Screen
from formapp.printable import printable


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check, and what to do about it; holds no secret and no answer.

    A `hint` is worth a look, a `fault` keeps formapp from working. `site` is named where there are
    several.
    """

    level: Literal["ok", "hint", "fault"]
    check: str
    message: str
    advice: str = ""
    site: str | None = None

    @property
    def text(self) -> str:
        """What was found, in one line."""
        check = f"{self.check} of {self.site}" if self.site else self.check
        return f"{check}: {printable(self.message)}"


_COLORS = {"ok": "green", "hint": "yellow", "fault": "red"}
_INDENT = " " * 7


def echo_finding(out: Screen, finding: Finding) -> None:
    """Print a finding with its advice below, wrapped where that is a terminal."""
    first, *more = out.wrap(finding.text, len(_INDENT))
    out.echo((f"{finding.level:<5}  ", _COLORS[finding.level]), (first, None))
    advice = out.wrap(finding.advice, len(_INDENT)) if finding.advice else []
    for line in [*more, *advice]:
        out.echo((_INDENT + line, None))


ok = partial(Finding, "ok")
hint = partial(Finding, "hint")
fault = partial(Finding, "fault")
