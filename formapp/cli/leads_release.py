"""`formapp leads release`: out of quarantine, and on to Wix."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

import click
from werkzeug.datastructures import MultiDict

from formapp.cli.load import load
from formapp.cli.wiring import one_line_errors, open_database, read_settings
from formapp.config.agreement import DEFAULT_SITE
from formapp.db.database import Database
from formapp.forms.answers import read
from formapp.forms.form import Form
from formapp.leads.accept import Status
from formapp.leads.release import Caught, NotHeldError, Read, Reread, quarantined
from formapp.leads.release import release as let_out
from formapp.leads.report import UnknownSubmissionError
from formapp.leads.retry import ErasedError


@click.command("release")
@click.argument("idents", metavar="[ID]...", nargs=-1)
@click.option("--form", help="All of this form's.")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@click.option("--yes", is_flag=True, help="Don't ask whether you are sure.")
def release(idents: tuple[str, ...], *, form: str | None, everything: bool, yes: bool) -> None:
    """Let submissions out of quarantine: each is delivered at once.

    What the honeypot caught is let out by its ID alone; its answers are read by the form file of
    today. See `formapp leads list --state quarantined` and `--state spam`.
    """
    if bool(idents) == bool(form or everything):
        raise click.UsageError("give one or more IDs, or --form FORM, or --all")
    with one_line_errors():
        settings = read_settings()
        database = open_database(settings)
        chosen = idents or quarantined(database, form)
        if not idents and not yes and chosen:
            click.confirm(f"Release {len(chosen)} from quarantine?", abort=True)
        # A fault in a form file is no reason to hold back what was read when it came.
        forms = cache(lambda: load(settings))
        for submission_id in chosen:
            _release(database, submission_id, lambda caught: _reread(forms(), caught))


def _release(database: Database, submission_id: str, reread: Reread) -> None:
    try:
        status = let_out(database, submission_id, reread, datetime.now(UTC))
    except UnknownSubmissionError:
        raise click.ClickException(f"there is no submission {submission_id}") from None
    except NotHeldError:
        raise click.ClickException(f"{submission_id} is not in quarantine") from None
    except ErasedError:
        raise click.ClickException(f"{submission_id} was erased; nothing is left of it") from None
    waits = "waits for its sender's confirmation" if status is Status.UNCONFIRMED else "is due now"
    click.echo(f"{submission_id} {waits}")


def _reread(forms: Mapping[str, Form], caught: Caught) -> Read:
    """Read what the honeypot caught.

    Raises:
        ClickException: there is no such form any more, or an answer is invalid.
    """
    form = forms.get(caught["form"])
    if form is None:
        raise click.ClickException(f"there is no form {caught['form']} to read {caught['id']} by")
    sent = MultiDict((name, text) for name, texts in caught["answers"].items() for text in texts)
    visit = {key: caught["meta"].get(key) for key in ("page", "referrer")}
    bound = form.bind(sent, token=None, **visit)
    if not bound.validate():
        told = "; ".join(f"“{fault.label}” {fault.message}" for fault in bound.faults())
        raise click.ClickException(f"{caught['id']} can't be released: {told}")
    reading = read(form, bound, default_site=DEFAULT_SITE, **visit)
    at = caught["received_at"].isoformat()
    consents = [{**consent, "at": at} for consent in reading.consents]
    return Read(reading.lead, dict(reading.answers), consents)
