"""A form definition: what one TOML file says."""

import hashlib
import json
from typing import Annotated

from pydantic import AfterValidator, Strict
from pydantic import Field as Key

from formapp.confirmation.definition import Confirm
from formapp.forms.definition.fields import FieldDefinition
from formapp.forms.definition.targets import Definition, LabelName
from formapp.forms.definition.texts import Language, Text, Texts
from formapp.forms.definition.theme import Theme
from formapp.forms.origins import matches, normalise
from formapp.languages import gettext_noop
from formapp.spam.definition import Spam

VERSION_LENGTH = 12
SEND, THANK_YOU = gettext_noop("Send"), gettext_noop("Thank you")
"""What button and thank-you page say where the form file doesn't."""


Origin = Annotated[str, AfterValidator(normalise)]


class Thanks(Definition):
    """What the visitor sees afterwards: our page, or a redirect to an absolute address."""

    title: Text = THANK_YOU
    text: str = ""
    redirect: str | None = None


class FormDefinition(Definition):
    """One form. Build it with `loader`, which also checks what the keys mean together."""

    title: Text
    intro: str = ""
    submit: Text = SEND
    language: Language = "en"
    site: Text | None = None
    origins: Annotated[tuple[Origin, ...], Strict(strict=False)] = ()
    labels: Annotated[tuple[LabelName, ...], Strict(strict=False)] = ()
    keep_ip: bool = False
    keep_days: Annotated[int, Key(ge=1, le=36500)] | None = None
    theme: Theme | None = None
    spam: Spam = Spam()
    thanks: Thanks = Thanks()
    confirm: Confirm | None = None
    fields: Annotated[tuple[FieldDefinition, ...], Strict(strict=False), Key(min_length=1)]
    texts: dict[Language, Texts] = Key(default_factory=dict)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the form offers, its own first."""
        return (self.language, *self.texts)

    @property
    def version(self) -> str:
        """First 12 hex digits of SHA-256 over the canonical JSON of this definition."""
        content = self.model_dump(mode="json", by_alias=True)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:VERSION_LENGTH]

    def allows_origin(self, origin: str) -> bool:
        """Say whether a browser's `Origin` is on the list; `null` and nonsense never are."""
        try:
            given = normalise(origin)
        except ValueError:
            return False
        return "*" not in given and any(matches(listed, given) for listed in self.origins)
