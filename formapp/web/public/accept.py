"""A post to a form, from the request to the response: read, check, validate, store, respond.

One path serves all content types and origins. The response follows the commit: when the visitor
reads that it succeeded, the submission is in the database.
"""

import hashlib
import logging
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from flask import Request, Response
from msgspec.structs import replace
from werkzeug.datastructures import Headers
from werkzeug.urls import iri_to_uri

from formapp.confirmation.request import STEP, TO_CONFIRM, make_request
from formapp.confirmation.store import CONFIRMATION_MAIL, REQUEST
from formapp.db.database import DatabaseUnavailableError
from formapp.files.intake import FilesUsedUpError
from formapp.files.records import StagedFileGoneError
from formapp.files.store import FileStoreError
from formapp.forms.fields.base import InvalidAnswersError
from formapp.forms.form import Form
from formapp.forms.notes import FILE_DROPPED, MAX_NAME, Note
from formapp.forms.posted import Posted, Reading
from formapp.forms.reading.text import TooManyMarksError
from formapp.forms.tokens import TOKEN_NAME, Token, Use
from formapp.jobs.queue import Job
from formapp.languages import gettext_noop
from formapp.lead import Lead, Private
from formapp.leads.accept import KeyReusedError, Receipt, Status, Submission
from formapp.notifications.plan import NOTIFY
from formapp.spam.providers import CHALLENGE_NAMES
from formapp.spam.session import ENVIRON_KEY
from formapp.web.errors import RefusalError
from formapp.web.headers import CompleteResponse
from formapp.web.i18n import language_query, localized_form, next_language_query
from formapp.web.public.attribution import (
    USE,
    Attribution,
    allowed_next,
    check_sender,
    form_path,
    note_preflight,
    thanks_query,
)
from formapp.web.public.body import MAX_BYTES, Body, clean_body, read_body, too_large
from formapp.web.public.preserved_fields import FILE
from formapp.web.public.refused import invalid, refused
from formapp.web.public.spam_check import HONEYPOT, Verdict, check_spam
from formapp.web.public.uploads import Uploads
from formapp.web.responses import json_answer, prefers_json
from formapp.web.services import Services, current_request, services

_log = logging.getLogger(__name__)
UNAVAILABLE = gettext_noop(
    "We could not save your answers. They are still here: please try again in a minute."
)
KEY_REUSED = gettext_noop(
    "You have already sent this form with other answers. To send these as well, press "
    "the button again."
)
NO_FILE_UPLOADS = gettext_noop("This form can't take files. Please send it without them.")
FILES_LEFT_OUT = gettext_noop(
    "Your file was left out: this form can't take files. We have received everything else."
)
PROGRESS = "Formapp-Progress"
"""The header of the script that shows how far files are sent."""
FILES, ONWARD = "files", "next"
"""Parameters of the thank-you page: that files were dropped, and the page to go on to."""
# Most answers lead to the same few pages.
_encoded = lru_cache(maxsize=64)(iri_to_uri)
# A form library may send a box that isn't ticked as the JSON `false`.
_NOT_FILLED = {"", "false"}


class Post(Private, frozen=True):
    """One post to a form, read and allowed by its origin.

    Attributes:
        use: whether the response is shown in an iframe.
        is_own: whether one of our own pages sent it; these carry a token.
        token: the verified token; None if it is missing or invalid.
        origin_known: whether the browser reported the site that sent it.
        notes: on how its body was read.
        too_large: it is longer than the form takes.
        uploads: its files; None if the form takes none.
    """

    request: Request
    form: Form
    services: Services
    posted: Posted
    attribution: Attribution
    use: Use
    is_own: bool
    token: Token | None
    origin_known: bool
    notes: list[Note]
    too_large: bool
    uploads: Uploads | None = None

    @property
    def wants_json(self) -> bool:
        """Whether the sender is a program."""
        return prefers_json(self.request.headers.get("Accept", ""))

    @property
    def dropped_files(self) -> list[Note]:
        """The notes on files that were dropped."""
        notes = self.notes
        return [note for note in notes if note["code"] == FILE_DROPPED] if notes else []

    @property
    def key(self) -> str | None:
        """The idempotency key, from the token's nonce or a header."""
        if self.token:
            return f"token:{self.token.nonce}"
        given = self.request.headers.get("Idempotency-Key")
        # A hash, since a key may be of any length and its end may be all that differs.
        return f"given:{_hash(given)}" if given else None


def submit(name: str) -> Response:
    """Answer a submission, from any of the three uses; OPTIONS is a browser's preflight."""
    request, app = current_request(), services()
    form = localized_form(name, app)
    if request.method == "OPTIONS":
        note_preflight(request, form)
        return Response(status=204, headers={"Allow": "GET, HEAD, OPTIONS, POST"})
    return accept_post(request, form, app)


def accept_post(request: Request, form: Form, services: Services) -> Response:
    """Answer a post to this form.

    Raises RefusalError if it can't be read or its page may not post here, and to programs also if
    nothing was stored.
    """
    metrics = services.metrics
    # Files that aren't stored in the end are deleted.
    with services.uploads(request, form) if form.takes_files else nullcontext() as uploads:
        try:
            post, limited = _read(request, form, services, uploads)
        except (RefusalError, TooManyMarksError):
            metrics.submission(form.name, "refused")
            raise
        metrics.unknown_fields(form.name, len(post.posted.unknown))
        if limited:
            return refused(post, limited)
        if _is_trapped(post):
            return _keep(post, _caught(post))
        if post.notes and post.wants_json and post.dropped_files:
            return refused(post, RefusalError(422, "NO_FILE_UPLOADS", NO_FILE_UPLOADS))
        if post.too_large:
            return refused(post, too_large(form.max_bytes))
        try:
            submission = _submission(post)
        except InvalidAnswersError:
            return invalid(post)
        return _keep(post, submission)


def _read(
    request: Request, form: Form, services: Services, uploads: Uploads | None = None
) -> tuple[Post, RefusalError | None]:
    """Return the post, and the limit that it exceeds.

    Origin and limits are checked before the text is cleaned, which costs the most.
    """
    body = read_body(request, max(form.max_bytes, MAX_BYTES), uploads)
    token = next((value for name, value in body.pairs if name == TOKEN_NAME), None)
    sender = check_sender(request, form, services, token)
    limited = None
    try:
        services.limits.hit(request.remote_addr or "", form.name)
    except RefusalError as refusal:
        limited = refusal
    try:
        posted = _sort(form, body)
    except (RefusalError, TooManyMarksError) as error:
        raise limited or error from None
    notes = body.notes
    if files := posted.get(FILE):
        # Our own page repeats what it knows of files.
        notes.append({"code": FILE_DROPPED, "value": files[:MAX_NAME]})
    is_long = body.size > form.max_bytes
    if uploads:
        is_limited = limited is not None
        notes += uploads.sort(posted, body.file_names, datetime.now(UTC), limited=is_limited)
    return Post(request, form, services, posted, *sender, notes, is_long, uploads), limited


def _sort(form: Form, body: Body) -> Posted:
    posted = form.reader.sort(*clean_body(body))
    if repeated := posted.repeated():
        raise RefusalError(
            400,
            "REPEATED_FIELD",
            "Send each of these fields only once: %(names)s.",
            names=", ".join(repeated),
        )
    return posted


def _is_trapped(post: Post) -> bool:
    """Return whether a field was filled in that people don't see."""
    names = ("_gotcha", *post.form.definition.spam.honeypots)
    values = post.posted.values
    return any(each.strip() not in _NOT_FILLED for name in names for each in values.get(name, ()))


def _submission(post: Post) -> Submission:
    """Return the submission of a post; raise InvalidAnswersError if there is one to correct."""
    form, given = post.form, post.form.definition
    if post.is_own and post.token is None:
        raise InvalidAnswersError
    attribution, now = post.attribution, datetime.now(UTC)
    reading = form.reader.read(
        post.posted,
        default_site=post.services.default_site,
        page=attribution.page,
        referrer=attribution.referrer,
    )
    verdict, status, jobs = _check(post, reading, now)
    unknown, cut_notes = post.posted.unknown_fields()
    submission = Submission(
        form=form.name,
        form_version=form.version,
        received_at=now,
        lead=reading.lead,
        answers=reading.answers,
        consents=[{**consent, "at": now.isoformat()} for consent in reading.consents],
        notes=[*post.notes, *reading.notes, *cut_notes],
        unknown=unknown,
        meta=_meta(post) | verdict.meta(),
        status=status,
        jobs=jobs,
        usage_limits=verdict.usage_limits,
        key=post.key,
        address=post.request.remote_addr if given.keep_ip else None,
        keep_days=given.keep_days,
        files=post.uploads.records(reading.answers) if post.uploads else (),
    )
    if submission.key is None and "_id" in post.posted.values:
        return _with_own_id(post, submission)
    return submission


def _with_own_id(post: Post, submission: Submission) -> Submission:
    """Return the submission with a key of its `_id` and its answers, if it has an `_id`.

    Pages send the same `_id` for all their visitors, so other answers are another submission.
    """
    given = post.posted.get("_id")
    return (
        replace(submission, key=f"id:{_hash(given + submission.digest)}") if given else submission
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check(post: Post, reading: Reading, now: datetime) -> tuple[Verdict, Status, tuple[Job, ...]]:
    """Return what the checks found, and the status and the jobs that follow."""
    verdict = check_spam(
        post.services,
        post.form,
        post.posted,
        reading,
        token=post.token,
        session_data=post.request.environ.get(ENVIRON_KEY),
        now=now,
        origin_known=post.origin_known,
    )
    given = post.form.definition
    if verdict.held:
        return verdict, Status.QUARANTINED, verdict.jobs
    if given.confirm:
        return verdict, Status.UNCONFIRMED, (Job(CONFIRMATION_MAIL),)
    jobs = (Job(NOTIFY),) if given.notify or given.reply else verdict.jobs
    return verdict, Status.ACCEPTED, jobs


def _caught(post: Post) -> Submission:
    """Return the submission of a post that filled in the honeypot.

    It is stored unread, hidden from the owner's list and without a delivery: the sender may be a
    person who filled in every field. It isn't validated. So a sender of equal invalid answers with
    and without the honeypot can recognise it by two responses (422 and success); we accept this:
    the sender may be human.
    """
    form = post.form
    caught = Submission(
        form=form.name,
        form_version=form.version,
        received_at=datetime.now(UTC),
        lead=Lead(form=form.name, site=form.definition.site or post.services.default_site),
        answers={
            name: texts for name, texts in post.posted.values.items() if name not in CHALLENGE_NAMES
        },
        meta=_meta(post) | {"suspect": [HONEYPOT]},
        notes=post.notes,
        status=Status.SPAM,
        keep_days=form.definition.keep_days,
        files=post.uploads.records() if post.uploads else (),
    )
    key = post.key or post.posted.get("_id")
    # One row for each pair of key and answers: other answers under a used key must get a success
    # response, and must not block the key for a person.
    return replace(caught, key=f"caught:{_hash(f'{key} {caught.digest}')}") if key else caught


def _meta(post: Post) -> dict[str, Any]:
    attribution, form = post.attribution, post.form
    meta: dict[str, Any] = {
        "use": post.token.use if post.token else "foreign",
        "language": form.definition.language,
        "page": attribution.page,
        "referrer": attribution.referrer,
        "utm": dict(attribution.utm),
    }
    for name in ("_subject", "_replyto"):
        if text := post.posted.get(name):
            meta[name] = text
    if form.definition.notify or form.definition.reply:
        # Whatever accepts a post that is held needs no form file.
        meta[NOTIFY] = True
    if confirm := form.definition.confirm:
        # Also of a post that is held: on release, its sender has to confirm it.
        meta[REQUEST] = make_request(
            confirm,
            title=form.definition.title,
            language=form.language,
            query=language_query(form),
        )
    return meta


def _keep(post: Post, submission: Submission) -> Response:
    services, form = post.services, post.form
    try:
        if post.uploads and submission.files:
            submission = _with_stored_files(post.uploads, submission)
        receipt = services.intake.keep(submission)
    except KeyReusedError:
        return refused(post, RefusalError(409, "KEY_REUSED", KEY_REUSED), fresh_token=True)
    except FilesUsedUpError:
        # Their fields say so.
        return invalid(post)
    except StagedFileGoneError:
        if post.uploads:
            post.uploads.choose_again()
        return invalid(post)
    except (DatabaseUnavailableError, FileStoreError) as error:
        what = "the database" if isinstance(error, DatabaseUnavailableError) else "the file store:"
        _log.error("a post to %s was not stored: %s %s", form.name, what, error)
        refusal = RefusalError(503, "UNAVAILABLE", UNAVAILABLE, {"Retry-After": "30"})
        return refused(post, refusal, counted_as="unavailable")
    if post.uploads and receipt.repeated:
        post.uploads.discard()
    services.metrics.submission(form.name, _result(receipt))
    if receipt.leaves_work and services.on_kept:
        services.on_kept()
    for name in receipt.used_up:
        _log.warning("the quota of the form %s is used up: leads go to quarantine meanwhile", name)
    return _success(post)


def _with_stored_files(uploads: Uploads, submission: Submission) -> Submission:
    try:
        return replace(submission, files=uploads.put(submission.files))
    except FilesUsedUpError:
        if submission.status is Status.SPAM:
            return replace(submission, files=())
        raise


def _result(receipt: Receipt) -> str:
    if receipt.repeated:
        return "repeated"
    if receipt.status is Status.SPAM:
        return "spam"
    # A worker may still release it without the owner.
    if receipt.status is Status.UNCONFIRMED:
        return "unconfirmed"
    held = receipt.status is Status.QUARANTINED and not receipt.leaves_work
    return "quarantined" if held else "kept"


def _success(post: Post) -> Response:
    # Our own script wants an address instead of a redirect: it couldn't follow one to another site.
    by_script = post.uploads and post.request.headers.get(PROGRESS)
    as_json = bool(by_script) or post.wants_json
    if not as_json and post.request.environ.get("HTTP_SEC_FETCH_MODE") == "cors":
        # A script's fetch can't read the owner's page after a redirect: it would report a failed
        # post.
        return _redirect(_thanks(post))
    target = _next(post)
    if as_json:
        # To its own page the script goes on the address that the visitor sees.
        absolute = target if by_script or "://" in target else post.services.address + target
        return json_answer({"ok": True, "next": absolute})
    if post.dropped_files and target.startswith("http"):
        # Another site's page can't say that a file is missing; ours does, and leads on to it.
        target = _thanks(post, onward=target)
    return _redirect(target)


def _redirect(target: str) -> Response:
    headers = Headers()
    headers.add("Content-Type", "text/html; charset=utf-8")
    headers.add("Content-Length", "0")
    headers.add("Location", _encoded(target))
    return CompleteResponse(status=303, headers=headers)


def _next(post: Post) -> str:
    definition = post.form.definition
    for name in ("_next", *definition.next_fields):
        if requested := allowed_next(definition, post.posted.get(name)):
            return requested
    # The owner's thank-you page waits for the confirmation, and needs a window of its own: in a
    # frame it would not report the success to the embedding page.
    own = not definition.confirm and post.use == "page"
    redirect = definition.thanks.redirect if own else None
    return redirect or _thanks(post)


def _thanks(post: Post, *, onward: str | None = None) -> str:
    query = next_language_query(post.form)
    if post.form.definition.confirm:
        query |= {STEP: TO_CONFIRM}
    if post.use == "embed":
        query |= {USE: "embed", **thanks_query(post.request)}
    if post.dropped_files:
        query |= {FILES: "dropped"} | ({ONWARD: onward} if onward else {})
    address = f"{form_path(post.request, post.form)}/thanks"
    return f"{address}?{urlencode(query)}" if query else address
