"""`formapp leads expire` and `erase`: what visitors sent goes, by time or by request."""

import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TextIO

import click

from formapp.cli.load import load
from formapp.cli.wiring import one_line_errors, open_database, read_settings
from formapp.config.settings import Settings, SettingsError
from formapp.db.database import Database
from formapp.forms.fields.values import clean_token, parse_email
from formapp.forms.form import Form
from formapp.forms.phones import parse_phone
from formapp.keyring import Keyring
from formapp.leads.erase import (
    Erasure,
    Known,
    erase_again,
    erase_person,
    find_person,
    known_erasures,
    remember_erasures,
    scrub,
)
from formapp.leads.expire import due_submissions
from formapp.leads.expire import expire as expire_batch
from formapp.leads.identity_search import addresses, mentions
from formapp.leads.persons import Scan


@click.command("expire")
@click.option("--dry-run", is_flag=True, help="Tell how many, erase nothing.")
def expire(*, dry_run: bool) -> None:
    """Erase the answers whose time is over. Workers do so by themselves, every hour."""
    with one_line_errors():
        settings = read_settings()
        database = open_database(settings)
        now, count = datetime.now(UTC), 0
        if dry_run:
            with database.read() as connection:
                count = len(due_submissions(connection, settings.keep_days, now))
            click.echo(f"The answers of {_submissions(count)} would be erased.")
            return
        while erased := expire_batch(database, settings.keep_days, now):
            count += erased
        scrub(database)
    click.echo(f"The answers of {_submissions(count)} were erased.")


@click.command("erase")
@click.option("--email", help="The person's e-mail address, in any spelling.")
@click.option("--phone", help="The person's telephone number, with its country code.")
@click.option("--dry-run", is_flag=True, help="Tell what would be erased, erase nothing.")
@click.option("--list", "list_hashes", is_flag=True, help="Print the hashes of who was erased.")
@click.option(
    "--again",
    type=click.File("r"),
    help="Erase again whom a file of --list names (- is standard input), after a restore.",
)
def erase(
    email: str | None,
    phone: str | None,
    *,
    dry_run: bool,
    list_hashes: bool,
    again: TextIO | None,
) -> None:
    """Erase all that is kept of a person, at once and for good.

    Whatever state it is in; a pending delivery is cancelled. The person's contacts at Wix are
    named, not deleted.
    """
    if bool(email or phone) + list_hashes + bool(again) != 1 or (dry_run and not (email or phone)):
        raise click.UsageError("give --email, --phone or both; or --list; or --again FILE")
    with one_line_errors():
        settings = read_settings()
        database = open_database(settings)
        if list_hashes:
            _print_hashes(database)
        elif again:
            _tell(_again(database, _keyring(settings), again))
        else:
            who = set(_identities(email, phone, load(settings) if phone else {}))
            if dry_run:
                _tell_hits(database, who)
            else:
                _tell(_erase(database, who, _keyring(settings)))
        database.close()


def _identities(email: str | None, phone: str | None, forms: dict[str, Form]) -> Iterator[str]:
    if email:
        identity = parse_email(clean_token(email))
        if identity is None:
            raise click.ClickException("this is no e-mail address")
        yield identity
    if phone:
        regions = {field.region for form in forms.values() for field in form.definition.fields}
        numbers = {parse_phone(clean_token(phone), region) for region in regions | {None}}
        found = {number.e164 for number in numbers if number}
        if len(found) != 1:
            raise click.ClickException("write the number with its country code, such as +44…")
        yield from found


def keyring_of(settings: Settings) -> Keyring | None:
    """The keys by which those who were erased are known again; None without a secret key."""
    secrets = [key.get_secret_value() for key in settings.secret_key]
    return Keyring(secrets) if secrets else None


def _keyring(settings: Settings) -> Keyring:
    keyring = keyring_of(settings)
    if keyring is None:
        raise SettingsError(["FORMAPP_SECRET_KEY: is missing; who was erased is known by it"])
    return keyring


def _erase(database: Database, who: set[str], keyring: Keyring) -> Erasure:
    return erase_person(
        database,
        who,
        keyring=keyring,
        scan=_scan(who),
        now=datetime.now(UTC),
        progress=_progress,
    )


def _scan(who: set[str]) -> Scan:
    """Numbers take time to find: they are looked for only where one is asked for."""
    return addresses if all("@" in identity for identity in who) else mentions


def _progress(count: int) -> None:
    if count % 10_000 == 0:
        click.echo(f"looked through {count} submissions", err=True)


def _again(database: Database, keyring: Keyring, file: Iterable[str]) -> Erasure:
    known = [_parsed(line) for line in file if line.strip()]
    strangers = {each.key for each in known} - set(keyring.names)
    if strangers:
        raise click.ClickException(
            "some of them were erased under a secret key that FORMAPP_SECRET_KEY lacks: "
            "add it behind the others, parted by a comma"
        )
    with database.write() as connection:
        remember_erasures(connection, known)
        done = erase_again(connection, keyring, mentions, datetime.now(UTC), _progress)
    scrub(database)
    return done


def _parsed(line: str) -> Known:
    try:
        digest, key, erased_at = line.split()
        return Known(digest, key, datetime.fromisoformat(erased_at).astimezone(UTC))
    except ValueError:
        raise click.ClickException("the file is none that `leads erase --list` wrote") from None


def _print_hashes(database: Database) -> None:
    with database.read() as connection:
        for each in known_erasures(connection):
            sys.stdout.write(f"{each.hash} {each.key} {each.erased_at.isoformat()}\n")


def _tell_hits(database: Database, who: set[str]) -> None:
    hits = find_person(database, who, _scan(who))
    click.echo(f"{_submissions(len(hits.own))} would be erased.")
    for submission_id in hits.own:
        click.echo(f"  {submission_id}")
    for submission_id in hits.mention:
        click.echo(f"The mention in {submission_id} would be struck out.")


def _tell(done: Erasure) -> None:
    click.echo(f"{_submissions(len(done.own))} erased.")
    for row in done.own:
        was = "was pending: its delivery is cancelled" if row.state == "pending" else row.state
        click.echo(f"  {row.id}  {row.received_at.isoformat()[:19]}  {row.form}  {was}")
    for submission_id in done.struck_out:
        click.echo(f"Struck out in {submission_id}, which somebody else sent.")
    for site, contact_id in done.contacts:
        click.echo(f"Contact {contact_id} of the site {site} is still at Wix: delete it there.")
    if any(row.in_flight for row in done.own):
        click.echo("One was on its way to Wix at that moment: look there for a contact of theirs.")
    for submission_id in done.same_phone:
        click.echo(
            f"{submission_id} has the same telephone number: if it is theirs, erase by --phone."
        )


def _submissions(count: int) -> str:
    return f"{count} submission" + ("" if count == 1 else "s")
