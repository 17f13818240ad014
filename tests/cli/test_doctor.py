"""The doctor finds each fault, says what to do, shows no secret and changes nothing."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from formapp.cli.doctor import command
from formapp.cli.doctor.wix import check_clock
from formapp.db.database import TURN_FILES, Database
from formapp.delivery.sites import Pauses
from formapp.leads.accept import Status
from formapp.leads.erase import erase_person
from formapp.monitoring.refused_origins import RefusedOrigins
from formapp.sandbox import SandboxOptions, SandboxServer, Settings, create_sandbox
from formapp.signing import Keyring
from formapp.web.rate_limit import MemoryCounts
from tests.support.clock import NOON
from tests.support.forms import EMAIL_FIELD
from tests.support.leads import EMAIL, SITE, lead, submission
from tests.support.ledger import days_later, failed, kept
from tests.support.postgres import PostgresServer
from tests.support.processes import Commands, Result, free_port
from tests.support.schema import give_schema
from tests.support.wixsite import KEY, OTHER_ID, SITE_ID, WixSite

NO_DATABASE = "there is no database of formapp at"
SECRET = "d41d8cd98f00b204e9800998ecf8427e"
FORM = f"""
title = "Quote"
labels = ["Website lead"]
{EMAIL_FIELD}
[[fields]]
name = "size"
type = "number"
label = "Size"
to = {{ extended_field = "Size", data_type = "NUMBER" }}
"""


@dataclass
class Patient:
    """An installation where all is well, until a test spoils it."""

    commands: Commands
    site: WixSite
    settings: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.commands.folder

    def examine(self, *args: str, **changed: str) -> Result:
        """Run it in this process, which takes a tenth of the time."""
        wanted = {f"FORMAPP_{name}": text for name, text in (self.settings | changed).items()}
        unwanted = dict.fromkeys(name for name in os.environ if name.startswith("FORMAPP_"))
        done = CliRunner().invoke(command, args, env=unwanted | wanted)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        for secret in (SECRET, KEY, "hunter2"):
            assert secret not in done.output
        return Result(args, done.exit_code, done.stdout, done.stderr)

    def findings(self, level: str, **changed: str) -> dict[str, str]:
        """Check to message and advice, of one level."""
        done = self.examine("--json", **changed)
        told = json.loads(done.stdout)
        found = [each for each in told["findings"] if each["level"] == level]
        assert told["ok"] == (done.returncode == 0)
        assert done.returncode in {0, 1}
        assert all(each["advice"] for each in told["findings"] if each["level"] == "fault")
        if level == "fault":
            assert done.returncode == bool(found)
        return {each["check"]: f"{each['message']} | {each['advice']}" for each in found}

    @property
    def url(self) -> str:
        return self.settings["DATABASE_URL"]

    def database(self) -> Database:
        return Database(self.url)


@pytest.fixture
def site() -> Iterator[WixSite]:
    with SandboxServer(create_sandbox(SandboxOptions(Settings(rate_limit=0)))) as server:
        site = WixSite(server.url)
        yield site
        site.close()


BOTH = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])


@pytest.fixture
def database_kind() -> str:
    """Most faults aren't about the database; what is runs on both."""
    return "sqlite"


@pytest.fixture
def patient(database_url: str, commands: Commands, site: WixSite) -> Patient:
    (commands.folder / "forms").mkdir()
    (commands.folder / "forms" / "quote.toml").write_text(FORM)
    settings = {
        "DATABASE_URL": database_url,
        "FORMS": str(commands.folder / "forms"),
        "SECRET_KEY": SECRET,
        "WIX_API_URL": site.url,
        "WIX_API_KEY": KEY,
        "WIX_SITE_ID": SITE_ID,
        # The sandbox stands in for the server: any address that answers would do.
        "BASE_URL": site.url,
    }
    patient = Patient(commands, site, settings)
    with closing(patient.database()) as database:
        give_schema(database)
    return patient


@BOTH
def test_a_healthy_installation_has_no_fault(patient: Patient) -> None:
    done = patient.examine()
    assert done.returncode == 0, done.stdout
    assert "0 faults" in done.stdout
    for check in ("settings", "forms", "database", "leads", "clock", "credentials", "fields"):
        assert f"ok     {check}: " in done.stdout
    assert '"Website lead" will be created on first use' in done.stdout
    assert '"Size" will be created on first use' in done.stdout


def test_nothing_is_changed_anywhere(patient: Patient) -> None:
    def state() -> tuple[Any, ...]:
        found = [path for path in patient.folder.rglob("*") if path.is_file()]
        # To find out whether it may write it takes its turn, whose files are empty.
        files = {path: path.read_bytes() for path in found if not path.name.endswith(TURN_FILES)}
        site = patient.site.control("GET", "/sites")
        return files, site

    patient.site.label("Website lead")
    before = state()
    assert patient.examine().returncode == 0
    assert state() == before
    assert {call["operation"] for call in patient.site.call_log() if call["status"] == 200} <= {
        "queryContacts",
        "listLabels",
        "listExtendedFields",
        "findOrCreateLabel",  # the test's own
    }


def test_every_wrong_setting_is_told_and_the_rest_is_looked_at(patient: Patient) -> None:
    done = patient.examine(PROXY_HOPS="many", SECRET_KEY="hunter2", DATABASE_URL="hunter2://x")
    assert done.returncode == 1
    for name in ("PROXY_HOPS", "SECRET_KEY", "DATABASE_URL"):
        assert f"FORMAPP_{name}: " in done.stdout
    assert "ok     credentials" in done.stdout
    assert "database:" not in done.stdout


def test_without_any_setting_it_says_what_is_missing(commands: Commands) -> None:
    done = commands.run("doctor")
    assert (done.returncode, done.stderr) == (1, "")
    assert "FORMAPP_SECRET_KEY: is missing" in done.stdout
    assert "FORMAPP_WIX_API_KEY: is missing" in done.stdout
    assert NO_DATABASE in done.stdout
    assert list(commands.folder.iterdir()) == []


def test_a_misspelled_setting_is_a_hint(patient: Patient) -> None:
    found = patient.findings("hint", WIX_APIKEY="hunter2")
    assert "FORMAPP_WIX_APIKEY is no setting" in found["settings"]
    assert "did you mean FORMAPP_WIX_API_KEY?" in found["settings"]


def test_weak_and_old_keys_are_hints(patient: Patient) -> None:
    assert "key 2" in patient.findings("hint", SECRET_KEY=f"{SECRET},{'ab' * 20}")["settings"]
    file = patient.folder / "key"
    file.write_text(SECRET)
    two_years_ago = time.time() - 2 * 365 * 86400
    os.utime(file, (two_years_ago, two_years_ago))
    found = patient.findings("hint", SECRET_KEY="", SECRET_KEY_FILE=str(file))
    assert "unchanged since" in found["settings"]


def test_a_rate_above_what_wix_allows_is_a_hint(patient: Patient) -> None:
    assert "WIX_RATE_LIMIT" in patient.findings("hint", WIX_RATE_LIMIT="201")["settings"]


def test_a_faulty_form_file_is_a_fault(patient: Patient) -> None:
    (patient.folder / "forms" / "bad.toml").write_text("title = 1\nfields = []")
    found = patient.findings("fault")
    assert "bad.toml:2: fields: " in found["forms"]
    assert "formapp forms check" in found["forms"]


def test_forms_that_disagree_about_a_field_are_a_fault(patient: Patient) -> None:
    other = FORM.replace("NUMBER", "TEXT")
    (patient.folder / "forms" / "other.toml").write_text(other)
    assert "TEXT in other" in patient.findings("fault")["forms"]


def test_a_form_for_an_unknown_site_is_a_fault(patient: Patient) -> None:
    (patient.folder / "forms" / "other.toml").write_text(f'site = "elsewhere"\n{FORM}')
    assert '"elsewhere" is not known' in patient.findings("fault")["forms"]


def test_a_missing_database_is_reported_and_not_made(patient: Patient) -> None:
    found = patient.findings("hint", DATABASE_URL=f"sqlite:///{patient.folder / 'no.db'}")
    assert NO_DATABASE in found["database"]
    assert not (patient.folder / "no.db").exists()


def test_a_database_of_something_else_is_left_as_it_is(patient: Patient) -> None:
    file = patient.folder / "other.db"
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE theirs (x)")
        other.commit()
    before = file.read_bytes()
    found = patient.findings("hint", DATABASE_URL=f"sqlite:///{file}")
    assert NO_DATABASE in found["database"]
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_a_fault(patient: Patient) -> None:
    file = patient.folder / "text.db"
    file.write_text("hello " * 1000)
    found = patient.findings("fault", DATABASE_URL=f"sqlite:///{file}")
    assert "can't be read as SQLite" in found["database"]


@BOTH
@pytest.mark.parametrize(
    ("revision", "advice"), [("0001", "formapp db upgrade"), ("9999", "update formapp")]
)
def test_another_schema_is_a_fault(patient: Patient, revision: str, advice: str) -> None:
    with closing(patient.database()) as database, database.write() as connection:
        told = {"revision": revision}
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), told)
    found = patient.findings("fault")["database"]
    assert revision in found
    assert advice in found


def test_a_locked_database_is_a_fault(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = partial(Database, busy_seconds=0.5)
    monkeypatch.setattr("formapp.cli.doctor.database.Database", quick)
    with closing(sqlite3.connect(patient.folder / "formapp.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in patient.findings("fault")["database"]


@BOTH
def test_confirmations_that_nobody_was_asked_for_are_a_hint(patient: Patient) -> None:
    sent = {"mail": {"sent_at": ["2026-03-03T12:00:00+00:00"]}}
    with closing(patient.database()) as database:
        kept(database, submission(lead(), status=Status.UNCONFIRMED, meta=sent))
        assert "confirmations" not in patient.findings("hint")
        kept(database, submission(lead("b@example.com"), status=Status.UNCONFIRMED))
        unsent = {"mail": {"unsent": "the server refused the address"}}
        kept(database, submission(lead("c@example.com"), status=Status.UNCONFIRMED, meta=unsent))
    hint = patient.findings("hint")["confirmations"]
    assert "no mail has been sent yet for 2 leads" in hint
    assert "formapp leads resend" in hint


@BOTH
def test_refused_origins_are_a_hint_until_they_are_listed(patient: Patient) -> None:
    shop, other = "https://shop.example.com", "https://other.example.com"
    with closing(patient.database()) as database:
        refused = RefusedOrigins(database, MemoryCounts())
        for origin in (shop, shop, other, "null", "none"):
            refused.note("quote", origin)
        long_ago = datetime.now(UTC) - timedelta(days=9)
        RefusedOrigins(database, MemoryCounts(), lambda: long_ago).note(
            "quote", "https://gone.example.com"
        )
    done = patient.examine()
    assert done.returncode == 0
    assert f"quote refused {shop} 2 times since" in done.stdout
    assert f'add "{shop}" to origins in quote.toml' in done.stdout
    assert "FORMAPP_API_TOKEN" in done.stdout
    assert "quote refused pages that hide their origin 1 time since" in done.stdout
    assert "gone" not in done.stdout
    spam = '[spam]\nunknown_origin = "quarantine"\n'
    listed = FORM.replace("labels", f'origins = ["{shop}"]\nlabels').replace("[[", f"{spam}[[", 1)
    (patient.folder / "forms" / "quote.toml").write_text(listed)
    told = patient.examine().stdout
    assert f"quote refused {other} 1 time since" in told
    assert told.count("quote refused") == 1


@BOTH
def test_what_waits_in_the_database_is_a_hint(patient: Patient) -> None:
    with closing(patient.database()) as database:
        failed(database, submission(lead()))
        kept(database, submission(lead("b@example.com")))
        for _ in range(3):
            Pauses(database).pause(SITE, days_later(NOON, 1), "credentials refused (401)")
    done = patient.examine()
    assert done.returncode == 0
    assert "1 lead of contact was not delivered: " in done.stdout
    assert "credentials refused (401)" in done.stdout
    assert "formapp leads retry" in done.stdout
    assert EMAIL not in done.stdout


@BOTH
def test_erasures_under_a_lost_key_are_a_hint(patient: Patient) -> None:
    with closing(patient.database()) as database:
        lost = Keyring(["a key that nobody has any more"])
        erase_person(database, {EMAIL}, keyring=lost, now=NOON)
    assert "secret key that is gone: 1" in patient.findings("hint")["erasures"]
    rotated = f"{SECRET},a key that nobody has any more"
    assert "erasures" not in patient.findings("hint", SECRET_KEY=rotated)


def test_refused_credentials_are_a_fault(patient: Patient) -> None:
    patient.site.set(credentials="unauthenticated")
    found = patient.findings("fault")
    assert "credentials refused (401" in found["credentials"]
    assert "isn't revoked" in found["credentials"]


def test_a_missing_permission_is_a_fault(patient: Patient) -> None:
    patient.site.fault("status", "listLabels", status=403)
    assert "labels may not be read | let the API key" in patient.findings("fault")["permissions"]
    patient.site.mend()
    patient.site.set(credentials="forbidden")
    done = patient.examine()
    for what in ("contacts", "labels", "extended fields"):
        assert f"permissions: {what} may not be read" in done.stdout


def test_a_key_that_can_not_be_sent_is_a_fault(patient: Patient) -> None:
    found = patient.findings("fault", WIX_API_KEY="hunter2 with blanks")
    assert "WIX_API_KEY: has a space" in found["settings"]
    assert "hunter2" not in str(found)


def test_an_address_of_wix_that_doesnt_answer_is_a_fault(patient: Patient) -> None:
    found = patient.findings("fault", WIX_API_URL=f"http://127.0.0.1:{free_port()}")
    assert "no connection" in found["wix"]


def test_a_busy_wix_is_a_hint(patient: Patient) -> None:
    patient.site.fault("status", "queryContacts", status=429)
    assert "rate limited" in patient.findings("hint")["wix"]


TWO_SITES = f"""
[sites.berlin]
site_id = "{SITE_ID}"
[sites.paris]
site_id = "{OTHER_ID}"
rate_limit = 300
"""


@pytest.fixture
def agency(patient: Patient) -> Patient:
    """The same with two sites, each with a form."""
    (patient.folder / "formapp.toml").write_text(TWO_SITES)
    for site, name, data_type in (("berlin", "quote", "NUMBER"), ("paris", "devis", "TEXT")):
        form = FORM.replace("NUMBER", data_type).replace("Website lead", f"Lead {site}")
        (patient.folder / "forms" / f"{name}.toml").write_text(f'site = "{site}"\n{form}')
    unused = {"WIX_API_KEY": "", "WIX_SITE_ID": ""}
    patient.settings |= {"WIX_API_KEY_BERLIN": KEY, "WIX_API_KEY_PARIS": KEY, **unused}
    return patient


def test_each_site_has_its_section_with_its_own_forms(agency: Patient) -> None:
    done = agency.examine()
    assert done.returncode == 0, done.stdout
    for site, other in (("berlin", "paris"), ("paris", "berlin")):
        assert f"ok     credentials of {site}: accepted" in done.stdout
        (labels,) = [line for line in done.stdout.splitlines() if f"labels of {site}" in line]
        assert f'"Lead {site}" will be created' in labels
        assert other not in labels
    assert done.stdout.count("ok     clock") == 1
    assert "hint   settings: sites.paris.rate_limit is above 200" in done.stdout
    found = json.loads(agency.examine("--json").stdout)["findings"]
    sites = {each["site"] for each in found if each["check"] == "credentials"}
    assert sites == {"berlin", "paris"}


def test_a_refused_site_is_one_fault_and_the_other_is_checked(agency: Patient) -> None:
    agency.site.fault("status", site=OTHER_ID, status=401)
    done = agency.examine()
    assert "fault  credentials of paris: " in done.stdout
    assert "ok     credentials of berlin" in done.stdout


def test_a_site_without_its_secret_is_a_fault_and_the_other_is_checked(agency: Patient) -> None:
    done = agency.examine(WIX_API_KEY_PARIS="", WIX_API_KEY_PARI="hunter2")
    assert "fault  settings: FORMAPP_WIX_API_KEY_PARIS: is missing" in done.stdout
    assert "did you mean FORMAPP_WIX_API_KEY_PARIS?" in done.stdout
    assert "ok     credentials of berlin" in done.stdout
    assert "credentials of paris" not in done.stdout


def test_a_faulty_project_file_is_a_fault_and_nothing_is_said_of_its_sites(
    agency: Patient,
) -> None:
    with (agency.folder / "formapp.toml").open("a") as file:
        file.write("rate-limit = 3")
    done = agency.examine()
    assert "fault  settings: formapp.toml:7: sites.paris.rate-limit: is not a known" in done.stdout
    assert "correct it in the project file" in done.stdout
    for noise in ("is missing", "is no setting", "is not known;", "credentials"):
        assert noise not in done.stdout


def test_leads_of_a_site_that_is_gone_are_a_hint(patient: Patient) -> None:
    with closing(patient.database()) as database:
        kept(database, submission(lead(site="rome")))
    assert "1 lead waiting for rome" in patient.findings("hint")["leads"]


def test_a_field_of_another_data_type_is_a_fault(patient: Patient) -> None:
    patient.site.field("Size", "TEXT")
    found = patient.findings("fault")["fields"]
    assert '"Size" has the type TEXT, quote.toml says NUMBER' in found


def test_fields_and_labels_that_are_there_are_well(patient: Patient) -> None:
    patient.site.field("Size", "NUMBER")
    patient.site.label("Website lead")
    found = patient.findings("ok")
    assert "all that the forms need exist" in found["fields"]
    assert "all that the forms need exist" in found["labels"]


def test_a_name_that_differs_in_case_only_is_a_hint(patient: Patient) -> None:
    patient.site.label("website LEAD")
    assert 'beside "website LEAD"' in patient.findings("hint")["forms"]


@pytest.mark.parametrize(("held", "level"), [(100, "fault"), (97, "hint")])
def test_no_room_for_a_field_is_told(patient: Patient, held: int, level: str) -> None:
    for number in range(held):
        patient.site.field(f"Field {number}")
    found = patient.findings(level)["fields"]
    assert "delete an unused custom field" in found


def test_an_address_that_doesnt_answer_is_only_a_hint(patient: Patient) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    assert "doesn't answer from here" in patient.findings("hint", BASE_URL=nobody)["address"]
    assert "isn't set" in patient.findings("hint", BASE_URL="")["address"]


def test_https_without_a_proxy_that_is_told_of_is_a_hint(patient: Patient) -> None:
    https = f"https://127.0.0.1:{free_port()}"
    assert "take all visitors for one" in patient.findings("hint", BASE_URL=https)["proxy"]
    assert "proxy" not in patient.findings("hint", BASE_URL=https, PROXY_HOPS="1")
    assert "proxy" not in patient.findings("hint")


class _Ahead(BaseHTTPRequestHandler):
    """A server whose clock is as much ahead as the path says, in seconds."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        assert timestamp is None
        there = datetime.now(UTC) + timedelta(seconds=int(self.path.strip("/")))
        return format_datetime(there, usegmt=True)

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.parametrize(("ahead", "level"), [(0, "ok"), (60, "hint"), (-3600, "fault")])
def test_a_clock_that_is_off_is_told(ahead: int, level: str) -> None:
    with HTTPServer(("127.0.0.1", 0), _Ahead) as server:
        threading.Thread(target=server.handle_request).start()
        url = f"http://127.0.0.1:{server.server_port}/{ahead}"
        (found,) = check_clock(url, datetime.now(UTC))
    assert found.level == level


def test_an_answer_without_a_date_tells_nothing_of_the_clock() -> None:
    assert list(check_clock(f"http://127.0.0.1:{free_port()}", datetime.now(UTC))) == []


def test_postgresql_is_looked_at_too(patient: Patient, postgres: PostgresServer) -> None:
    with postgres.database() as url:
        assert NO_DATABASE in patient.findings("hint", DATABASE_URL=url)["database"]
        with closing(Database(url)) as database:
            give_schema(database)
            assert "schema" in patient.findings("ok", DATABASE_URL=url)["database"]
            read_only = f"{url}?options=-c%20default_transaction_read_only%3Don"
            found = patient.findings("fault", DATABASE_URL=read_only)
            assert "accepts no writes" in found["database"]
            with database.write() as connection:
                connection.exec_driver_sql("DROP ROLE IF EXISTS weak")
                connection.exec_driver_sql("CREATE ROLE weak LOGIN")
                connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO weak")
            weak = url.replace("formapp@", "weak:hunter2@")
            found = patient.findings("fault", DATABASE_URL=weak)
            assert "the role may not INSERT " in found["database"]
            grants = "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO weak"
            revoked = "REVOKE DELETE ON jobs, counts FROM weak"
            with database.write() as connection:
                connection.exec_driver_sql(f"{grants}; {revoked}")
            found = patient.findings("fault", DATABASE_URL=weak)
            assert "the role may not DELETE jobs" in found["database"]
            with database.write() as connection:
                connection.exec_driver_sql("GRANT DELETE ON jobs TO weak")
            found = patient.findings("fault", DATABASE_URL=weak)
            assert "the role may not DELETE counts" in found["database"]
            asked = f"{url}?password=hunter2"
            assert "reachable" in patient.findings("ok", DATABASE_URL=asked)["database"]
    nowhere = f"postgresql+psycopg://formapp:hunter2@127.0.0.1:{free_port()}/formapp"
    assert "refused" in patient.findings("fault", DATABASE_URL=nowhere)["database"]


@BOTH
def test_fields_that_a_form_does_not_know_are_counted(patient: Patient) -> None:
    with closing(patient.database()) as database:
        for unknown in ({"budget": "5", "size[]": ["a"]}, {"budget": "6"}, {"a\x1b]52;b": "x"}):
            kept(database, submission(lead(form="quote"), form="quote", unknown=unknown))
        caught = submission(lead(form="quote"), status=Status.SPAM, unknown={"trap": "x"})
        kept(database, caught)
    done = patient.examine()
    assert done.returncode == 0
    assert "the form quote doesn't know fields that were sent: budget 2, size[] 1, and 1 more" in (
        done.stdout
    )
    assert "trap" not in done.stdout
    assert "\x1b" not in done.stdout
