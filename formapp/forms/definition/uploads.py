"""The keys of a field that takes files: which, how large, how many."""

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic import Field as Key

from formapp.files.types import check_accept
from formapp.forms.definition.base import Definition, Listed

KEPT = "_kept"
"""The name of the boxes by which our page sends files again that came with an earlier post."""

DEFAULT_SIZE = 10_000_000
LARGEST_SIZE = 1_000_000_000
MOST_FILES = 20

_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([kKMG]i?)?B")
_UNITS = {
    "": 1,
    "k": 1000,
    "K": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
}


def read_size(text: str) -> int:
    """Return the bytes of `10 MB` (decimal) or `10 MiB` (binary), or raise ValueError."""
    match = _SIZE.fullmatch(text.strip())
    unit = _UNITS.get(match[2] or "") if match else None
    if match is None or unit is None:
        raise ValueError(
            f'"{text}" is no size; write it like "10 MB" (10,000,000 bytes) or "10 MiB" '
            "(10,485,760 bytes)"
        )
    return int(Decimal(match[1]) * unit)


def format_size(size: int) -> str:
    """Return bytes in decimal units, such as `1.5 MB`, as people's systems show them."""
    amount, unit = Decimal(size), "B"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004 - the factor between units
            break
        amount, unit = amount / 1000, larger
    digits = 0 if unit == "B" or amount >= 10 else 1  # noqa: PLR2004 - two digits are enough
    return f"{round(amount, digits):f}".removesuffix(".0") + f" {unit}"


def _max_size(given: Any) -> Any:
    size = read_size(given) if isinstance(given, str) else given
    if not isinstance(size, int) or isinstance(size, bool):
        raise ValueError('should be a size such as "10 MB"')  # noqa: TRY004 - pydantic wants it
    if not 0 < size <= LARGEST_SIZE:
        raise ValueError(f"should be more than 0 and at most {format_size(LARGEST_SIZE)}")
    return size


class FileKeys(Definition):
    """What only a field of type `file` takes."""

    accept: Listed[Annotated[str, AfterValidator(check_accept)]] = ()
    max_size: Annotated[int, BeforeValidator(_max_size)] = DEFAULT_SIZE
    max_files: Annotated[int, Key(ge=1, le=MOST_FILES)] = 1
    strip_metadata: bool = False

    @property
    def most_bytes(self) -> int:
        """The most bytes of files that one post may have for this field."""
        return self.max_size * self.max_files
