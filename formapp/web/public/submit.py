"""A post to a form: read, judge where it came from, validate, keep, answer. In that order.

The answer follows the commit: a success that the visitor reads is in the database.
"""

import logging
from urllib.parse import urlencode

from flask import Response, request, url_for

from formapp.db.database import DatabaseUnavailableError
from formapp.forms.form import Form
from formapp.forms.tokens import TokenContext
from formapp.languages import gettext_noop
from formapp.leads.accept import KeyReusedError, Receipt, Status, Submission
from formapp.web.errors import RefusalError
from formapp.web.i18n import followed_language
from formapp.web.public.attribution import USE, action, page_before, thanks_query
from formapp.web.public.confirmation_request import STEP, TO_CONFIRM
from formapp.web.public.form_page import show_form
from formapp.web.public.origin_check import allowed_next
from formapp.web.public.post import Post, read_post
from formapp.web.public.preserved_fields import PreservedFields
from formapp.web.public.record import accepted, spam
from formapp.web.responses import invalid_json, json_answer, wants_json
from formapp.web.services import services

_log = logging.getLogger(__name__)
UNAVAILABLE = gettext_noop(
    "Your answers could not be kept just now. Nothing that you typed was lost: "
    "please press the button again in a minute."
)
KEY_REUSED = gettext_noop(
    "This form was sent already, with other answers. "
    "If you want to send these as well, press the button again."
)


def submit_answers(form: Form) -> Response:
    """Answer a post to this form.

    Raises:
        RefusalError: it can't be read, or comes from a page that may not post here; and, for programs,
            whenever nothing was kept.
    """
    metrics = services().metrics
    try:
        post = read_post(form)
    except RefusalError:
        metrics.submission(form.name, "refused")
        raise
    metrics.unknown_fields(form.name, post.sent.unknown())
    try:
        services().limits.hit(request.remote_addr or "", form.name)
    except RefusalError as refusal:
        metrics.submission(form.name, "refused")
        return _refused(post, refusal)
    if post.is_spam:
        return _keep_and_answer(post, spam(post))
    if not post.bound.validate():
        metrics.submission(form.name, "invalid")
        return invalid_json(post.bound.faults()) if wants_json() else _again(post, 422)
    return _keep_and_answer(post, accepted(post))


def _keep_and_answer(post: Post, submission: Submission) -> Response:
    metrics, form = services().metrics, post.form
    try:
        receipt = services().intake.keep(submission)
    except KeyReusedError:
        metrics.submission(form.name, "refused")
        return _refused(post, RefusalError(409, "KEY_REUSED", KEY_REUSED), fresh_token=True)
    except DatabaseUnavailableError as error:
        _log.error("a post to %s was not kept: the database %s", form.name, error)
        metrics.submission(form.name, "unavailable")
        refusal = RefusalError(503, "UNAVAILABLE", UNAVAILABLE, {"Retry-After": "30"})
        return _refused(post, refusal)
    metrics.submission(form.name, _result(receipt))
    if receipt.leaves_work:
        services().on_kept()
    for name in receipt.used_up:
        _log.warning("the quota of the form %s is used up: leads go to quarantine meanwhile", name)
    return _success(post)


def _result(receipt: Receipt) -> str:
    if receipt.repeated:
        return "repeated"
    if receipt.status is Status.SPAM:
        return "spam"
    # What a worker may still let through isn't in the owner's hands.
    if receipt.status is Status.UNCONFIRMED:
        return "unconfirmed"
    held = receipt.status is Status.QUARANTINED and not receipt.leaves_work
    return "quarantined" if held else "kept"


def _refused(post: Post, refusal: RefusalError, *, fresh_token: bool = False) -> Response:
    """Refuse what was valid: the visitor keeps the form and what they typed."""
    if wants_json():
        raise refusal
    return _again(
        post,
        refusal.status,
        notice=refusal.text,
        headers=refusal.headers,
        fresh_token=fresh_token,
    )


def _again(
    post: Post,
    status: int,
    *,
    notice: str | None = None,
    headers: dict[str, str] | None = None,
    fresh_token: bool = False,
) -> Response:
    """Show the form again with what was typed; another site's form goes on from a page of ours."""
    form, bound = post.form, post.bound
    signer = services().signer
    context = post.token or TokenContext(signer, form.name, form.version, post.use)
    if fresh_token or post.token is None:
        token = signer.issue(form, post.use)
        context = TokenContext(signer, form.name, form.version, post.use, posted=token)
        bound = form.bind(post.posted.values, token=context)
        bound.validate()
    foreign = None if post.token else post.visit
    return show_form(
        form,
        PreservedFields(bound, post.posted.values),
        faults=bound.faults() if status == 422 else [],  # noqa: PLR2004 - unprocessable
        action=action(request, form, context, foreign),
        status=status,
        notice=notice,
        headers=headers,
        # As for where a post leads: an address that anybody can write must not lead anywhere.
        back=allowed_next(form.definition, page_before(request, foreign)),
    )


def _success(post: Post) -> Response:
    if request.headers.get("Sec-Fetch-Mode") == "cors" and not wants_json():
        # A script's request goes nowhere, and could read nothing of the owner's page: to it the
        # post would seem to have failed.
        return Response(status=303, headers={"Location": _thanks(post)})
    target = _next(post)
    if wants_json():
        absolute = target if "://" in target else services().address + target
        return json_answer({"ok": True, "next": absolute})
    return Response(status=303, headers={"Location": target})


def _thanks(post: Post) -> str:
    query = followed_language(post.form)
    if post.form.definition.confirm:
        query |= {STEP: TO_CONFIRM}
    if post.use == "embed":
        query |= {USE: "embed", **thanks_query(request)}
    return url_for("forms.thanks", name=post.form.name) + (f"?{urlencode(query)}" if query else "")


def _next(post: Post) -> str:
    definition = post.form.definition
    asked_for = allowed_next(definition, post.posted.values.get("_next"))
    # The owner's own page is for when all is done, which is after the confirmation; and for a whole
    # window: in a frame it would be a site within a site, and the page around would hear nothing.
    own = not definition.confirm and post.use == "page"
    redirect = definition.thanks.redirect if own else None
    return asked_for or redirect or _thanks(post)
