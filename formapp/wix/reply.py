"""What an answer that was not a success told (contract section 3.1)."""

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Violation:
    """One field that Wix refused (contract section 3.1).

    Attributes:
        field: path such as `info.emails.items[0].email`.
        rule: rule name such as `FORMAT`, where Wix names one.
        description: Wix's sentence. It may echo a value, so it is in no text and no repr.
    """

    field: str
    rule: str | None = None
    description: str = dataclasses.field(default="", repr=False)

    def __str__(self) -> str:
        """Field path and rule name."""
        return f"{self.field} {self.rule}" if self.rule else self.field


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """What an answer that was not a success told.

    Attributes:
        status: HTTP status; None when no answer came.
        code: `details.applicationError.code`.
        data: `details.applicationError.data`; values may be strings where numbers are meant.
        violations: `details.validationError.fieldViolations`.
        request_id: `X-Wix-Request-Id`.
        retry_after: seconds to wait, from `Retry-After`.
    """

    status: int | None = None
    code: str | None = None
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    violations: tuple[Violation, ...] = ()
    request_id: str | None = None
    retry_after: float | None = None
