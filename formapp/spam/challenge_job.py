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
from typing import Any

from formapp import http
from formapp.jobs.queue import ClaimedJob, RetryLaterError
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

Conclude = Callable[[ClaimedJob, str | None, datetime], None]
"""Ends a job and releases its submission, or keeps it in quarantine for the given reason."""


@dataclass(frozen=True, repr=False)
class ChallengeChecks:
    """Runs the jobs; without the site's secret at the service, ends those that are too old.

    `verify_url` replaces the provider's URL.
    """

    conclude: Conclude
    secret: str | None
    verify_url: str | None
    clock: Callable[[], datetime]

    def run(self, job: ClaimedJob) -> None:
        """Check the token, then release the submission or leave it in quarantine.

        Raises RetryLaterError if the service can't answer now.
        """
        provider = PROVIDERS[job.content["provider"]]
        try:
            reason = self._check(provider, job)
        except RetryLaterError as error:
            if self.clock() - job.since < provider.life:
                raise
            _log.error("%s did not verify a token in time: %s", provider.title, error)
            reason = f"{provider.title} did not verify the token in time"
        self.conclude(job, reason, self.clock())

    def _check(self, provider: Provider, job: ClaimedJob) -> str | None:
        """Return None if the token is valid, else the reason."""
        if self.secret is None:
            raise RetryLaterError("its secret isn't set here")
        data = {
            "secret": self.secret,
            "response": str(job.content.get("token")),
            # Turnstile's: after a crash, the repeated request gets the first response. Others
            # ignore it.
            "idempotency_key": str(uuid.uuid5(_NAMESPACE, job.submission["id"])),
        }
        try:
            status, content = http.post(self.verify_url or provider.verify_url, data=data)
        except http.NoResponseError as error:
            raise RetryLaterError(f"no answer ({error})") from None
        response = _read(content) if _is_about_the_token(status) else None
        if response is None:
            raise RetryLaterError(f"no answer that can be read (status {status})")
        given = response.get("error-codes")
        codes = [code for code in given if _is_code(code)] if isinstance(given, list) else []
        if faults := _NOT_ABOUT_THE_TOKEN.intersection(codes):
            raise RetryLaterError(f"it reports {', '.join(sorted(faults))}")
        if response["success"]:
            return None
        return f"{provider.title} rejects the token ({', '.join(codes) or 'no reason given'})"


def _is_about_the_token(status: int) -> bool:
    """False for a redirect, a rate limit and the service's own failures."""
    ok, bad_request, too_many, server_error = 200, 400, 429, 500
    return status == ok or (bad_request <= status < server_error and status != too_many)


def _read(content: bytes) -> dict[str, Any] | None:
    """Return None if the content is not a service's response."""
    try:
        response = json.loads(content)
    except (ValueError, RecursionError):
        return None
    is_response = isinstance(response, dict) and isinstance(response.get("success"), bool)
    return response if is_response else None


def _is_code(value: object) -> bool:
    """Whether it looks like a code: no other part of a response is repeated anywhere."""
    return (
        isinstance(value, str)
        and len(value) <= _MAX_CODE
        and value.isascii()
        and value.replace("-", "").isalnum()
    )
