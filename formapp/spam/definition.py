"""The `[spam]` table of a form file: what is held back, what is asked for, how much is taken."""

from typing import Annotated, Literal

import limits
from pydantic import AfterValidator, PlainValidator
from pydantic import Field as Key

from formapp.forms.definition.base import Definition

Challenge = Literal["altcha", "turnstile", "hcaptcha", "recaptcha"]
QUARANTINE_AT = 3.0
_EXAMPLE = 'write it like "500/day"'


def _threshold(given: object) -> float | None:
    if given == "off":
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given <= 100:  # noqa: PLR2004 - more than all weights together
        raise ValueError('should be a score above 0, such as 3, or "off"')
    return float(given)


def _quota(given: str) -> str:
    try:
        parsed = limits.parse_many(given)
    except ValueError:
        parsed = []
    if len(parsed) != 1 or parsed[0].amount < 1:
        raise ValueError(f'"{given}" is no quota; {_EXAMPLE}')
    return given


class Spam(Definition):
    """What a form does about spam.

    Attributes:
        quarantine_at: the score from which on a submission is held back; None (`"off"`): never.
        unknown_origin: what becomes of a post that doesn't say from which site it comes.
        challenge: what a browser or its visitor has to solve.
        difficulty: how much work the challenge of ALTCHA's kind is.
        quota: how many leads are let through, such as `500/day`; what is beyond is held back.
    """

    quarantine_at: Annotated[float | None, PlainValidator(_threshold)] = QUARANTINE_AT
    unknown_origin: Literal["refuse", "quarantine"] = "refuse"
    challenge: Challenge | None = None
    difficulty: Annotated[int, Key(ge=1, le=100)] = 1
    quota: Annotated[str, AfterValidator(_quota)] | None = None
