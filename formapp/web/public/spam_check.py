"""Whether a post is let through or held back, and why. Nothing is ever refused for it.

The content decides, by the form's threshold; and what the owner asked for in the form file: a
challenge, a known origin, a quota. The web side never calls out: the answer to a service's
challenge is written down as an errand, and a worker asks that service.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import limits
from flask import request

from formapp.db.counters import UsageLimit
from formapp.forms.definition.model import FieldDefinition, PropertyTarget
from formapp.forms.form import Form
from formapp.jobs.queue import Job
from formapp.leads.quota import QUOTA, noted
from formapp.spam import PROVIDERS, Facts, read_session, score_of, suspicions
from formapp.spam.providers import ALTCHA_FIELD, ERRAND, awaited
from formapp.spam.session import HEADER
from formapp.web.public.post import Post
from formapp.web.services import services

HONEYPOT = "the field that people don't see was filled in"
UNKNOWN_ORIGIN = "the page that it came from isn't known"
NOT_SOLVED = "the challenge was not solved"
USED_BEFORE = "the solution of the challenge had been used before"

_TEXTS = {"text", "textarea"}
_NAMES = {"first_name", "last_name", "full_name"}
_LONGEST_TOKEN = 8000


@dataclass(repr=False)
class Judgement:
    """What is held against a post.

    Attributes:
        score: of its content and of how it was sent.
        reasons: in words for the owner; none repeats an answer.
        held: whether it goes to quarantine.
        errands: what may still let it through.
        usage_limits: what it takes of what may be taken a few times only.
        quota: the form's, as JSON, to be taken of by whoever lets it through.
    """

    score: float = 0.0
    reasons: list[str] = field(default_factory=list)
    held: bool = False
    errands: tuple[Job, ...] = ()
    usage_limits: tuple[UsageLimit, ...] = ()
    quota: dict[str, Any] | None = None

    def hold(self, reason: str) -> None:
        """Hold it back."""
        self.reasons.append(reason)
        self.held = True

    def meta(self) -> dict[str, Any]:
        """What is kept of it with the submission."""
        judged = {"suspect": self.reasons, "score": self.score} if self.reasons else {}
        return judged | ({QUOTA: self.quota} if self.quota else {})


def judge(post: Post, answers: Mapping[str, Any], now: datetime) -> Judgement:
    """Judge a valid post.

    Args:
        post: as it came.
        answers: what it says, by field name.
        now: when it came.
    """
    spam = post.form.definition.spam
    found = suspicions(_facts(post, answers, now))
    verdict = Judgement(score_of(found), [signal.reason for signal in found])
    verdict.held = spam.quarantine_at is not None and verdict.score >= spam.quarantine_at
    if not post.origin_known:
        verdict.hold(UNKNOWN_ORIGIN)
    if spam.challenge == "altcha":
        _check_work(post, verdict)
    elif spam.challenge:
        _check_answered(post, spam.challenge, verdict)
    if spam.quota and verdict.errands:
        # Anybody can make tokens up: only what the service lets through may use the quota up.
        verdict.quota = noted(_quota(post.form, spam.quota, now), now)
    elif spam.quota and not verdict.held:
        verdict.usage_limits += (_quota(post.form, spam.quota, now),)
    return verdict


def _facts(post: Post, answers: Mapping[str, Any], now: datetime) -> Facts:
    session = read_session(request.headers.get(HEADER))
    token = post.bound.token
    texts = list(_texts(post.form, answers))
    return Facts(
        seconds=token.age.total_seconds() if token else session.seconds(now),
        webdriver=session.webdriver,
        texts=tuple(text for _, text in texts),
        names=tuple(text for field, text in texts if _is_name(field)),
    )


def _texts(form: Form, answers: Mapping[str, Any]) -> Iterator[tuple[FieldDefinition, str]]:
    for each in form.definition.fields:
        text = answers.get(each.name)
        if each.type in _TEXTS and isinstance(text, str):
            yield each, text


def _is_name(field: FieldDefinition) -> bool:
    return isinstance(field.to, PropertyTarget) and field.to.property in _NAMES


def _check_work(post: Post, verdict: Judgement) -> None:
    given = post.posted.values.get(ALTCHA_FIELD, "")
    solved = services().challenges.check(post.form.name, given)
    if solved is None:
        verdict.hold(NOT_SOLVED)
        return
    mark = services().sign(f"altcha {solved.submission_id}")
    verdict.usage_limits += (UsageLimit(mark, 1, solved.until, USED_BEFORE),)


def _check_answered(post: Post, name: str, verdict: Judgement) -> None:
    token = post.posted.values.get(PROVIDERS[name].field, "")
    if not token or len(token) > _LONGEST_TOKEN:
        verdict.hold(NOT_SOLVED)
    elif not verdict.held:
        # What is held back anyway needn't be known to anybody else.
        verdict.hold(awaited(name))
        verdict.errands = (Job(ERRAND, {"provider": name, "token": token}),)


def _quota(form: Form, quota: str, now: datetime) -> UsageLimit:
    item = limits.parse(quota)
    return UsageLimit(
        services().sign(f"quota {form.name} {item}"),
        item.amount,
        now + timedelta(seconds=item.get_expiry()),
        f"beyond the form's quota of {quota}",
        form.name,
    )
