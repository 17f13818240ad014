"""The web side's way in: submissions of several requests at once are kept by one commit.

A commit that outlives a power cut waits for the disk, and on PostgreSQL for several answers of the
server. Each request still waits for the commit that holds its own submission.
"""

from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from formapp.db.database import ContentRefusedError, Database, DatabaseUnavailableError
from formapp.db.group import Group
from formapp.leads.accept import KeyReusedError, Receipt, Submission, keep, keep_together


class GroupCommit:
    """Keeps submissions in one database; threads share it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._group = Group(self._keep_all)

    def keep(self, submission: Submission) -> Receipt:
        """Keep a submission; returns after the commit.

        Raises:
            KeyReusedError: the key came before with other answers.
            DatabaseUnavailableError: nothing was kept; the visitor must hear so.
        """
        # Rations lock their rows until the commit: those of several forms, taken in another order
        # by another process, could lock each other out.
        if submission.usage_limits:
            return keep(self._database, submission)
        return self._group.do(submission)

    def _keep_all(self, submissions: Sequence[Submission]) -> Sequence[Receipt | Exception]:
        if len(submissions) > 1:
            # One of them, by its key or its content, must not cost the others their place.
            with suppress(IntegrityError, ContentRefusedError):
                return keep_together(self._database, submissions)
        return [self._keep_one(submission) for submission in submissions]

    def _keep_one(self, submission: Submission) -> Receipt | Exception:
        try:
            return keep(self._database, submission)
        except (KeyReusedError, DatabaseUnavailableError) as error:
            return error
