"""`formapp leads`: submissions and their deliveries, for the owner."""

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import chain, islice
from typing import Any, TextIO

import click

from formapp.cli.format_lead import entry_lines, erasure_lines, hits_lines
from formapp.cli.lead_table import Since, echo_leads
from formapp.cli.load import load
from formapp.cli.output import echo, echo_json, screen
from formapp.cli.sites import now_in_utc as _now
from formapp.cli.wiring import (
    digests_of,
    keyring_of,
    limit_of,
    number_of,
    opened_database,
    store_of,
)
from formapp.config.settings import PREFIX, Settings, SettingsError
from formapp.db.database import Database
from formapp.files.store import FileStoreError
from formapp.files.sweep import delete_at_once
from formapp.forms.definition.explain import suggestion
from formapp.forms.definition.parse import names_in
from formapp.leads import (
    audit,
    confirm,
    erase,
    expire,
    export,
    export_files,
    release,
    report,
    retry,
    search,
)
from formapp.leads.accept import Status
from formapp.leads.errors import LeadError, UnconfirmedError
from formapp.leads.identity_search import InvalidIdentityError, parse_identities
from formapp.leads.ids import find_submission
from formapp.leads.lead_filter import STATES, LeadFilter
from formapp.leads.places import list_sources
from formapp.leads.summary import LeadSummary
from formapp.mail.limit import MailLimitError
from formapp.printable import without_controls
from formapp.signing import Keyring

_BATCH = 500
_PROGRESS_EVERY = 10_000


@click.group("leads")
def command() -> None:
    """See, retry, release, export and erase submissions and their deliveries."""


_opened = partial(opened_database, LeadError, InvalidIdentityError, erase.ErasureListError)


def _check_form(settings: Settings, database: Database, form: str | None) -> None:
    """Refuse a form that has neither a file nor a submission."""
    known = names_in(settings.forms)
    if form is None or form in known:
        return
    known += [name for _, name in list_sources(database)]
    if form not in known:
        hint = suggestion(form, known) or f"there are {', '.join(sorted(set(known)))}"
        raise click.ClickException(f"there is no form {form}; {hint}")


def _find(database: Database, given: Sequence[str]) -> list[str]:
    """Return the ids that these, short or whole, mean; nothing is done if one is unknown."""
    return [find_submission(database, each) for each in given]


def _none(state: str | None, form: str | None) -> str:
    """Return that there is no such submission."""
    kind = f"{state} submission" if state else "submission"
    return f"There is no {kind} of the form {form}." if form else f"There is no {kind}."


def _none_like(wanted: LeadFilter) -> str:
    if _is_narrow(wanted):
        return "No submission matches."
    return _none(next(iter(wanted.states), None), next(iter(wanted.forms), None))


def _is_narrow(wanted: LeadFilter) -> bool:
    """Whether more is wanted than a form and a state."""
    return bool(wanted.search.strip() or wanted.since or wanted.sites)


def _filter_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--state", type=click.Choice(STATES), help="Only those in this state."),
        click.option("--site", help="Only this Wix site's."),
        click.option("--form", help="Only this form's."),
        click.option("--since", type=Since(), help="Received since, as 12h, 7d or 2026-11-30."),
        click.option("--search", default="", help="By name, e-mail, telephone number or short id."),
    ):
        function = option(function)
    return function


def _filter_of(chosen: Mapping[str, Any]) -> LeadFilter:
    form, state = chosen["form"], chosen["state"]
    return LeadFilter(
        forms=(form,) if form else (),
        sites=(chosen["site"],) if chosen["site"] else None,
        states=(state,) if state else (),
        since=chosen["since"],
        search=chosen["search"],
    )


@command.command("list")
@_filter_options
@click.option("--all", "everything", is_flag=True, help=f"All, not only the newest {search.PAGE}.")
@click.option("--json", "as_json", is_flag=True, help="All as one JSON array, oldest first.")
def list_leads(*, everything: bool, as_json: bool, **chosen: Any) -> None:
    """List the newest submissions; honeypot catches only with `--state spam`.

    Each has a short id, which the other commands take as well.
    """
    with _opened() as (settings, database):
        _check_form(settings, database, chosen["form"])
        wanted = _filter_of(chosen)
        if as_json:
            _echo_json(database, wanted)
            return
        leads = _iterate_leads(database, wanted)
        first = list(islice(leads, search.PAGE))
        if not first:
            echo(_none_like(wanted), err=True)
            return
        echo_leads(chain(first, leads) if everything else first, _now(), screen())
        if not everything and next(leads, None):
            echo(f"These are the newest {len(first)}; --all lists all.", err=True)


def _iterate_leads(database: Database, wanted: LeadFilter) -> Iterator[LeadSummary]:
    """Yield what a filter selects, newest first, a page at a time."""
    page = search.list_leads(database, wanted)
    yield from page.leads
    while page.after:
        page = search.list_leads(database, wanted, after=page.after, limit=_BATCH)
        yield from page.leads


def _echo_json(database: Database, wanted: LeadFilter) -> None:
    if _is_narrow(wanted):
        ids = list(search.iterate_ids(database, wanted))
        entries = report.list_chosen(database, ids[::-1])
    else:
        form, state = next(iter(wanted.forms), None), next(iter(wanted.states), None)
        entries = report.list_submissions(database, form=form, state=state)
    echo_json(list(entries))


@command.command("show")
@click.argument("submission_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show_lead(submission_id: str, *, as_json: bool) -> None:
    """Show one submission: answers, consents, and every attempt to deliver it."""
    with _opened() as (_, database):
        entry = report.show_submission(database, find_submission(database, submission_id))
    if as_json:
        echo_json(entry)
    else:
        echo("\n".join(entry_lines(entry)))


@command.command("retry")
@click.argument("submission_ids", metavar="[ID]...", nargs=-1)
@click.option("--failed", is_flag=True, help="All that failed.")
@click.option("--form", help="With --failed: only this form's.")
def retry_leads(submission_ids: tuple[str, ...], *, failed: bool, form: str | None) -> None:
    """Try again at once, by the form file as it is today."""
    if bool(submission_ids) == failed or (form and not failed):
        raise click.UsageError("give one or more IDs, or --failed (with --form if you like)")
    with _opened() as (settings, database):
        _check_form(settings, database, form)
        remap = retry.remap_by(load(settings), settings.default_site)
        chosen = (
            report.list_ids(database, "failed", form) if failed else _find(database, submission_ids)
        )
        if not chosen:
            echo(f"Nothing to retry. {_none('failed', form)}")
        for submission_id in chosen:
            try:
                retry.retry_submission(database, submission_id, remap, _now())
            except UnconfirmedError as error:
                hint = f"`formapp leads resend {submission_id}` sends the mail once more"
                raise click.ClickException(f"{error}; {hint}") from None
            echo(f"{submission_id} is due now")


@command.command("release")
@click.argument("submission_ids", metavar="[ID]...", nargs=-1)
@click.option("--form", help="All of this form's.")
@click.option("--all", "everything", is_flag=True, help="All there are.")
@click.option("--yes", is_flag=True, help="Don't ask whether you are sure.")
def release_leads(
    submission_ids: tuple[str, ...], *, form: str | None, everything: bool, yes: bool
) -> None:
    """Release submissions from quarantine: each is delivered at once.

    A honeypot catch is released by its ID only; its answers are read by today's form file. See
    `formapp leads list --state quarantined` and `--state spam`.
    """
    if bool(submission_ids) == bool(form or everything):
        raise click.UsageError("give one or more IDs, or --form FORM, or --all")
    with _opened() as (settings, database):
        _check_form(settings, database, form)
        chosen = _find(database, submission_ids) or report.list_ids(database, "quarantined", form)
        if not chosen:
            echo(f"Nothing to release. {_none('quarantined', form)}")
        if not submission_ids and not yes and chosen:
            click.confirm(f"Release {len(chosen)} from quarantine?", abort=True)
        # A fault in a form file doesn't hold back what was read when it came.
        reread = release.reread_by(cache(lambda: load(settings)), settings.default_site)
        for submission_id in chosen:
            status = release.release(database, submission_id, reread, _now())
            waits = status is Status.UNCONFIRMED
            state = "waits for its sender's confirmation" if waits else "is due now"
            echo(f"{submission_id} {state}")


@command.command("resend")
@click.argument("submission_id", metavar="ID")
def resend_lead(submission_id: str) -> None:
    """Send the mail that asks for a confirmation once more.

    Only the sender can confirm: there is no command for it.
    """
    with _opened() as (settings, database):
        if not settings.secret_key:
            raise click.ClickException(f"{PREFIX}SECRET_KEY is missing; it signs the link")
        limit = limit_of(settings, database)
        submission_id = find_submission(database, submission_id)
        try:
            confirm.resend_mail(database, submission_id, _now(), limit)
        except MailLimitError as error:
            raise click.ClickException(f"{error}; try again later") from None
    echo(f"the mail of {submission_id} is due now")


@command.command("export")
@_filter_options
@click.option(
    "--format",
    "format_",
    type=click.Choice(["csv", "jsonl", "zip"]),
    default="csv",
    show_default=True,
    help="CSV, a line of JSON for each submission, or a ZIP archive of the files they came with.",
)
@click.option(
    "--bom", is_flag=True, help="Begin the CSV of a form so that Excel reads its letters."
)
def export_leads(*, format_: str, bom: bool, **chosen: Any) -> None:
    """Write submissions with their answers to standard output.

    With `--form` the CSV has the labels of that form as its headings, and the newest first; without
    any option it has all submissions of all forms by the names of their fields, oldest first.
    """
    form = chosen["form"]
    if format_ == "csv" and not form and (bom or any(chosen.values())):
        raise click.UsageError("a filtered CSV is of one form: give --form, or --format jsonl")
    if format_ == "zip" and sys.stdout.isatty():
        raise click.UsageError("a ZIP archive is no text: redirect it, as in `> files.zip`")
    with _opened() as (settings, database):
        _check_form(settings, database, form)
        wanted = _filter_of(chosen)
        audit.record_export(database, audit.COMMAND_LINE, _now())
        if format_ == "zip":
            _write_zip(settings, database, wanted)
            return
        if form or format_ == "jsonl":
            if next(search.iterate_ids(database, wanted), None) is None:
                echo(_none_like(wanted), err=True)
            if format_ == "jsonl":
                sys.stdout.writelines(export.export_jsonl(database, wanted))
                return
            found = load(settings).get(form)
            definition = found.definition if found else None
            sys.stdout.writelines(export.export_csv(database, wanted, definition, bom=bom))
            return
        rows = (list(map(without_controls, row)) for row in export.csv_rows(database))
        header, first = next(rows), next(rows, None)
        writer = csv.writer(sys.stdout)
        writer.writerow(header)
        if first is None:
            echo(_none(None, None), err=True)
        else:
            writer.writerow(first)
            writer.writerows(rows)


def _write_zip(settings: Settings, database: Database, wanted: LeadFilter) -> None:
    if not export_files.has_files(database, wanted):
        echo("No submission like that has files: the archive is empty.", err=True)
    pieces = export_files.export_zip(database, store_of(settings, database), wanted)
    try:
        sys.stdout.buffer.writelines(pieces)
    except FileStoreError as error:
        problem = "the archive is incomplete: a file could not be read"
        raise click.ClickException(f"{problem} ({error})") from None


@command.command("expire")
@click.option("--dry-run", is_flag=True, help="Show how many, erase nothing.")
def expire_leads(*, dry_run: bool) -> None:
    """Erase the answers that have expired. Workers do so by themselves, every hour."""
    with _opened() as (settings, database):
        run = expire.count_expired if dry_run else expire.expire_all
        count = run(database, settings.keep_days, _now())
        if not dry_run:
            delete_at_once(database, store_of(settings, database), _now())
    done = "would be erased" if dry_run else "were erased"
    none = "Nothing to erase: no answers have expired."
    echo(f"The answers of {number_of(count, 'submission')} {done}." if count else none)


@command.command("erase")
@click.option("--email", help="The person's e-mail address, in any spelling.")
@click.option("--phone", help="The person's telephone number, with its country code.")
@click.option("--dry-run", is_flag=True, help="Show what would be erased, erase nothing.")
@click.option("--list", "list_hashes", is_flag=True, help="Print the hashes of erased persons.")
@click.option(
    "--again",
    type=click.File("r"),
    help="After a restore: erase again the persons in a file of --list (- is standard input).",
)
def erase_person(
    email: str | None, phone: str | None, *, dry_run: bool, list_hashes: bool, again: TextIO | None
) -> None:
    """Erase all that is kept of a person, at once and for good.

    In any state; a pending delivery is cancelled. The person's contacts at Wix are listed, not
    deleted.
    """
    if bool(email or phone) + list_hashes + bool(again) != 1 or (dry_run and not (email or phone)):
        raise click.UsageError("give --email, --phone or both; or --list; or --again FILE")
    with _opened() as (settings, database):
        if list_hashes:
            erased = erase.list_erasures(database)
            for each in erased:
                echo(str(each))
            if not erased:
                echo("No person has been erased.", err=True)
            return
        forms = load(settings).values() if phone else ()
        regions = {field.region for form in forms for field in form.definition.fields}
        identities = parse_identities(email, phone, regions)
        if dry_run:
            digests = digests_of(settings) if settings.keys else None
            echo("\n".join(hits_lines(*erase.find_person(database, identities, digests))))
            return
        more: Any = {"keyring": _keyring(settings), "now": _now(), "progress": _show_progress}
        if again:
            erasure = erase.erase_listed(database, again, **more)
        else:
            more["digests"] = digests_of(settings)
            erasure = erase.erase_person(database, identities, **more)
        delete_at_once(database, store_of(settings, database), _now())
    echo("\n".join(erasure_lines(erasure)))


def _keyring(settings: Settings) -> Keyring:
    keyring = keyring_of(settings)
    if keyring is None:
        raise SettingsError([f"{PREFIX}SECRET_KEY: is missing; it recognizes erased persons"])
    return keyring


def _show_progress(count: int) -> None:
    if count % _PROGRESS_EVERY == 0:
        echo(f"searched {count} submissions", err=True)
