"""Chats by Apprise (https://appriseit.com): Slack, Teams, Telegram, Discord and a hundred others.

Apprise has no deadline for a message as a whole: it runs in a thread of its own, which is given up
after 15 seconds. It is an extra, `formapp[chat]`.
"""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from formapp.db.database import Database
from formapp.db.notify import notify
from formapp.files.links import FileAddresses
from formapp.forms.definition.model import FormDefinition
from formapp.http import DEADLINE
from formapp.jobs.queue import ClaimedJob, Handler, Job, RetryLaterError, add_job, finish_job
from formapp.languages import load_texts
from formapp.notifications.attached import page_of_files
from formapp.notifications.channel import NotSentError, RefusedError
from formapp.notifications.content import describe, safe_line, subject_of
from formapp.notifications.store import AcceptedLead

try:
    import apprise

    _apprise: Any = apprise
except ImportError:  # without the extra
    _apprise = None

LONGEST_ANSWER = 300
LONGEST_TEXT = 1800
"""Characters of a message; Discord takes 2,000."""

MOST_HANGING = 4
"""Threads that were given up and still wait for an answer; beyond, no further ones are started."""

# What calls people or channels in Slack, Discord and Teams.
_CALLS = re.compile(r"@(?=everyone|here|channel|all)|<(?=[!@#])", re.IGNORECASE)

# It logs addresses, which hold secrets, and messages, which hold answers.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)


def is_address(url: str) -> bool:
    return _apprise is not None and _apprise.Apprise.instantiate(url) is not None


@dataclass(frozen=True, repr=False)
class ChatChannel:
    """Sends leads to chats.

    Attributes:
        urls: Apprise's addresses by name; they hold secrets.
        inbox: returns the prefix of a lead's page; None: messages have no such link.
    """

    urls: Mapping[str, str]
    inbox: Callable[[], str | None] = lambda: None
    seconds: float = DEADLINE
    files: FileAddresses | None = None
    _hanging: list[threading.Thread] = field(default_factory=list)

    def send(self, lead: AcceptedLead, definition: FormDefinition, to: str | None) -> None:
        url = self.urls.get(to or "")
        if url is None:
            raise RefusedError(f"FORMAPP_NOTIFY_CHAT has no {to}")
        if _apprise is None:
            raise NotSentError("the extra formapp[chat] isn't installed", unreachable=True)
        target = _apprise.Apprise()
        if not target.add(url):
            raise NotSentError("Apprise can't read its address", unreachable=True)
        title, body = chat_text(lead, definition, self.inbox(), self.files)
        if not self._notify(target, title, body):
            raise NotSentError("it refused the message, or didn't answer", unreachable=True)

    def _notify(self, target: Any, title: str, body: str) -> bool:
        """Return whether the chat has taken it; raises NotSentError after the deadline."""
        self._hanging[:] = [each for each in self._hanging if each.is_alive()]
        if len(self._hanging) >= MOST_HANGING:
            raise NotSentError("earlier messages still wait for an answer", unreachable=True)
        results: list[bool] = []

        def run() -> None:
            # Its exceptions may quote the address: one without a result is enough to know.
            try:
                sent = target.notify(body=body, title=title, body_format="text")
                results.append(bool(sent))
            except Exception:  # noqa: BLE001 - a plugin of Apprise's
                results.append(False)

        thread = threading.Thread(target=run, name="chat", daemon=True)
        thread.start()
        thread.join(self.seconds)
        if thread.is_alive():
            self._hanging.append(thread)
            raise NotSentError(f"no answer in {self.seconds:g} seconds", unreachable=True)
        return results == [True]


def chat_text(
    lead: AcceptedLead,
    definition: FormDefinition,
    inbox: str | None,
    addresses: FileAddresses | None = None,
) -> tuple[str, str]:
    """Return title and text of a message, in which nothing calls anyone."""
    shown, texts = describe(lead, definition, LONGEST_ANSWER), load_texts(definition.language)
    lines = [f"{label}: {answer}" for label, answer in shown.answers]
    if shown.missing:
        lines.append(f"{texts.gettext('Left empty')}: {', '.join(shown.missing)}")
    text = "\n".join(lines)
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 1]}…"
    files = page_of_files(lead, definition, addresses)
    link = f"\n{texts.gettext('Files')} ({len(lead.files)}): {files}" if files else ""
    link += f"\n{inbox}{lead.id}" if inbox else ""
    return _calm(safe_line(subject_of(lead, definition))), _calm(text) + link


def _calm(text: str) -> str:
    """Put an invisible character behind what would call people."""
    return _CALLS.sub(lambda match: f"{match[0]}\u200b", text)


@dataclass(frozen=True, repr=False)
class ChatJobs:
    """Runs the jobs of chats; one that is for all names becomes a job for each."""

    database: Database
    names: tuple[str, ...]
    one: Handler

    def __call__(self, job: ClaimedJob) -> None:
        if "to" not in job.content or job.content["to"] is not None:
            self.one(job)
            return
        if not self.names:
            raise RetryLaterError("FORMAPP_NOTIFY_CHAT is missing")
        with self.database.write() as connection:
            if finish_job(connection, job):
                for name in self.names:
                    submission_id = job.submission.get("id")
                    add_job(connection, Job(job.kind, {"to": name}), job.since, submission_id)
                notify(connection)
