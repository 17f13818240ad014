"""Checking a visitor's challenge with the service that set it: the job of the kind `challenge`.

The submission is in quarantine until the service confirms the token. The request contains the token
and the site's secret: no answer and no address of the visitor. If the service rejects the token, or
doesn't respond in time, the submission stays in quarantine with the reason, and its owner decides.
"""

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from formapp import http
from formapp.jobs.queue import Claimed
from formapp.jobs.runner import NotYetError
from formapp.spam.providers import PROVIDERS, Provider

_NOT_ABOUT_THE_TOKEN = {
    "missing-input-secret",
    "invalid-input-secret",
    "sitekey-secret-mismatch",
    "bad-request",
    "internal-error",
}
"""The services' codes for faults of the secret, of the request and of their own."""

_MAX_CODE = 50
_NAMESPACE = uuid.UUID("6f0b7c3e-5a0e-4c55-9a53-7d0c6b0f2f5e")
_log = logging.getLogger(__name__)

Conclude = Callable[[Claimed, str | None, datetime], None]
"""Ends a job and releases its submission, or keeps it in quarantine for the given reason."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A service's response: the token is valid, or the codes say why not."""

    passed: bool
    codes: tuple[str, ...] = ()


class ChallengeChecks:
    """Runs the jobs.

    Args:
        conclude: stores the result.
        secret: the site's secret at the service; None: only jobs that are too old are ended.
        verify_url: replaces the provider's URL.
        clock: the time, aware.
    """

    def __init__(
        self,
        conclude: Conclude,
        secret: str | None,
        verify_url: str | None,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._conclude = conclude
        self._secret = secret
        self._verify_url = verify_url
        self._clock = clock

    def run(self, job: Claimed) -> None:
        """Check the token, then release the submission or leave it in quarantine.

        Raises:
            NotYetError: the service can't be asked now.
        """
        provider = PROVIDERS[job.content["provider"]]
        reason = None
        try:
            verdict = self._check(provider, job)
        except NotYetError as error:
            if self._clock() - job.since < provider.life:
                raise
            _log.error("%s could not be asked in time: %s", provider.title, error)
            reason = f"{provider.title} could not be asked in time"
        else:
            if not verdict.passed:
                codes = ", ".join(verdict.codes) or "no reason given"
                reason = f"{provider.title} says no ({codes})"
        self._conclude(job, reason, self._clock())

    def _check(self, provider: Provider, job: Claimed) -> Verdict:
        if self._secret is None:
            raise NotYetError("its secret isn't set here")
        data = {
            "secret": self._secret,
            "response": str(job.content.get("token")),
            # Turnstile's: after a crash, the repeated request gets the first response. Others
            # ignore it.
            "idempotency_key": str(uuid.uuid5(_NAMESPACE, job.submission["id"])),
        }
        try:
            status, content = http.post(self._verify_url or provider.verify_url, data=data)
        except http.NoResponseError as error:
            raise NotYetError(f"no answer ({error})") from None
        verdict = _read_verdict(content) if _is_about_the_token(status) else None
        if verdict is None:
            raise NotYetError(f"no answer that can be read (status {status})")
        if faults := _NOT_ABOUT_THE_TOKEN.intersection(verdict.codes):
            raise NotYetError(f"it refuses to say: {', '.join(sorted(faults))}")
        return verdict


def _is_about_the_token(status: int) -> bool:
    """False for a redirect, a rate limit and the service's own failures."""
    ok, bad_request, too_many, server_error = 200, 400, 429, 500
    return status == ok or (bad_request <= status < server_error and status != too_many)


def _read_verdict(content: bytes) -> Verdict | None:
    """Return None if the content is not a service's response."""
    try:
        response = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(response, dict) or not isinstance(response.get("success"), bool):
        return None
    codes = response.get("error-codes")
    known = codes if isinstance(codes, list) else []
    return Verdict(response["success"], tuple(code for code in known if _is_code(code)))


def _is_code(value: object) -> bool:
    """Whether it looks like a code: no other part of a response is repeated anywhere."""
    return (
        isinstance(value, str)
        and len(value) <= _MAX_CODE
        and value.isascii()
        and value.replace("-", "").isalnum()
    )
