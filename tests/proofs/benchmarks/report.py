"""What a suite found, as Markdown: a table, what must hold, what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.proofs.benchmarks.rounds import Spread

Row = Sequence[str]


@dataclass(frozen=True)
class Verdict:
    """One thing that must hold; `holds` is None where the run was too small to tell."""

    what: str
    target: str
    measured: str
    holds: bool | None


@dataclass
class Report:
    """One suite's result.

    Attributes:
        title: of its section.
        columns: heads of its table.
        rows: the table.
        missing: contestants that could not take part, and why.
        verdicts: what must hold.
        notes: how it was measured, a sentence each.
    """

    title: str
    columns: Row = ()
    rows: list[Row] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def at_least(self, what: str, target: float, measured: Spread, digits: int = 2) -> None:
        """Judge by the median: it must reach the target."""
        said = measured.said(digits)
        self.verdicts.append(Verdict(what, f"at least {target:g}", said, measured.median >= target))

    def at_most(
        self, what: str, target: float, measured: Spread, digits: int = 2, unit: str = ""
    ) -> None:
        """Judge by the median: it must not exceed the target."""
        said, holds = f"{measured.said(digits)}{unit}", measured.median <= target
        self.verdicts.append(Verdict(what, f"at most {target:,g}{unit}", said, holds))

    @property
    def fails(self) -> bool:
        """Whether something that must hold doesn't."""
        return any(verdict.holds is False for verdict in self.verdicts)

    def markdown(self) -> str:
        """The section."""
        parts = [f"## {self.title}"]
        rows = self.rows + [
            (name, f"missing: {why}", *[""] * (len(self.columns) - 2))
            for name, why in self.missing.items()
        ]
        if rows:
            parts.append(_table(self.columns, rows))
        if self.verdicts:
            judged = [
                (each.what, each.target, each.measured, _MARKS[each.holds])
                for each in self.verdicts
            ]
            parts.append(_table(("must hold", "target", "measured", "holds"), judged))
        if self.notes:
            parts.append("\n".join(f"- {note}" for note in self.notes))
        return "\n\n".join(parts) + "\n"


_MARKS = {True: "yes", False: "**no**", None: "not judged"}


def _table(columns: Row, rows: Sequence[Row]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
