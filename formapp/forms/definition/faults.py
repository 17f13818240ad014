"""Faults of form files: where, which key, what is wrong and what would be right."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One fault. `file` is the file's name, `key` a path such as `fields[2] (budget).to`."""

    file: str
    key: str
    problem: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.problem) if part)


class FormFilesError(Exception):
    """Form files that can't be used; its text lists all faults, one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
