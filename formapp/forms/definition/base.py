"""The base of every table in a form file, and the text types that tables share."""

import re
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict
from pydantic import Field as Key

_Entry = TypeVar("_Entry")
Listed = Annotated[tuple[_Entry, ...], Strict(strict=False)]
"""A list in the file, which is frozen."""


class Definition(BaseModel):
    """A table of a form file: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def trimmed(name: str) -> str:
    """Return the name; raise ValueError if it begins or ends with a blank."""
    if name != name.strip():
        raise ValueError("begins or ends with a blank")
    return name


def web_address(text: str) -> str:
    """Return the address; raise ValueError if it is no absolute one of the web."""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or re.search(r"[\s\"<>;,]", text)
    ):
        raise ValueError(f'"{text}" is no address such as https://www.example.com/privacy')
    return text


Text = Annotated[str, Key(min_length=1)]
WebAddress = Annotated[str, AfterValidator(web_address)]
LabelName = Annotated[str, Key(min_length=1, max_length=180), AfterValidator(trimmed)]
"""A label's display name (contract section 9.1)."""
