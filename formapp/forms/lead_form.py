"""The Flask-WTF form that every compiled form is a subclass of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import fields as wtforms

from formapp.forms.catalogs import texts_in
from formapp.forms.csrf import TOKEN_NAME, StatelessToken
from formapp.forms.definition.model import FormDefinition
from formapp.forms.fields.controls import Control
from formapp.forms.messages import Code, Message
from formapp.forms.posted import Sent
from formapp.forms.tokens import Token, TokenContext


@dataclass(frozen=True)
class FieldFault:
    """One thing to correct.

    `field` is the field's name, None for the form as a whole; `message` a predicate; `id` that of
    the control to go to, empty for the form as a whole. `called` is the name by which the sender
    knows the field, which may be an alias. Nothing here repeats an answer.
    """

    field: str | None
    label: str
    code: Code
    message: str
    id: str
    called: str | None = None


class LeadForm(FlaskForm):
    """A form that needs no session, no secret of the app and no request.

    Controls are found by their name in the form file: `bound["email"]`. After `validate()`
    `faults()` says what to correct. `sent` is the post.
    """

    spec: ClassVar[FormDefinition]
    sent: Sent | None = None

    class Meta:
        """WTForms' settings: the stateless token, and texts in the form's language."""

        csrf = True
        csrf_class = StatelessToken
        csrf_field_name = TOKEN_NAME
        csrf_context: TokenContext | None = None

        def get_translations(self, form: "LeadForm") -> Any:
            """Return our texts and WTForms' in the form's language, English where it has none."""
            return texts_in(form.spec.language)

    def __init__(
        self,
        posted: MultiDict[str, str] | None,
        *,
        data: Mapping[str, str | None],
        token: TokenContext | None,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call] # Flask-WTF publishes no types
            formdata=posted,
            data=data,
            meta={"csrf": token is not None, "csrf_context": token},
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __getitem__(self, name: str) -> Any:
        return self._by_name()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name()

    @property
    def token(self) -> Token | None:
        """The verified token of the post; None where there was none or it didn't hold."""
        csrf = getattr(self, "_csrf", None)
        return csrf.token if isinstance(csrf, StatelessToken) else None

    @property
    def data(self) -> dict[str, Any]:
        """What the controls hold, by field name."""
        return {name: field.data for name, field in self._by_name().items()}

    @property
    def errors(self) -> dict[str, Any]:
        """The texts of what is wrong, by field name, in English."""
        return {name: field.errors for name, field in self._by_name().items() if field.errors}

    def controls(self) -> Iterator[Control]:
        """Yield the control of each field of the form file, in its order."""
        return (field for field in self if isinstance(field, Control))

    def shown(self) -> Iterator[Control]:
        """Yield the controls that the visitor sees, in the order of the form file."""
        return (control for control in self.controls() if control.spec.visible)

    def hidden(self) -> Iterator[wtforms.Field]:
        """Yield the hidden controls, `_token` among them."""
        shown = set(map(id, self.shown()))
        return (field for field in self if id(field) not in shown)

    def faults(self) -> list[FieldFault]:
        """Return what `validate()` found: first of the whole form, then field by field.

        Labels and messages are in the form's language.
        """
        called = self.sent.called() if self.sent else {}
        whole = [
            FieldFault(None, "", *self._said(text), id="")
            for field in self
            if not isinstance(field, Control)
            for text in field.errors
        ]
        return whole + [
            FieldFault(
                control.name,
                control.spec.label,
                *self._said(text),
                id=control.first_id,
                called=called.get(control.name, control.name),
            )
            for control in self.controls()
            for text in control.errors
        ]

    def _by_name(self) -> dict[str, wtforms.Field]:
        return {field.name: field for field in self}

    def _said(self, text: str) -> tuple[Code, str]:
        if isinstance(text, Message):
            return text.code, text.said(texts_in(self.spec.language))
        return "TYPE_TEXT", str(text)
