"""Whether a post is accepted or quarantined, and why. Suspicious posts are never refused.

The content decides, by the form's threshold, as do the requirements of the form file: a challenge,
a known origin, a quota. The web side makes no outgoing calls: the answer to a service's challenge
is stored as a job, and a worker verifies it with the service.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import limits

from formapp.db.counters import UsageLimit
from formapp.forms.form import Form
from formapp.forms.posted import Posted, Reading
from formapp.forms.tokens import Token
from formapp.jobs.queue import Job
from formapp.leads.held import QUOTA, quota_meta
from formapp.spam.providers import ALTCHA_FIELD, CHALLENGE_CHECK, PROVIDERS, pending_reason
from formapp.spam.session import read_session
from formapp.spam.signals import score_of, suspicions
from formapp.web.services import Services

HONEYPOT = "the field that people don't see was filled in"
UNKNOWN_ORIGIN = "the page that it came from isn't known"
NOT_SOLVED = "the challenge was not solved"
USED_BEFORE = "the solution of the challenge had been used before"

_LONGEST_TOKEN = 8000


@dataclass(slots=True, repr=False)
class Verdict:
    """The result of the spam check of a post, which is quarantined if `held`.

    `reasons` are for the owner; none repeats an answer. `jobs` may still release the post, which
    counts towards `usage_limits`, and on release towards `quota`, the form's as JSON.
    """

    score: float = 0.0
    reasons: list[str] = field(default_factory=list)
    held: bool = False
    jobs: tuple[Job, ...] = ()
    usage_limits: tuple[UsageLimit, ...] = ()
    quota: dict[str, Any] | None = None

    def hold(self, reason: str) -> None:
        self.reasons.append(reason)
        self.held = True

    def meta(self) -> dict[str, Any]:
        """The part that is stored with the submission."""
        suspicion = {"suspect": self.reasons, "score": self.score} if self.reasons else {}
        return suspicion | ({QUOTA: self.quota} if self.quota else {})


def check_spam(  # noqa: PLR0913 - all facts about a post
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

    `token` is that of our own page, `session_data` the header `Formspree-Session-Data`;
    `origin_known` is whether the browser reported the site that sent the post.
    """
    spam = form.definition.spam
    seconds, webdriver = token.age.total_seconds() if token else None, False
    if session_data:
        passed, webdriver = read_session(session_data, now)
        seconds = seconds if token else passed
    found = suspicions(reading.texts, reading.names, seconds=seconds, webdriver=webdriver)
    verdict = Verdict(score_of(found), [signal.reason for signal in found])
    verdict.held = spam.quarantine_at is not None and verdict.score >= spam.quarantine_at
    if not origin_known:
        verdict.hold(UNKNOWN_ORIGIN)
    if spam.challenge == "altcha":
        _check_altcha(verdict, services, form, posted)
    elif spam.challenge:
        _queue_check(verdict, spam.challenge, posted)
    if spam.quota and verdict.jobs:
        # Tokens can be forged: only posts that the service verifies may use the quota up.
        verdict.quota = quota_meta(_quota(services, form, spam.quota, now), now)
    elif spam.quota and not verdict.held:
        verdict.usage_limits += (_quota(services, form, spam.quota, now),)
    return verdict


def _check_altcha(verdict: Verdict, services: Services, form: Form, posted: Posted) -> None:
    solved = services.challenges.check(form.name, posted.get(ALTCHA_FIELD) or "")
    if solved is None:
        verdict.hold(NOT_SOLVED)
    else:
        mark = services.sign(f"altcha {solved.challenge_id}")
        verdict.usage_limits += (UsageLimit(mark, 1, solved.until, USED_BEFORE),)


def _queue_check(verdict: Verdict, provider: str, posted: Posted) -> None:
    answer = posted.get(PROVIDERS[provider].field) or ""
    if not answer or len(answer) > _LONGEST_TOKEN:
        verdict.hold(NOT_SOLVED)
    elif not verdict.held:  # no need to verify the token if the post is quarantined anyway
        verdict.hold(pending_reason(provider))
        verdict.jobs = (Job(CHALLENGE_CHECK, {"provider": provider, "token": answer}),)


def _quota(services: Services, form: Form, quota: str, now: datetime) -> UsageLimit:
    item = limits.parse(quota)
    return UsageLimit(
        services.sign(f"quota {form.name} {item}"),
        item.amount,
        now + timedelta(seconds=item.get_expiry()),
        f"beyond the form's quota of {quota}",
        form.name,
    )
