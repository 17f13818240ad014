"""One post to a form: read, bound to the form, and judged by where it came from."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request

from formapp.forms.form import Form
from formapp.forms.lead_form import LeadForm
from formapp.forms.tokens import ExpiredTokenError, InvalidTokenError, TokenContext
from formapp.web.errors import RefusalError
from formapp.web.public.attribution import Attribution, foreign_visit, is_embedded, own_visit
from formapp.web.public.body import Posted, read_body
from formapp.web.public.origin_check import check_foreign, is_own_page
from formapp.web.services import services

if TYPE_CHECKING:
    from formapp.forms.posted import Sent
    from formapp.forms.tokens import Use

# A form library may send a box that isn't ticked as the JSON `false`.
_NOT_FILLED = {"", "false"}


@dataclass(frozen=True, repr=False)
class Post:
    """One post to a form, read and let in.

    Attributes:
        posted: what came.
        sent: the same, with what its names stand for.
        use: whether the page to answer with stands in an iframe.
        token: what our own page's token needs; None for another site's form.
        bound: the form with what was posted.
        origin_known: whether the browser said from which site it comes.
    """

    form: Form
    posted: Posted
    sent: "Sent"
    visit: Attribution
    use: "Use"
    token: TokenContext | None
    bound: LeadForm
    origin_known: bool = True

    @property
    def is_spam(self) -> bool:
        """Whether the field that people don't see was filled in."""
        return self.posted.values.get("_gotcha", "").strip() not in _NOT_FILLED

    @property
    def key(self) -> str | None:
        """What makes the post idempotent: the token's nonce, a header or a field."""
        if self.bound.token:
            return f"token:{self.bound.token.nonce}"
        given = request.headers.get("Idempotency-Key") or self.posted.values.get("_id")
        # A hash, since a key may be of any length and its end may be all that differs.
        return f"given:{hashlib.sha256(given.encode()).hexdigest()}" if given else None


def read_post(form: Form) -> Post:
    """Read the request at hand.

    Raises:
        RefusalError: it can't be read, or comes from a page that may not post here.
    """
    posted = read_body(request)
    sent = form.sent(posted.values)
    if repeated := sent.repeated(posted.lists):
        raise RefusalError(
            400,
            "REPEATED_FIELD",
            "These fields may come only once: %(names)s.",
            names=", ".join(repeated),
        )
    own = is_own_page(request, services().origin)
    use: Use = "embed" if is_embedded(request) else "page"
    token = _token_context(form, posted, use) if own else None
    origin_known = True
    if token is None:
        _check_no_stolen_token(form, posted)
        origin_known = check_foreign(request, form.definition)
        visit = foreign_visit(request)
    else:
        visit = own_visit(request, form)
    bound = form.bind(sent, token=token, page=visit.page, referrer=visit.referrer)
    return Post(form, posted, sent, visit, use, token, bound, origin_known)


def _token_context(form: Form, posted: Posted, use: "Use") -> TokenContext | None:
    text = posted.values.get("_token")
    if text is None:
        return None
    return TokenContext(services().signer, form.name, form.version, use, posted=text)


def _check_no_stolen_token(form: Form, posted: Posted) -> None:
    """A token of ours that comes from another site's page was taken from ours.

    From a site that isn't listed it is refused as anything is that comes from there.
    """
    origin = request.headers.get("Origin", "")
    listed = form.definition.allows_origin(origin)
    if not (listed or origin in {"", "null"}) or not _is_genuine(form, posted):
        return
    if listed:
        # The source of our page was pasted into a page that may post here without a token.
        raise RefusalError(
            403,
            "BLOCKED",
            "This form was copied from our own page together with the hidden field %(name)s, which "
            "is good on our page alone. Whoever looks after the copy has to remove that field. "
            "Until then, please open the form itself and send it from there.",
            name="_token",
        )
    raise RefusalError(
        403,
        "BLOCKED",
        "This page stands in a frame that doesn't let it say where it comes from. "
        "Please open the form in a window of its own and send it from there.",
    )


def _is_genuine(form: Form, posted: Posted) -> bool:
    try:
        services().signer.read(posted.values.get("_token", ""), form.name)
    except (InvalidTokenError, ExpiredTokenError):
        return False
    return True
