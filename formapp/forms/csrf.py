"""The stateless token as a `csrf_class`, by WTForms' own interface."""

from typing import TYPE_CHECKING, Any

from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.form import BaseForm
from wtforms.meta import DefaultMeta
from wtforms.validators import ValidationError

from formapp.forms import messages
from formapp.forms.messages import Message
from formapp.forms.tokens import ExpiredTokenError, InvalidTokenError, Token, TokenContext

if TYPE_CHECKING:
    # Only the stubs make it generic.
    from wtforms.fields.core import UnboundField

TOKEN_NAME = "_token"  # noqa: S105 - the name of the control, not a secret


class StatelessToken(CSRF):
    """Puts a signed token into a form and checks the one that comes back.

    The form's `Meta.csrf_context` is the `TokenContext`. A valid token is given back when the
    form is shown again, so that the corrected post keeps its nonce; in place of any other a fresh
    one is issued. `token` is the verified token of the post, or None.
    """

    token: Token | None = None
    fault: Message | None = None

    def setup_form(self, form: BaseForm) -> "list[tuple[str, UnboundField[CSRFTokenField]]]":
        """Read the posted token and add the hidden control."""
        self._read(_context(form.meta))
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:
        """Return the posted token if it is valid, else a fresh one."""
        context = _context(csrf_token_field.meta)
        if self.token and context.posted:
            return context.posted
        return context.signer.issue_for(context.form_name, context.version, context.use)

    def validate_csrf_token(self, form: BaseForm, field: CSRFTokenField) -> None:  # noqa: ARG002 - WTForms' interface
        """Check what was read.

        Raises:
            ValidationError: With a `Message` whose code is TOKEN_EXPIRED or TOKEN_INVALID.
        """
        if self.fault:
            raise ValidationError(self.fault)

    def _read(self, context: TokenContext) -> None:
        try:
            self.token = context.signer.read(context.posted or "", context.form_name)
        except ExpiredTokenError:
            self.fault = messages.TOKEN_EXPIRED
        except InvalidTokenError:
            self.fault = messages.TOKEN_INVALID


def _context(meta: DefaultMeta) -> TokenContext:
    context: Any = meta.csrf_context
    if not isinstance(context, TokenContext):
        raise TypeError("a form with a token needs a TokenContext as its csrf_context")
    return context
