"""Whether a post is accepted or quarantined, and why. Nothing is ever refused for it.

The content decides, by the form's threshold; and what the owner asked for in the form file: a
challenge, a known origin, a quota. The web side never calls out: the answer to a service's
challenge is written down as an errand, and a worker asks that service.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import limits

from formapp.db.counters import UsageLimit
from formapp.forms.answers import Reading
from formapp.forms.form import Form
from formapp.forms.posted import Posted
from formapp.forms.tokens import Token
from formapp.jobs.queue import Job
from formapp.leads.quota import QUOTA, noted
from formapp.spam import PROVIDERS, Facts, Session, read_session, score_of, suspicions
from formapp.spam.providers import ALTCHA_FIELD, CHALLENGE_CHECK, pending_reason
from formapp.web.services import Services

HONEYPOT = "the field that people don't see was filled in"
UNKNOWN_ORIGIN = "the page that it came from isn't known"
NOT_SOLVED = "the challenge was not solved"
USED_BEFORE = "the solution of the challenge had been used before"

_LONGEST_TOKEN = 8000


@dataclass(slots=True, repr=False)
class Verdict:
    """What is held against a post.

    Attributes:
        score: of its content and of how it was sent.
        reasons: in words for the owner; none repeats an answer.
        held: whether it is quarantined.
        errands: jobs that may still release it.
        usage_limits: what it takes of what may be taken a few times only.
        quota: the form's, as JSON, to be taken when it is released.
    """

    score: float = 0.0
    reasons: list[str] = field(default_factory=list)
    held: bool = False
    errands: tuple[Job, ...] = ()
    usage_limits: tuple[UsageLimit, ...] = ()
    quota: dict[str, Any] | None = None

    def hold(self, reason: str) -> None:
        """Quarantine it."""
        self.reasons.append(reason)
        self.held = True

    def meta(self) -> dict[str, Any]:
        """The part of it that is kept with the submission."""
        judged = {"suspect": self.reasons, "score": self.score} if self.reasons else {}
        return judged | ({QUOTA: self.quota} if self.quota else {})


def check_spam(  # noqa: PLR0913 - all that can be held against a post
    services: Services,
    form: Form,
    posted: Posted,
    reading: Reading,
    *,
    token: Token | None,
    session_data: str | None,
    now: datetime,
    origin_known: bool,
) -> Verdict:
    """Check a valid post.

    Args:
        services: of the app: challenges, and keyed hashes.
        form: the form.
        posted: as it came.
        reading: what it says.
        token: of our own page.
        session_data: the header `Formspree-Session-Data`.
        now: when it came.
        origin_known: whether the browser said from which site it comes.
    """
    spam = form.definition.spam
    session = read_session(session_data) if session_data else Session()
    seconds = token.age.total_seconds() if token else session.seconds(now)
    found = suspicions(Facts(seconds, session.webdriver, reading.texts, reading.names))
    verdict = Verdict(score_of(found), [signal.reason for signal in found])
    verdict.held = spam.quarantine_at is not None and verdict.score >= spam.quarantine_at
    if not origin_known:
        verdict.hold(UNKNOWN_ORIGIN)
    if spam.challenge == "altcha":
        solved = services.challenges.check(form.name, posted.get(ALTCHA_FIELD) or "")
        if solved is None:
            verdict.hold(NOT_SOLVED)
        else:
            mark = services.sign(f"altcha {solved.challenge_id}")
            verdict.usage_limits += (UsageLimit(mark, 1, solved.until, USED_BEFORE),)
    elif spam.challenge:
        answer = posted.get(PROVIDERS[spam.challenge].field) or ""
        if not answer or len(answer) > _LONGEST_TOKEN:
            verdict.hold(NOT_SOLVED)
        elif not verdict.held:
            # The service needn't know of what is quarantined anyway.
            verdict.hold(pending_reason(spam.challenge))
            verdict.errands = (Job(CHALLENGE_CHECK, {"provider": spam.challenge, "token": answer}),)
    if spam.quota and verdict.errands:
        # Anybody can make tokens up: only what the service lets through may use the quota up.
        verdict.quota = noted(_quota(services, form, spam.quota, now), now)
    elif spam.quota and not verdict.held:
        verdict.usage_limits += (_quota(services, form, spam.quota, now),)
    return verdict


def _quota(services: Services, form: Form, quota: str, now: datetime) -> UsageLimit:
    item = limits.parse(quota)
    return UsageLimit(
        services.sign(f"quota {form.name} {item}"),
        item.amount,
        now + timedelta(seconds=item.get_expiry()),
        f"beyond the form's quota of {quota}",
        form.name,
    )
