"""The Flask-WTF form that every compiled form is a subclass of. It shows a form and its errors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import fields as wtforms
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from formapp.forms import messages
from formapp.forms.definition.layout import Condition, unmet
from formapp.forms.definition.model import FormDefinition
from formapp.forms.fields.base import Control, Field
from formapp.forms.messages import Code, ErrorMessage, texts_in
from formapp.forms.posted import Posted
from formapp.forms.tokens import (
    TOKEN_NAME,
    ExpiredTokenError,
    InvalidTokenError,
    Token,
    TokenContext,
)

if TYPE_CHECKING:
    # Only the stubs make it generic.
    from wtforms.fields.core import UnboundField


@dataclass(frozen=True)
class FieldFault:
    """One thing to correct.

    `message` is a predicate for programs, `sentence` is for pages, `id` that of the control to go
    to; for the form as a whole `field` is None and `id` empty. `called` is the name by which the
    sender knows the field, perhaps an alias. Nothing here repeats an answer.
    """

    field: str | None
    label: str
    code: Code
    message: str
    sentence: str
    id: str
    called: str | None = None


class StatelessToken(CSRF):
    """The signed token as WTForms' `csrf_class`; `Meta.csrf_context` is a `TokenContext`.

    A valid token is given back when the form is shown again, so that the corrected post keeps its
    nonce; in place of any other a fresh one is issued. `token` is the verified token of the post.
    """

    token: Token | None = None
    fault: ErrorMessage | None = None

    def setup_form(self, form: BaseForm) -> "list[tuple[str, UnboundField[CSRFTokenField]]]":
        context: Any = form.meta.csrf_context
        try:
            self.token = context.signer.read(context.posted or "", context.form_name)
        except ExpiredTokenError:
            self.fault = messages.TOKEN_EXPIRED
        except InvalidTokenError:
            self.fault = messages.TOKEN_INVALID
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:
        context: Any = csrf_token_field.meta.csrf_context
        if self.token and context.posted:
            return str(context.posted)
        return str(context.signer.issue_for(context.form_name, context.version, context.use))

    def validate_csrf_token(self, form: BaseForm, field: CSRFTokenField) -> None:  # noqa: ARG002 - WTForms' interface
        if self.fault:
            raise ValidationError(self.fault)


class LeadForm(FlaskForm):
    """A form that needs no session, no secret of the app and no request.

    Controls are found by their name in the form file: `bound["email"]`. After `validate()`
    `faults()` says what to correct.
    """

    spec: ClassVar[FormDefinition]
    conditions: ClassVar[list[tuple[str, Condition]]]

    class Meta:
        """WTForms' settings: the stateless token, and texts in the form's language."""

        csrf = True
        csrf_class = StatelessToken
        csrf_field_name = TOKEN_NAME
        csrf_context: TokenContext | None = None

        def get_translations(self, form: "LeadForm") -> Any:
            return texts_in(form.spec.language)

    def __init__(
        self, posted: Posted | None, *, first: Sequence[str | None], token: TokenContext | None
    ) -> None:
        self.posted = posted
        texts: MultiDict[str, str] | None = None
        if posted is not None:
            names = [field.name for field in self.spec.fields]
            texts = MultiDict(dict(zip(names, posted.texts, strict=True)))
            if token and token.posted is None:
                token = replace(token, posted=posted.get(TOKEN_NAME))
        super().__init__(  # type: ignore[no-untyped-call] # Flask-WTF publishes no types
            formdata=texts,
            data={_attribute(slot): text for slot, text in enumerate(first)},
            meta={"csrf": token is not None, "csrf_context": token},
        )
        shown = {control.name: control for control in self.controls()}
        for name in unmet(self.conditions, lambda name: shown[name].data):
            shown[name].applies = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __getitem__(self, name: str) -> Any:
        return next(field for field in self if field.name == name)

    @property
    def token(self) -> Token | None:
        """The verified token of the post; None where there was none or it isn't valid."""
        csrf = getattr(self, "_csrf", None)
        return csrf.token if isinstance(csrf, StatelessToken) else None

    def controls(self) -> Iterator[Control]:
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
        called = self.posted.called() if self.posted else {}
        whole = [
            FieldFault(None, "", *self._localized(text, ""), id="")
            for field in self
            if not isinstance(field, Control)
            for text in field.errors
        ]
        return whole + [
            FieldFault(
                control.name,
                control.spec.label,
                *self._localized(text, control.spec.label),
                id=control.first_id,
                called=called.get(control.name, control.name),
            )
            for control in self.controls()
            for text in control.errors
        ]

    def _localized(self, text: str, label: str) -> tuple[Code, str, str]:
        if not isinstance(text, ErrorMessage):
            return "TYPE_TEXT", str(text), str(text)
        language = self.spec.language
        texts = texts_in(language)
        return text.code, text.localize(texts), text.sentence(texts, label, language)


def form_class(name: str, definition: FormDefinition, fields: Sequence[Field]) -> type[LeadForm]:
    controls = {_attribute(slot): field.unbound_control() for slot, field in enumerate(fields)}
    own = {"spec": definition, "conditions": definition.conditions}
    return type(f"{name.title()}Form", (LeadForm,), controls | own)


def _attribute(slot: int) -> str:
    # A field may be called `data` or `validate`: its name can't be the attribute's.
    return f"field_{slot}"
