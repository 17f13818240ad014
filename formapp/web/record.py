"""From a post to the submission that is kept."""

from datetime import UTC, datetime
from typing import Any

from flask import request

from formapp.forms import Reading, read
from formapp.lead import Lead
from formapp.spam import CHALLENGE_NAMES
from formapp.submissions.intake import Status, Submission
from formapp.web.asking import asked, errands_of, status_of
from formapp.web.post import Post
from formapp.web.services import services
from formapp.web.suspect import HONEYPOT, judge


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
        meta=_meta(post) | verdict.meta() | asked(post.form),
        status=Status.QUARANTINED if verdict.held else status_of(post.form),
        errands=verdict.errands if verdict.held else errands_of(post.form),
        rations=verdict.rations,
        key=post.key,
        address=request.remote_addr if post.form.definition.keep_ip else None,
        keep_days=post.form.definition.keep_days,
    )


def _consents(reading: Reading, at: datetime) -> list[dict[str, Any]]:
    return [{**consent, "at": at.isoformat()} for consent in reading.consents]


def spam(post: Post) -> Submission:
    """Kept as it came, out of sight and without a delivery: a person may have been too thorough."""
    form = post.form
    return Submission(
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
        meta=_meta(post) | {"suspect": [HONEYPOT]} | asked(form),
        status=Status.SPAM,
        keep_days=form.definition.keep_days,
    )


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
