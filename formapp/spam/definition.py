"""The `[spam]` table of a form file: threshold, challenge, quota, honeypots."""

import unicodedata
from typing import Annotated, Literal

import limits
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, Strict
from pydantic import Field as Key

Challenge = Literal["altcha", "turnstile", "hcaptcha", "recaptcha"]
QUARANTINE_AT = 3.0
LONGEST_NAME = 200


def _threshold(given: object) -> float | None:
    if given == "off":
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= 100:  # noqa: PLR2004 - above all weights together
        raise ValueError('should be a score above 0, such as 3, or "off"')
    return float(given)


def _quota(given: str) -> str:
    try:
        parsed = limits.parse_many(given)
    except ValueError:
        parsed = []
    if len(parsed) != 1 or parsed[0].amount < 1:
        raise ValueError(f'"{given}" is no quota; write it like "500/day"')
    return given


def posted_name(name: str) -> str:
    """Return a control's name as posts are read, NFC-normalised. HTML allows any, even blanks.

    Raises:
        ValueError: no form can send it, or it is too long.
    """
    name = unicodedata.normalize("NFC", name)
    if not name.strip():
        raise ValueError("is empty")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"is too long; at most {LONGEST_NAME} characters")
    if any(unicodedata.category(char) == "Cc" for char in name):
        raise ValueError("holds a character that no form can send (NUL, a tab or a line end)")
    return name


PostedNames = Annotated[
    tuple[Annotated[str, AfterValidator(posted_name)], ...], Strict(strict=False)
]


class Spam(BaseModel):
    """How a form treats spam.

    Attributes:
        quarantine_at: score from which a submission is quarantined; None (`"off"`): never.
        difficulty: how much work an ALTCHA challenge is.
        quota: how many leads are accepted, such as `500/day`; further ones are quarantined.
        honeypots: names of fields that people don't see, beside formapp's own `_gotcha`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    quarantine_at: Annotated[float | None, PlainValidator(_threshold)] = QUARANTINE_AT
    unknown_origin: Literal["refuse", "quarantine"] = "refuse"
    challenge: Challenge | None = None
    difficulty: Annotated[int, Key(ge=1, le=100)] = 1
    quota: Annotated[str, AfterValidator(_quota)] | None = None
    honeypots: PostedNames = ()
