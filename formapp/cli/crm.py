"""`formapp crm`: books of contacts that are kept equal with another system."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from formapp.cli.books import (
    OpenBook,
    UnknownBookError,
    books_of,
    find_book,
    load_folder,
    open_book,
)
from formapp.cli.output import echo, echo_json
from formapp.cli.progress import Progress
from formapp.cli.sites import now_in_utc
from formapp.cli.wiring import number_of, opened_database
from formapp.config.project import load_project
from formapp.config.settings import PREFIX, default_crm
from formapp.crm import initial, owner, sync
from formapp.crm.books import BookFilesError, SecretsError
from formapp.crm.holding import LEASE
from formapp.crm.model import Book, Conflict, Held, Plan, Side, Status, other
from formapp.crm.session import Session
from formapp.crm.system import CrmError
from formapp.db.database import Database
from formapp.monitoring.metrics import Metrics
from formapp.resources import BUNDLED_FORMS

_SIDES: click.Choice[Side] = click.Choice(["wix", "crm"])
_SHOWN = 40
Row = TypeVar("Row", Conflict, Held)
_json_object = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
_json_array = click.option("--json", "as_json", is_flag=True, help="One JSON array.")


@click.group("crm")
def command() -> None:
    """Copy new Wix contacts to another CRM, or keep both sides equal.

    Each book is a file that pairs a Wix site with another system.
    """


_opened = partial(opened_database, UnknownBookError, CrmError, SecretsError, create=True)


@contextmanager
def _session(name: str) -> Iterator[OpenBook]:
    """A book with both of its systems, in the foreground: it waits for the rate budget."""
    with _opened(wix=True) as (settings, database):
        book = find_book(settings, name)
        with closing(
            open_book(book, settings=settings, database=database, metrics=Metrics(), patient=True)
        ) as opened:
            yield opened


@contextmanager
def _book(name: str) -> Iterator[tuple[Book, Database]]:
    with _opened() as (settings, database):
        yield find_book(settings, name), database


def _print(result: object, text: str, *, as_json: bool) -> None:
    """Print what a command found, as JSON or in words."""
    if as_json:
        echo_json(result)
    else:
        echo(text)


def _print_rows(
    found: Sequence[Row], line_of: Callable[[Row], str], none: str, *, as_json: bool
) -> None:
    if found or as_json:
        _print(found, "\n".join(map(line_of, found)), as_json=as_json)
    else:
        echo(none, err=True)


def _status_of(database: Database, book: str) -> Status:
    return owner.status(database, book, now_in_utc())


# Book files


@command.command("check", epilog="Example: formapp crm check crm")
@click.argument("folder", metavar="[DIR]", required=False)
@_json_object
def check(folder: str | None, *, as_json: bool) -> None:
    """Check the book files of a folder and print every fault. Needs no secrets.

    Without DIR, it is the folder of FORMAPP_CRM, else `crm` beside the forms.
    """
    place = Path(folder) if folder else _folder(os.environ)
    project = load_project(os.environ)
    found: dict[str, Any] = {"folder": str(place), "books": [], "faults": []}
    try:
        books = load_folder(place, project.project)
    except BookFilesError as error:
        if as_json:
            _print(found | {"faults": [str(each) for each in error.faults]}, "", as_json=True)
        else:
            echo(str(error), err=True)
        echo(f"formapp: {number_of(len(error.faults), 'fault')} in {place}", err=True)
        sys.exit(1)
    text = f"{number_of(len(books), 'book')} in {place}: {', '.join(books)}. No faults."
    _print(found | {"books": list(books)}, text, as_json=as_json)


def _folder(environ: Mapping[str, str]) -> Path:
    if given := environ.get(f"{PREFIX}CRM", "").strip():
        return Path(given)
    found = default_crm(Path(environ.get(f"{PREFIX}FORMS", "").strip() or BUNDLED_FORMS))
    if found is None:
        reason = "there is no folder of book files: name one, or set FORMAPP_CRM"
        raise click.ClickException(reason)
    return found


# The first load


@command.command("plan", epilog="Example: formapp crm plan main --json")
@click.argument("book")
@_json_object
def plan(book: str, *, as_json: bool) -> None:
    """Read both sides and say what `start` would do. Writes to neither."""
    with _session(book) as opened:
        with Progress("read") as progress:
            found = initial.plan(opened.session, progress)
        _print(found, "\n".join(_plan_lines(found)), as_json=as_json)


def _plan_lines(found: Plan) -> Iterator[str]:
    yield f"{found.link} contacts are on both sides; {found.update} of these differ"
    if found.conflicts:
        yield f"{number_of(found.conflicts, 'field')} differ where both sides have a value"
    yield f"{found.create_in_crm} are to be created in the CRM, {found.create_in_wix} at Wix"
    if found.held:
        why = "more than one matches, or the twin that is named isn't there"
        yield f"held until a person decides: {number_of(found.held, 'record')} ({why})"
    minutes = round(found.seconds / 60)
    time_needed = number_of(minutes, "minute") if minutes else "less than a minute"
    yield f"about {found.wix_calls} calls to Wix, {time_needed}"


@command.command("start", epilog="Example: formapp crm start main --system-of-record wix")
@click.argument("book")
@click.option(
    "--system-of-record",
    "record",
    type=_SIDES,
    help="The side whose values stay where both have one.",
)
@click.option("--yes", is_flag=True, help="Don't ask whether you are sure.")
@_json_object
def start(book: str, record: Side | None, *, yes: bool, as_json: bool) -> None:
    """Do the first load, or go on with one that was interrupted.

    Needs a plan of the last day (`formapp crm plan`). Then the worker does the rest.
    """
    with _session(book) as opened:
        session = opened.session
        earlier = _status_of(session.database, book)
        if earlier.state == "running":
            text = f"{book} is running already; the worker looks after it"
            _print(earlier, text, as_json=as_json)
            return
        if earlier.state == "paused":
            _check_running(earlier)
        try:
            if session.book.mode == "two-way" and earlier.state != "loading":
                initial.check_plan(session)
                record = record or _ask_for_record()
                if not yes and sys.stdin.isatty():
                    click.confirm("This writes to both sides. Go on?", abort=True, err=True)
            _load(session, record or "wix")
        except initial.PlanNeededError as error:
            advice = f"look at what `formapp crm plan {book}` says"
            raise click.ClickException(f"{error}: {advice}") from None
        except initial.BusyError as error:
            raise click.ClickException(f"{error}; try again later") from None
        found = _status_of(session.database, book)
    if found.state == "paused":
        raise click.ClickException(f"{book} is paused: {found.reason}")
    text = f"{book} is running: {found.linked} linked, {found.held} held; the worker goes on"
    _print(found, text, as_json=as_json)


def _load(session: Session, record: Side) -> None:
    """Load, once an earlier process holds the book no more that may have been killed."""
    until = time.monotonic() + 2 * LEASE.total_seconds()
    while True:
        try:
            with Progress("loaded") as progress:
                initial.load(session, record, progress)
                return
        except initial.BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _ask_for_record() -> Side:
    if not sys.stdin.isatty():
        reason = "which side's values stay where both have one? Give --system-of-record wix or crm"
        raise click.ClickException(reason)
    prompt = "Whose values stay where both sides have one"
    return click.prompt(prompt, type=_SIDES, default="wix", err=True)


@command.command("sync", epilog="Example: formapp crm sync main --once")
@click.argument("book")
@click.option("--once", is_flag=True, help="Do all that is due now, then end.")
@_json_object
def sync_book(book: str, *, once: bool, as_json: bool) -> None:
    """Look at both sides now and do all that is due; the worker does so by itself."""
    if not once:
        raise click.UsageError("give --once: `formapp worker` does the rest by itself")
    with _session(book) as opened:
        session = opened.session
        _check_running(_status_of(session.database, book))
        failures = sync.sync_once(session)
        found = _status_of(session.database, book)
    if found.state == "paused":
        raise click.ClickException(f"{book} is paused: {found.reason}")
    if failures:
        if found.reason:  # a whole side failed: the links wait for it
            raise click.ClickException(f"{book} waits: {found.reason}")
        raise click.ClickException(f"{number_of(failures, 'link')} failed; `worker` tries again")
    text = f"{book}: {found.linked} linked, {found.held} held, {found.conflicts} conflicts"
    _print(found, text, as_json=as_json)


def _check_running(found: Status) -> None:
    match found.state:
        case "new":
            reason = f"was never started: `formapp crm start {found.book}` does that"
        case "loading":
            reason = f"is not loaded yet: `formapp crm start {found.book}` goes on with it"
        case "paused":
            reason = f"is paused ({found.reason}): `formapp crm resume {found.book}` ends that"
        case _:
            return
    raise click.ClickException(f"{found.book} {reason}")


# Looking and deciding


@command.command("status", epilog="Example: formapp crm status --json")
@_json_array
def status(*, as_json: bool) -> None:
    """Show each book: what is linked, held and due, and since when."""
    with _opened() as (settings, database):
        found = [_status_of(database, name) for name in books_of(settings)]
    text = "\n".join(map(_status_line, found))
    _print(found, text, as_json=as_json)


def _status_line(found: Status) -> str:
    parts = [f"{found.book}: {found.state}"]
    if found.reason:
        parts[0] += f" ({found.reason})"
    if found.state == "loading":
        parts.append(f"{found.done} of {found.total} loaded")
    parts.append(f"{found.linked} linked, {found.held} held, {found.due} due")
    parts.append(f"{found.conflicts} conflicts")
    if found.due:
        parts.append(f"the oldest waits for {round(found.lag_seconds)} s")
    if found.last_pass_at:
        parts.append(f"last pass {found.last_pass_at:%Y-%m-%d %H:%M:%S} UTC")
    return "; ".join(parts)


@command.command("conflicts", epilog="Example: formapp crm conflicts main")
@click.argument("book")
@_json_array
def conflicts(book: str, *, as_json: bool) -> None:
    """Show fields that both sides changed: which value stayed, and which was lost."""
    with _book(book) as (_, database):
        found = owner.conflicts(database, book)
    _print_rows(found, _conflict_line, f"{book} has no conflicts.", as_json=as_json)


def _conflict_line(found: Conflict) -> str:
    begin = f"{found.id}  {found.at:%Y-%m-%d %H:%M}  {found.contact_id or '-'}  {found.field}: "
    if found.resolved and found.lost_value is None and found.kept_value is None:
        return f"{begin}resolved; its values are erased"
    kept = other(found.lost_side)
    state = "kept" if found.resolved else "waits for you; at"
    values = f"{kept} {_short(found.kept_value)}, {found.lost_side} {_short(found.lost_value)}"
    return f"{begin}{state} {values}"


def _short(value: str | Sequence[str] | None) -> str:
    text = "" if value is None else value if isinstance(value, str) else ", ".join(value)
    line = " ".join(text.split())
    return f'"{line[:_SHOWN]}{"…" if len(line) > _SHOWN else ""}"'


@command.command("held", epilog="Example: formapp crm held main")
@click.argument("book")
@_json_array
def held(book: str, *, as_json: bool) -> None:
    """Show the records that are left alone until a person has set them right, and why."""
    with _book(book) as (_, database):
        found = owner.held(database, book)
    _print_rows(found, _held_line, f"{book} holds no record.", as_json=as_json)


def _held_line(found: Held) -> str:
    return f"contact {found.contact_id or '-'}, record {found.crm_id or '-'}: {found.reason}"


@command.command("resolve", epilog="Example: formapp crm resolve 7 --keep crm")
@click.argument("conflict", metavar="ID")
@click.option("--keep", type=_SIDES, required=True, help="The side whose value stays.")
@_json_object
def resolve(conflict: str, keep: Side, *, as_json: bool) -> None:
    """Have one side's value of a conflict written to both; `formapp crm conflicts` lists them."""
    with _opened() as (_, database):
        known = conflict.isascii() and conflict.isdecimal() and len(conflict) < len(str(2**63))
        if not known or not owner.resolve(database, int(conflict), keep, now_in_utc()):
            raise click.ClickException(f"there is no conflict {conflict}")
    text = f"conflict {conflict}: the value of {keep} is written at the link's next pass"
    _print({"id": int(conflict), "keep": keep}, text, as_json=as_json)


@command.command("pause", epilog="Example: formapp crm pause main")
@click.argument("book")
@_json_object
def pause(book: str, *, as_json: bool) -> None:
    """Stop working for a book until `resume`."""
    with _book(book) as (_, database):
        owner.pause(database, book, "by the owner")
        text = f"{book} is paused until `formapp crm resume {book}`"
        _print(_status_of(database, book), text, as_json=as_json)


@command.command("resume", epilog="Example: formapp crm resume main --allow-deletes 12")
@click.argument("book")
@click.option(
    "--allow-deletes",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Let so many deletions pass that the brake has stopped.",
)
@_json_object
def resume(book: str, allow_deletes: int, *, as_json: bool) -> None:
    """Go on with a paused book."""
    with _book(book) as (_, database):
        resumed = owner.resume(database, book, now_in_utc(), allow_deletes=allow_deletes)
        text = f"{book} goes on" if resumed else f"{book} was not paused"
        _print(_status_of(database, book), text, as_json=as_json)


@command.command("unlink", epilog="Example: formapp crm unlink main CONTACT_ID")
@click.argument("book")
@click.argument("contact_id")
@_json_object
def unlink(book: str, contact_id: str, *, as_json: bool) -> None:
    """Forget the link of a Wix contact: both records stay, and neither is matched again."""
    with _book(book) as (_, database):
        if not owner.unlink(database, book, contact_id):
            raise click.ClickException(f"{book} has no link of a contact {contact_id}")
    text = f"the contact {contact_id} is linked no more"
    _print({"book": book, "contact_id": contact_id}, text, as_json=as_json)
