"""The type `file`: files that come with a multipart post, or were staged by an earlier one."""

from collections.abc import Sequence
from mimetypes import guess_extension
from typing import Any, Self

from wtforms.widgets import FileInput

from formapp.forms import messages
from formapp.forms.definition.uploads import format_size
from formapp.forms.fields.base import Control, Field, InvalidValueError, Parsed, Schema
from formapp.forms.messages import ErrorMessage, texts_in
from formapp.languages import gettext_noop

_KINDS = {
    "image/*": gettext_noop("images"),
    "video/*": gettext_noop("videos"),
    "audio/*": gettext_noop("sound recordings"),
    "text/*": gettext_noop("texts"),
}
"""What visitors read in place of a MIME pattern."""


class SentFile(str):
    """The name of a file that came with a post: a text of its own class among the posted texts.

    Attributes:
        size: in bytes.
        fault: why it can't be taken.
        reference: a signed text that sends a staged file again; None if it isn't staged.
    """

    __slots__ = ("fault", "reference", "size")
    fault: ErrorMessage | None
    reference: str | None
    size: int

    def __new__(
        cls,
        name: str,
        size: int = 0,
        fault: ErrorMessage | None = None,
        reference: str | None = None,
    ) -> Self:
        sent = super().__new__(cls, name)
        sent.size, sent.fault, sent.reference = size, fault, reference
        return sent

    @property
    def shown_size(self) -> str:
        """The size for people, such as `1.5 MB`."""
        return format_size(self.size)


class FileControl(Control):
    """A control for choosing files; `data` are those that were staged."""

    widget = FileInput()


class File(Field):
    """Files, whose answer is the list of their names."""

    control = FileControl
    widget = None
    several = True
    typed = autofilled = False

    def read(self, texts: Sequence[str]) -> Parsed:
        """Return the names; a text that is no file counts as none, since it holds no content."""
        sent = [text for text in texts if isinstance(text, SentFile)]
        if not sent:
            return self.blank(sent)
        for each in sent:
            if each.fault:
                raise InvalidValueError(each.fault)
        if len(sent) > self.definition.max_files:
            raise InvalidValueError(messages.too_many_files(self.definition.max_files))
        return Parsed([str(each) for each in sent])

    def shown(self, texts: Sequence[str]) -> list[SentFile]:
        """Return the files that can be sent again without being chosen again."""
        return [text for text in texts if isinstance(text, SentFile) and text.reference]

    def attributes(self) -> dict[str, Any]:
        """Return the attributes; browsers offer the accepted types alone."""
        given, found = self.definition, super().attributes()
        if given.accept:
            found["accept"] = ",".join(given.accept)
        if given.max_files > 1:
            found["multiple"] = True
        return found | {
            "data-max-size": given.max_size,
            "data-max-files": given.max_files,
            "data-too-big": self._sentence(self.too_big()),
            "data-too-many": self._sentence(messages.too_many_files(given.max_files)),
        }

    @property
    def shown_size(self) -> str:
        """The largest size for people."""
        return format_size(self.definition.max_size)

    @property
    def shown_types(self) -> str:
        """The accepted types for people, such as `PDF, images`; empty where all are."""
        return ", ".join(map(self._shown_type, self.definition.accept))

    def too_big(self) -> ErrorMessage:
        return messages.file_too_big(self.shown_size)

    def wrong_type(self) -> ErrorMessage:
        return messages.file_type(self.shown_types)

    def type_errors(self) -> list[ErrorMessage]:
        """Return the messages about files that can't be taken."""
        wrong = [self.wrong_type()] if self.definition.accept else [messages.FILE_EMPTY]
        return [self.too_big(), messages.too_many_files(self.definition.max_files), *wrong]

    def _sentence(self, message: ErrorMessage) -> str:
        return message.sentence(texts_in(self.language), self.definition.label, self.language)

    def _shown_type(self, accepted: str) -> str:
        """Return `PDF` for `.pdf` and `application/pdf`, and `images` for `image/*`."""
        if kind := _KINDS.get(accepted):
            return texts_in(self.language).gettext(kind)
        ending = guess_extension(accepted) if "/" in accepted else accepted
        return ending[1:].upper() if ending else accepted

    def value_schema(self) -> Schema:
        """Return the schema of what JSON may have: no content, which only multipart has."""
        return {"type": ["array", "string", "null"], "maxItems": 0, "maxLength": 0}
