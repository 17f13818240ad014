"""`formapp leads`: submissions and their deliveries, for the owner."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import click

from formapp.cli.format_lead import tell, tell_briefly
from formapp.cli.leads_erase import erase, expire
from formapp.cli.leads_release import release
from formapp.cli.leads_resend import resend
from formapp.cli.load import load
from formapp.cli.wiring import one_line_errors, open_database, read_settings
from formapp.config.agreement import DEFAULT_SITE
from formapp.forms.mapping import to_lead
from formapp.lead import Lead
from formapp.leads.report import (
    UnknownSubmissionError,
    export_rows,
    list_submissions,
    show_submission,
)
from formapp.leads.retry import (
    AlreadyDeliveredError,
    ErasedError,
    UnconfirmedError,
    failed_submissions,
    retry_submission,
)

_STATES = ["pending", "delivered", "failed", "quarantined", "unconfirmed", "spam"]
_COLUMNS = ["id", "form", "state", "outcome", "contact_id", "received_at", "attempts"]
_META = ["page", "referrer"]
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


@click.group("leads")
def command() -> None:
    """See, retry, release, export and erase submissions and their deliveries."""


command.add_command(expire)
command.add_command(erase)
command.add_command(release)
command.add_command(resend)


@command.command("list")
@click.option("--form", help="Only this form's.")
@click.option("--state", type=click.Choice(_STATES), help="Only those in this state.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def list_leads(form: str | None, state: str | None, *, as_json: bool) -> None:
    """List the submissions, oldest first; honeypot catches only with `--state spam`."""
    with one_line_errors():
        database = open_database(read_settings())
        entries = list_submissions(database, form=form, state=state)
        if as_json:
            click.echo(json.dumps(list(entries), indent=2, ensure_ascii=False))
            return
        for entry in entries:
            click.echo(tell_briefly(entry))


@command.command("show")
@click.argument("submission_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(submission_id: str, *, as_json: bool) -> None:
    """Show one submission: answers, consents, and every attempt to deliver it."""
    with one_line_errors():
        try:
            entry = show_submission(open_database(read_settings()), submission_id)
        except UnknownSubmissionError:
            raise click.ClickException(f"there is no submission {submission_id}") from None
    click.echo(json.dumps(entry, indent=2, ensure_ascii=False) if as_json else tell(entry))


@command.command("retry")
@click.argument("idents", metavar="[ID]...", nargs=-1)
@click.option("--failed", is_flag=True, help="All that failed.")
@click.option("--form", help="With --failed: only this form's.")
def retry(idents: tuple[str, ...], *, failed: bool, form: str | None) -> None:
    """Try again at once, by the form file as it is today."""
    if bool(idents) == failed or (form and not failed):
        raise click.UsageError("give one or more IDs, or --failed (with --form if you like)")
    with one_line_errors():
        settings = read_settings()
        database = open_database(settings)
        forms = load(settings)

        def remap(name: str, answers: Mapping[str, Any]) -> Lead | None:
            kept = forms.get(name)
            return to_lead(kept.definition, name, answers, DEFAULT_SITE) if kept else None

        chosen = failed_submissions(database, form) if failed else idents
        for submission_id in chosen:
            try:
                retry_submission(database, submission_id, remap, datetime.now(UTC))
            except UnknownSubmissionError:
                raise click.ClickException(f"there is no submission {submission_id}") from None
            except UnconfirmedError:
                only = "only its sender can let it through"
                hint = f"`formapp leads resend {submission_id}` sends the mail once more"
                raise click.ClickException(
                    f"{submission_id} is unconfirmed: {only}; {hint}"
                ) from None
            except AlreadyDeliveredError:
                raise click.ClickException(f"{submission_id} has nothing to retry") from None
            except ErasedError:
                raise click.ClickException(
                    f"{submission_id} was erased; nothing is left of it"
                ) from None
            click.echo(f"{submission_id} is due now")


@command.command("export")
def export() -> None:
    """Write all submissions with their answers to standard output, as CSV."""
    with one_line_errors():
        database = open_database(read_settings())
        fields = _answer_columns(export_rows(database))
        writer = csv.writer(sys.stdout)
        writer.writerow([*_COLUMNS, *_META, *fields])
        for row in export_rows(database):
            cells = [row[name] for name in (*_COLUMNS, *_META)]
            writer.writerow(
                [_disarmed(cell) for cell in (*cells, *map(row["answers"].get, fields))]
            )


def _answer_columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every field's name, in the order in which it first came."""
    return list(dict.fromkeys(name for row in rows for name in row["answers"]))


def _disarmed(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, list):
        value = ", ".join(str(each) for each in value)
    text = "" if value is None else str(value)
    if isinstance(value, str) and text.startswith(_DANGEROUS):
        return "'" + text
    return text
