"""The base of every table in a form file, and the text types that tables share."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic import Field as Key


class Definition(BaseModel):
    """A table of a form file: frozen, and an unknown key is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def trimmed(name: str) -> str:
    """Return the name; raise ValueError if it begins or ends with a blank."""
    if name != name.strip():
        raise ValueError("begins or ends with a blank")
    return name


Text = Annotated[str, Key(min_length=1)]
LabelName = Annotated[str, Key(min_length=1, max_length=180), AfterValidator(trimmed)]
"""A label's display name (contract section 9.1)."""
