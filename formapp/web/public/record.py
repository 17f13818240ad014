"""From a post to the submission that is kept."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flask import request

from formapp.forms.answers import Reading, read
from formapp.lead import Lead
from formapp.leads.accept import Status, Submission
from formapp.spam import CHALLENGE_NAMES
from formapp.web.public.confirmation import confirmation_meta, jobs_of, status_of
from formapp.web.public.post import Post
from formapp.web.public.spam_check import HONEYPOT, judge
from formapp.web.services import services


def accepted(post: Post) -> Submission:
    """The submission of a post that is valid."""
    received_at = datetime.now(UTC)
    reading = read(
        post.form,
        post.bound,
        default_site=services().default_site,
        page=post.visit.page,
        referrer=post.visit.referrer,
    )
    verdict = judge(post, reading.answers, received_at)
    return Submission(
        form=post.form.name,
        form_version=post.form.version,
        received_at=received_at,
        lead=reading.lead,
        answers=dict(reading.answers),
        consents=_consents(reading, received_at),
        meta=_meta(post) | verdict.meta() | confirmation_meta(post.form),
        status=Status.QUARANTINED if verdict.held else status_of(post.form),
        errands=verdict.errands if verdict.held else jobs_of(post.form),
        usage_limits=verdict.usage_limits,
        key=post.key,
        address=request.remote_addr if post.form.definition.keep_ip else None,
        keep_days=post.form.definition.keep_days,
    )


def _consents(reading: Reading, at: datetime) -> list[dict[str, Any]]:
    return [{**consent, "at": at.isoformat()} for consent in reading.consents]


def spam(post: Post) -> Submission:
    """Kept as it came, out of sight and without a delivery: a person may have been too thorough.

    It isn't validated. So whoever posts the same invalid answers with and without the trap can
    tell it by two answers (422 and success); that is borne, since such answers may be a person's.
    """
    form = post.form
    caught = Submission(
        form=form.name,
        form_version=form.version,
        received_at=datetime.now(UTC),
        lead=Lead(form=form.name, site=form.definition.site or services().default_site),
        answers={
            name: post.posted.values.getlist(name)
            for name in post.posted.values
            if name not in CHALLENGE_NAMES
        },
        # Whoever releases it has its sender asked as well.
        meta=_meta(post) | {"suspect": [HONEYPOT]} | confirmation_meta(form),
        status=Status.SPAM,
        keep_days=form.definition.keep_days,
    )
    return replace(caught, key=_key_of_catch(post.key, caught.digest))


def _key_of_catch(key: str | None, digest: str) -> str | None:
    """One row for the same key and answers; a row of its own for anything else.

    Other answers under a key that was used must be answered like success, and nothing of what a
    person sent may be lost: neither they nor what comes without the trap may find the key taken.
    """
    if key is None:
        return None
    return f"caught:{hashlib.sha256(f'{key} {digest}'.encode()).hexdigest()}"


def _meta(post: Post) -> dict[str, Any]:
    values, token = post.posted.values, post.bound.token
    meta: dict[str, Any] = {
        "use": token.use if token else "foreign",
        "language": post.form.language,
        "page": post.visit.page,
        "referrer": post.visit.referrer,
        "utm": dict(post.visit.utm),
    }
    return meta | {name: values[name] for name in ("_subject", "_replyto") if values.get(name)}
