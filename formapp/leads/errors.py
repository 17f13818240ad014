"""Why an action on a submission is refused. The texts name its id and hold no answer."""

from collections.abc import Sequence


class LeadError(Exception):
    """The action was refused and changed nothing; the text says why."""

    text = "{}"

    def __init__(self, submission_id: str) -> None:
        super().__init__(self.text.format(submission_id))


class UnknownSubmissionError(LeadError):
    text = "there is no submission {}"


class AmbiguousIdError(LeadError):
    def __init__(self, given: str, found: Sequence[str]) -> None:
        super().__init__(f"several submissions end with {given}: {', '.join(found)}")


class ErasedError(LeadError):
    text = "{} was erased; nothing is left of it"


class UnconfirmedError(LeadError):
    text = "{} is unconfirmed: only its sender can confirm it"


class AlreadyDeliveredError(LeadError):
    text = "{} has nothing to retry"


class NotFailedError(LeadError):
    text = "{} has no failed delivery"


class NotHeldError(LeadError):
    text = "{} is not in quarantine"


class NotAcceptedError(LeadError):
    text = "{} isn't accepted yet: its notifications wait until it is"


class NothingToConfirmError(LeadError):
    text = "{} doesn't wait for a confirmation"


class UnreadableError(LeadError):
    """A honeypot catch is invalid under today's form file, or the form is gone."""

    def __init__(self, submission_id: str, reason: str) -> None:
        super().__init__(f"{submission_id} can't be released: {reason}")
