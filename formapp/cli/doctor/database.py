"""The database: reachable, writable, of the right schema; and what in it needs attention."""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from formapp.cli.disks import ADVICE, vanishing_database
from formapp.cli.doctor.findings import Finding, fault, hint, ok
from formapp.cli.wiring import keyring_of, number_of
from formapp.config.settings import Settings
from formapp.db.database import Database, DatabaseUnavailableError
from formapp.db.revision import current_revision, is_empty
from formapp.db.state_counts import count_by_form, count_by_site
from formapp.db.tables import REVISION, metadata
from formapp.forms.definition.model import FormDefinition
from formapp.leads.erase import count_lost_erasures
from formapp.leads.report import count_unknown, count_unmailed
from formapp.monitoring.alerts import place_of
from formapp.monitoring.incidents import find_incidents
from formapp.monitoring.refused_origins import find_refused

_REFUSED_DAYS = timedelta(days=7)
_MOST_REFUSED = 30
_PLAIN_NAME = re.compile(r"[\w\[\]. -]{1,60}")
_MOST_NAMES = 10
_LITTLE_SPACE = 200 * 1024 * 1024
_NONE = "there is no database of formapp at"
_NONE_ADVICE = (
    "correct FORMAPP_DATABASE_URL, or have one made there: by `formapp serve`, `formapp worker` or "
    "`formapp db upgrade`"
)


def check_database(
    settings: Settings, forms: Mapping[str, FormDefinition], now: datetime
) -> Iterator[Finding]:
    """Check the database without creating anything, not even a file."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        found = list(_check_file(Path(url.database or "")))
        yield from found
        if reason := vanishing_database(settings.database_url):
            yield hint("disk", reason, ADVICE)
        if any(each.level == "fault" or each.message.startswith(_NONE) for each in found):
            return
    with closing(Database(settings.database_url)) as database:
        try:
            yield from _check_schema(database, settings, forms, now)
        except DatabaseUnavailableError as error:
            advice = "start it, or correct FORMAPP_DATABASE_URL; forms answer 503 meanwhile"
            yield fault("database", f"it {error}", advice)


def _check_file(path: Path) -> Iterator[Finding]:
    folder = path.absolute().parent
    is_empty_file = not path.exists() or not path.stat().st_size
    if not os.access(folder, os.W_OK) or not (is_empty_file or os.access(path, os.W_OK)):
        advice = "let the user that formapp runs as write the file and its folder"
        yield fault("database", f"{path} can't be written", advice)
        return
    if is_empty_file:
        yield hint("database", f"{_NONE} {path.absolute()}", _NONE_ADVICE)
        return
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_SPACE:
        message = f"only {free // 2**20} MiB are left where {path} is"
        yield fault("database", message, "make room: on a full disk forms answer 503")
    yield from _check_tables(path)


def _check_tables(path: Path) -> Iterator[Finding]:
    """Read by a read-only connection: our own would set the file's journal mode."""
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as found:
            if not found.execute(query).fetchone()[0]:
                yield hint("database", f"{_NONE} {path.absolute()}", _NONE_ADVICE)
    except sqlite3.Error as error:
        advice = "restore it from a back-up, or name another file"
        yield fault("database", f"{path} can't be read as SQLite: {error}", advice)


def _check_schema(
    database: Database, settings: Settings, forms: Mapping[str, FormDefinition], now: datetime
) -> Iterator[Finding]:
    if is_empty(database):
        yield hint("database", f"{_NONE} {database.place}", _NONE_ADVICE)
        return
    with database.read() as connection:
        revision = current_revision(connection) or "none"
    if revision != REVISION:
        newer = revision > REVISION
        advice = "update formapp" if newer else "stop formapp, make a back-up, `formapp db upgrade`"
        yield fault("database", f"its schema is {revision}, formapp's is {REVISION}", advice)
        return
    with database.write() as connection:
        refused = None if database.is_sqlite else _refused(connection)
    if refused:
        yield fault("database", refused, "grant the role of FORMAPP_DATABASE_URL what it lacks")
        return
    yield ok("database", f"{database.place}: reachable, writable, schema {revision}")
    yield from _check_incidents(database, settings, now)
    yield from _check_sites(database, settings)
    yield from _check_waiting(database)
    yield from _check_unknown(database)
    yield from _check_refused(database, forms, now)
    if lost := count_lost_erasures(database, keyring_of(settings)):
        message = f"erasures under a secret key that is gone: {lost}"
        advice = "keep the old key behind the new one: a restored back-up may bring them back"
        yield hint("erasures", message, advice)


def _refused(connection: Connection) -> str | None:
    if connection.execute(text("SHOW transaction_read_only")).scalar() == "on":
        return "it accepts no writes (a stand-by, or read-only by its settings)"
    for table in metadata.tables:
        for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            query = text("SELECT has_table_privilege(:table, :privilege)")
            if not connection.execute(query, {"table": table, "privilege": privilege}).scalar():
                return f"the role may not {privilege} {table}"
    return None


def _check_incidents(database: Database, settings: Settings, now: datetime) -> Iterator[Finding]:
    backlog = timedelta(minutes=settings.alert_backlog)
    leads_are_well = True
    for incident in find_incidents(database, now, backlog=backlog):
        check = "crm" if incident.kind.startswith("crm_") else "leads"
        leads_are_well &= check != "leads"
        place = place_of(incident.kind, incident.site)
        yield hint(check, f"{place}: {incident.detail}", incident.advice)
    if leads_are_well:
        yield ok("leads", "no delivery has failed or waits for long")


def _check_sites(database: Database, settings: Settings) -> Iterator[Finding]:
    known = {site.name for site in settings.sites}
    with database.read() as connection:
        waiting = count_by_site(connection, "pending")
    for site, number in sorted(waiting.items()):
        if site not in known:
            message = f"{number_of(number, 'lead')} waiting for {site}, which is no site any more"
            advice = "describe that site again: its leads are delivered then"
            yield hint("leads", message, advice)


def _check_waiting(database: Database) -> Iterator[Finding]:
    with database.read() as connection:
        quarantined = count_by_form(connection, "quarantined")
    if quarantined:
        listed = ", ".join(f"{form} {number}" for form, number in sorted(quarantined.items()))
        advice = (
            "review them with `formapp leads list --state quarantined` and `leads show ID`, "
            "release people's with `formapp leads release ID`; the rest is erased automatically"
        )
        yield hint("quarantine", f"waiting for review: {listed}", advice)
    if unmailed := count_unmailed(database):
        advice = (
            "see why with `formapp leads list --state unconfirmed` and `formapp leads show ID`, "
            "correct the cause, then `formapp leads resend ID`; unconfirmed leads are erased"
        )
        yield hint("confirmations", f"no mail has been sent yet for {unmailed} leads", advice)


def _check_refused(
    database: Database, forms: Mapping[str, FormDefinition], now: datetime
) -> Iterator[Finding]:
    """Report origins that were refused and still would be."""
    since = (now - _REFUSED_DAYS).date()
    for refused in find_refused(database, since)[:_MOST_REFUSED]:
        form = forms.get(refused.form)
        quarantined = form and form.spam.unknown_origin == "quarantine"
        if form and (form.allows_origin(refused.origin) or (refused.is_unknown and quarantined)):
            continue
        times = number_of(refused.count, "time")
        message = f"{refused.form} refused {refused.shown} {times} since {since}"
        yield hint("origins", message, refused.advice)


def _check_unknown(database: Database) -> Iterator[Finding]:
    for form, counts in sorted(count_unknown(database).items()):
        # Visitors can make names up: strange ones are counted, not shown.
        plain = [each for each in counts.most_common() if _PLAIN_NAME.fullmatch(each[0])]
        listed = [f"{name} {count}" for name, count in plain[:_MOST_NAMES]]
        if more := len(counts) - len(listed):
            listed.append(f"and {more} more")
        message = f"the form {form} doesn't know fields that were sent: {', '.join(listed)}"
        advice = (
            "add them to the form file, as fields or aliases; what was sent is kept with the "
            "submissions (`formapp leads show ID`)"
        )
        yield hint("fields", message, advice)
