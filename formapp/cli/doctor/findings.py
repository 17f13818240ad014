"""What the doctor finds."""

import textwrap
from dataclasses import dataclass
from functools import partial
from typing import Literal

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

    def __str__(self) -> str:
        check = f"{self.check} of {self.site}" if self.site else self.check
        lines = f"{self.level:<5}  {check}: {printable(self.message)}"
        return f"{lines}\n{textwrap.indent(self.advice, ' ' * 7)}" if self.advice else lines


ok = partial(Finding, "ok")
hint = partial(Finding, "hint")
fault = partial(Finding, "fault")
