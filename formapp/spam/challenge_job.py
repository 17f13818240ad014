"""Asking a service whether a visitor has passed its challenge: the errand of kind `challenge`.

The submission is in quarantine until the service says yes. Only the token goes to it, with the
site's secret: no answer and no address of the visitor. What the service can't be asked in time, or
says no to, stays in quarantine with the reason, and its owner decides.
"""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from formapp import http as bounded
from formapp.confirmation.store import let_through
from formapp.db.database import Database
from formapp.db.tables import submissions
from formapp.jobs.queue import Claimed, end_errand
from formapp.jobs.runner import NotYetError
from formapp.leads.accept import Status
from formapp.leads.anonymize import lock
from formapp.spam.providers import PROVIDERS, Provider, awaited

_OURS = {
    "missing-input-secret",
    "invalid-input-secret",
    "sitekey-secret-mismatch",
    "bad-request",
    "internal-error",
}
"""What the services say where the fault is with the site's secret, the request or themselves."""

_log = logging.getLogger(__name__)
_NAMESPACE = uuid.UUID("6f0b7c3e-5a0e-4c55-9a53-7d0c6b0f2f5e")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a service said: passed, or which codes speak against it."""

    passed: bool
    codes: tuple[str, ...] = ()


class ChallengeChecks:
    """Runs the errands.

    Args:
        database: where submission and errand are.
        secret: what the service knows the site by. Never shown. None: it can't be asked, and what
            is too old for that is ended.
        verify_url: where to ask; None: where the provider says.
        clock: the time, aware.
    """

    def __init__(
        self,
        database: Database,
        secret: str | None,
        verify_url: str | None,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._secret = secret
        self._verify_url = verify_url
        self._clock = clock

    def run(self, errand: Claimed) -> None:
        """Ask, then let the submission through or leave it where it is.

        Raises:
            NotYetError: the service can't be asked now.
            DatabaseUnavailableError: nothing was changed.
        """
        name = str(errand.content.get("provider"))
        provider = PROVIDERS[name]
        try:
            verdict = self._ask(provider, errand)
        except NotYetError as reason:
            if self._clock() - errand.since < provider.life:
                raise
            _log.error("%s could not be asked in time: %s", provider.title, reason)
            self._end(errand, name, f"{provider.title} could not be asked in time")
            return
        told = f"{provider.title} says no ({', '.join(verdict.codes) or 'no reason given'})"
        self._end(errand, name, None if verdict.passed else told)

    def _ask(self, provider: Provider, errand: Claimed) -> Verdict:
        if self._secret is None:
            raise NotYetError("its secret isn't set here")
        sent = {"secret": self._secret, "response": str(errand.content.get("token"))}
        # Turnstile's: the same question, after a crash, has the same answer. Others ignore it.
        sent["idempotency_key"] = str(uuid.uuid5(_NAMESPACE, errand.submission["id"]))
        url = self._verify_url or provider.verify_url
        try:
            status, content = bounded.post(url, sent)
        except bounded.NoAnswerError as error:
            raise NotYetError(f"no answer ({error})") from None
        verdict = _verdict(_read(content)) if _is_an_answer(status) else None
        if verdict is None:
            raise NotYetError(f"no answer that can be read (status {status})")
        if ours := _OURS.intersection(verdict.codes):
            raise NotYetError(f"it refuses to say: {', '.join(sorted(ours))}")
        return verdict

    def _end(self, errand: Claimed, name: str, reason: str | None) -> None:
        """Strike the errand out and write down what came of it, in one transaction."""
        submission_id = errand.submission["id"]
        with self._database.write() as connection:
            # The submission before its errand, as whoever erases takes them.
            lock(connection, [submission_id])
            if not end_errand(connection, errand):
                return  # another worker has taken it over
            if not _note(connection, submission_id, awaited(name), reason):
                return
            if reason is None:
                let_through(connection, submission_id, {Status.QUARANTINED}, self._clock())


def _note(connection: Connection, submission_id: str, awaited_: str, reason: str | None) -> bool:
    """Replace the reason; False if the submission isn't in quarantine any more, or was erased."""
    held = (
        (submissions.c.id == submission_id)
        & (submissions.c.status == Status.QUARANTINED)
        & submissions.c.erased_at.is_(None)
    )
    query = select(submissions.c.meta).where(held).with_for_update(key_share=True)
    meta = connection.execute(query).scalar()
    if meta is None:
        return False
    others = [each for each in meta.get("suspect", ()) if each != awaited_]
    suspect = [*others, reason] if reason else others
    changed = {**meta, "suspect": suspect}
    connection.execute(update(submissions).where(held).values(meta=changed))
    return True


def _is_an_answer(status: int) -> bool:
    """Whether it says anything about the token: neither trouble, nor a limit, nor elsewhere."""
    ok, wrong, trouble, limit = 200, 400, 500, 429
    return status == ok or (wrong <= status < trouble and status != limit)


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _verdict(content: Any) -> Verdict | None:
    """None if this is no answer of a service's."""
    if not isinstance(content, Mapping) or not isinstance(content.get("success"), bool):
        return None
    codes = content.get("error-codes")
    known = codes if isinstance(codes, list) else []
    return Verdict(content["success"], tuple(_code(each) for each in known if _code(each)))


def _code(given: object) -> str:
    """A code as the services write them; nothing else of an answer is repeated."""
    text = given if isinstance(given, str) else ""
    return text if len(text) <= 50 and text.replace("-", "").isalnum() and text.isascii() else ""  # noqa: PLR2004 - longer than any
