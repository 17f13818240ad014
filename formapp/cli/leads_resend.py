"""`formapp leads resend`: the mail of a confirmation once more."""

from datetime import UTC, datetime

import click

from formapp.cli.mailing import limit_of
from formapp.cli.wiring import one_line_errors, open_database, read_settings
from formapp.config.settings import PREFIX, Settings
from formapp.db.database import Database
from formapp.leads.accept import Status
from formapp.leads.confirm import (
    Confirmation,
    NothingToConfirmError,
    find_confirmation,
    resend_mail,
)
from formapp.leads.report import UnknownSubmissionError


@click.command("resend")
@click.argument("submission_id", metavar="ID")
def resend(submission_id: str) -> None:
    """Send the mail that asks for a confirmation once more.

    Only the sender can confirm: there is no command for it.
    """
    with one_line_errors():
        settings = read_settings()
        database = open_database(settings)
        try:
            waiting = find_confirmation(database, submission_id)
            if waiting and waiting.status is Status.UNCONFIRMED:
                _check_limit(settings, database, waiting)
            resend_mail(database, submission_id, datetime.now(UTC))
        except UnknownSubmissionError:
            raise click.ClickException(f"there is no submission {submission_id}") from None
        except NothingToConfirmError:
            raise click.ClickException(f"{submission_id} doesn't wait for a confirmation") from None
    click.echo(f"the mail of {submission_id} is due now")


def _check_limit(settings: Settings, database: Database, waiting: Confirmation) -> None:
    """Say at once what the worker would say later.

    Raises:
        ClickException: no mail would go.
    """
    if not settings.secret_key:
        raise click.ClickException(f"{PREFIX}SECRET_KEY is missing; it signs the link")
    limit, now = limit_of(settings, database), datetime.now(UTC)
    if waiting.email and (reason := limit.refusal(waiting.form, waiting.email, now)):
        raise click.ClickException(f"{reason}; try again later")
