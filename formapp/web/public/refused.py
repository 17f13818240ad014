"""What the sender of a post gets that isn't stored: a refusal, or the form with the answers."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response

from formapp.forms.tokens import TOKEN_NAME, TokenContext
from formapp.languages import gettext_noop
from formapp.web.errors import RefusalError
from formapp.web.public.attribution import action, allowed_next, page_before
from formapp.web.public.form_page import show_form
from formapp.web.public.preserved_fields import preserved_fields
from formapp.web.responses import invalid_json

if TYPE_CHECKING:
    from formapp.web.public.accept import Post

FILE_LEFT_OUT = gettext_noop("Your file was left out: this form can't take files.")


def refused(
    post: "Post", refusal: RefusalError, *, counted_as: str = "refused", fresh_token: bool = False
) -> Response:
    """Refuse a post that could be read; a visitor gets the form back with their answers."""
    post.services.metrics.submission(post.form.name, counted_as)
    if post.wants_json:
        raise refusal
    return _again(post, refusal, fresh_token=fresh_token)


def invalid(post: "Post") -> Response:
    """Answer with every fault of the answers; a visitor gets the form back with them."""
    post.services.metrics.submission(post.form.name, "invalid")
    if not post.wants_json:
        return _again(post)
    bound = post.form.bind(post.posted, token=_token_context(post) if post.is_own else None)
    bound.validate()
    return invalid_json(bound.faults())


def _token_context(post: "Post", *, fresh: bool = False) -> TokenContext:
    form, signer = post.form, post.services.signer
    if post.is_own and not fresh:
        token = post.posted.get(TOKEN_NAME) or ""
    else:
        token = signer.issue_for(form.name, form.version, post.use)
    return TokenContext(signer, form.name, form.version, post.use, token)


def _again(
    post: "Post", refusal: RefusalError | None = None, *, fresh_token: bool = False
) -> Response:
    """Show the form again with the answers; another site's form continues on our own page."""
    form, context = post.form, _token_context(post, fresh=fresh_token)
    if post.uploads:
        post.uploads.stage()
    bound = form.bind(post.posted, token=context)
    with_faults = refusal is None or refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    # A file that could not be kept has to be chosen again.
    with_faults = with_faults or post.uploads is not None
    if with_faults:
        bound.validate()
    foreign = None if post.is_own else post.attribution
    return show_form(
        form,
        bound,
        preserved=preserved_fields(post.posted, form.definition.next_fields, post.notes),
        faults=bound.faults() if with_faults else [],
        action=action(post.request, form, context, foreign),
        status=refusal.status if refusal else 422,
        notice=refusal.text if refusal else None,
        left_out=FILE_LEFT_OUT if post.dropped_files else None,
        headers=refusal.headers if refusal else None,
        # Checked like a redirect target: anyone can put an address into the query.
        back=allowed_next(form.definition, page_before(post.request, foreign)),
    )
