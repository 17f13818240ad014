"""The page that the link of a confirmation mail leads to.

Mail scanners and previews fetch links: opening the page confirms nothing, only its button does.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request, url_for
from flask_babel import gettext

from formapp.confirmation.links import address_hash
from formapp.confirmation.request import button_text
from formapp.db.database import DatabaseUnavailableError
from formapp.forms.form import Form
from formapp.languages import gettext_noop
from formapp.leads.accept import Status
from formapp.leads.confirm import Confirmation, confirm, find_confirmation
from formapp.signing import InvalidSignatureError
from formapp.web.brand import image_sources
from formapp.web.errors import RefusalError
from formapp.web.headers import page_headers
from formapp.web.i18n import language_query
from formapp.web.public.attribution import is_own_page
from formapp.web.responses import html_answer, refuse, wants_json
from formapp.web.services import services

INVALID = gettext_noop(
    "This link is incomplete. Please open it from the e-mail again, or fill in the form again."
)
EXPIRED = gettext_noop(
    "This link has expired, so nothing was confirmed. Please fill in the form again."
)
GONE = gettext_noop(
    "We no longer have the answers that this link confirms. Please fill in the form again."
)
FOREIGN = gettext_noop("Open the link in the e-mail and press the button there.")
UNAVAILABLE = gettext_noop("We could not save your confirmation. Please try again in a minute.")
_TITLES = {
    "LINK_INVALID": gettext_noop("This link doesn't work"),
    "LINK_EXPIRED": gettext_noop("This link has expired"),
    "LINK_GONE": gettext_noop("Nothing to confirm"),
}


def answer_confirmation(form: Form, *, pressed: bool) -> Response:
    """Answer the page with the button, or the button: it releases the submission, once."""
    try:
        if pressed:
            return _press(form)
        confirmation = _look_up(form)
        return _already(form) if confirmation.is_confirmed else _question(form, confirmation)
    except DatabaseUnavailableError:
        return refuse(RefusalError(503, "UNAVAILABLE", UNAVAILABLE, {"Retry-After": "30"}))
    except RefusalError as refusal:
        title = _TITLES.get(refusal.code)
        if wants_json() or title is None:
            return refuse(refusal)
        return _page(
            "error.html",
            form,
            refusal.status,
            title=gettext(title),
            text=refusal.text,
            back=_address("forms.show", form),
        )


def _press(form: Form) -> Response:
    app = services()
    # No other site's page may press the button through a visitor's browser.
    if not is_own_page(request, app.origin):
        raise RefusalError(403, "BLOCKED", FOREIGN)
    confirmation = _look_up(form)
    if confirmation.is_confirmed or not _confirm(confirmation):
        return _already(form)
    app.metrics.submission(form.name, "confirmed")
    if app.on_kept:
        app.on_kept()
    target = form.definition.thanks.redirect or _address("forms.thanks", form)
    return Response(status=303, headers={"Location": target})


def _look_up(form: Form) -> Confirmation:
    """Return the submission that the link is about; RefusalError if there is none to confirm."""
    try:
        link = services().links.read(request.args.get("t", ""))
    except InvalidSignatureError:
        raise RefusalError(400, "LINK_INVALID", INVALID) from None
    confirmation = find_confirmation(services().database, link.submission_id)
    fits = (
        confirmation
        and confirmation.form == form.name
        and confirmation.email
        and address_hash(confirmation.email) == link.address
    )
    # A confirmed submission is shown as confirmed, even if the link has expired.
    if confirmation and fits and confirmation.is_confirmed:
        return confirmation
    if link.until <= datetime.now(UTC):
        raise RefusalError(410, "LINK_EXPIRED", EXPIRED)
    if confirmation is None or not fits or confirmation.status is not Status.UNCONFIRMED:
        raise RefusalError(404, "LINK_GONE", GONE)
    return confirmation


def _confirm(confirmation: Confirmation) -> bool:
    """Release it; False if another request did so a moment ago, RefusalError if it was erased."""
    if confirm(services().database, confirmation.id, datetime.now(UTC)):
        return True
    left = find_confirmation(services().database, confirmation.id)
    if left is None or not left.is_confirmed:
        raise RefusalError(404, "LINK_GONE", GONE)
    return False


def _question(form: Form, confirmation: Confirmation) -> Response:
    return _page(
        "confirm.html",
        form,
        title=gettext("One more step"),
        text=gettext(
            "Please confirm what you sent with the form “%(title)s”.", title=form.definition.title
        ),
        consents=[consent["text"] for consent in confirmation.consents],
        button=button_text(form.definition.confirm),
        action=_address("confirm.press", form, t=request.args["t"]),
    )


def _already(form: Form) -> Response:
    return _page(
        "confirm.html",
        form,
        title=gettext("Thank you for confirming"),
        text=gettext("You have already confirmed this. There is nothing left to do."),
    )


def _page(template: str, form: Form, status: int = 200, **context: Any) -> Response:
    """Render a page that is never in a frame."""
    page = render_template(template, status=status, form=form, use="page", **context)
    images = image_sources(form)
    policy = page_headers(services().origin, targets=form.definition.origins, images=images)
    return html_answer(page, status, policy=policy)


def _address(endpoint: str, form: Form, **query: str) -> str:
    """Return the address of a page of this form, in its current language."""
    query |= language_query(form)
    return url_for(endpoint, name=form.name) + (f"?{urlencode(query)}" if query else "")
