"""`formapp doctor`: checks all that formapp needs, and says what to do about each fault.

It only reads: it changes nothing at Wix, in the database or on the disk. It shows no secret.
"""

import os
import sys
from collections.abc import Iterator, Mapping

import click

from formapp.cli.doctor.crm import check_books
from formapp.cli.doctor.database import check_database
from formapp.cli.doctor.findings import Finding, echo_finding
from formapp.cli.doctor.installation import (
    check_base_url,
    check_confirmations,
    check_form_files,
    check_notifications,
    check_settings,
    read_valid_settings,
)
from formapp.cli.doctor.wix import check_wix
from formapp.cli.output import echo, echo_json, screen
from formapp.cli.sites import now_in_utc
from formapp.cli.wiring import number_of


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(*, as_json: bool) -> None:
    """Check settings, database, form files and the Wix site; change nothing.

    A fault keeps formapp from working; a hint is worth a look. Exits with 1 if there is a fault.
    """
    findings, out = [], screen()
    for finding in _check_all(os.environ):
        findings.append(finding)
        if not as_json:
            echo_finding(out, finding)
    healthy = not any(finding.level == "fault" for finding in findings)
    if as_json:
        echo_json({"ok": healthy, "findings": findings})
    else:
        counts = {level: sum(f.level == level for f in findings) for level in ("fault", "hint")}
        echo(", ".join(number_of(n, level) for level, n in counts.items()))
    sys.exit(0 if healthy else 1)


def _check_all(environ: Mapping[str, str]) -> Iterator[Finding]:
    now = now_in_utc()
    reading = read_valid_settings(environ)
    yield from check_settings(reading, environ, now)
    settings = reading.settings
    forms, findings = check_form_files(reading) if reading.has("FORMS") else ({}, [])
    yield from findings
    if reading.has("SMTP_URL") and reading.has("BASE_URL") and reading.has("SECRET_KEY"):
        yield from check_confirmations(settings, forms)
    yield from check_notifications(settings, forms, reading.has)
    if reading.has("DATABASE_URL"):
        yield from check_database(settings, forms, now)
    if reading.has("WIX_API_URL") and reading.has("WIX_RATE_LIMIT"):
        yield from check_wix(settings, forms, now)
        if reading.has("CRM") and reading.has("DATABASE_URL"):
            yield from check_books(settings, environ, now)
    if reading.has("BASE_URL"):
        yield from check_base_url(settings)
