"""Double opt-in over processes: the form, the mail, the click, the contact with its label."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from sqlalchemy import update

from formapp.db.database import Database
from formapp.db.tables import jobs
from formapp.leads.report import list_submissions, show_submission
from tests.support import formfiles
from tests.support.mailserver import MailServer, Taken, mail_server
from tests.support.processes import (
    SITE,
    Commands,
    Installation,
    end,
    eventually,
    free_port,
    send,
)

pytestmark = pytest.mark.slow

NEWS = f"""
title = "Newsletter"
labels = ["Reader"]

[confirm]
subject = "Please confirm the newsletter"

{formfiles.NEWS}"""
ADA = {"email": "ada@example.com", "news": "yes"}


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def club(database_url: str, commands: Commands, mail: MailServer) -> Installation:
    """An installation with a newsletter that wants a confirmation."""
    forms = commands.folder / "forms"
    forms.mkdir()
    (forms / "news.toml").write_text(NEWS, "utf-8")
    return Installation(
        commands, database_url, FORMS=str(forms), SMTP_URL=mail.url, MAIL_FROM="news@example.com"
    )


def lead_of(club: Installation) -> dict[str, Any]:
    """The only submission, as `leads show --json` has it."""
    database = Database(club.settings["DATABASE_URL"])
    try:
        (entry,) = list_submissions(database)
        return show_submission(database, entry["id"])
    finally:
        database.close()


def press(letter: Taken) -> requests.Response:
    """Open the link, as a person does, and press the button."""
    page = requests.get(letter.link, timeout=10)
    assert page.status_code == 200
    found = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert found
    origin = letter.link.partition("/f/")[0]
    action = origin + found[1].replace("&amp;", "&")
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    return requests.post(action, headers=headers, allow_redirects=False, timeout=10)


def labels(club: Installation) -> list[str]:
    (contact,) = club.contacts()
    keys: list[str] = contact["info"]["labelKeys"]["items"]
    return keys


def test_only_a_confirmed_consent_becomes_a_contact_with_its_label(
    club: Installation, mail: MailServer
) -> None:
    answer = send(club.web, "news", **ADA)
    assert answer.headers["Location"] == "/f/news/thanks?_step=confirm"
    letter = mail.wait()
    assert letter.to == "ada@example.com"
    assert letter.message["Subject"] == "Please confirm the newsletter"
    lead = lead_of(club)
    assert (lead["state"], lead["attempts"]) == ("unconfirmed", 0)
    for _ in range(3):
        assert requests.get(letter.link, timeout=10).status_code == 200
    retried = club.run("leads", "retry", lead["id"])
    assert retried.returncode == 1
    assert "only its sender can confirm it" in retried.stderr
    eventually(lambda: bool(lead_of(club)["confirmation"]["sent_at"]))
    told = club.run("leads", "show", lead["id"]).stdout
    assert "mail sent 20" in told
    assert "not confirmed yet" in told
    assert lead_of(club)["state"] == "unconfirmed"
    assert club.contacts() == []

    assert press(letter).headers["Location"] == "/f/news/thanks"
    eventually(lambda: lead_of(club)["state"] == "delivered")
    assert sorted(labels(club)) == ["custom.newsletter", "custom.reader"]
    shown = json.loads(club.run("leads", "show", lead["id"], "--json").stdout)
    (consent,) = shown["consents"]
    assert consent["text"] == "Send me the newsletter."
    assert consent["confirmed_at"] == shown["meta"]["confirmed"]["at"]
    assert consent["page"] == f"{club.web}/f/news"
    confirmation = shown["confirmation"]
    assert confirmation["subject"] == "Please confirm the newsletter"
    assert confirmation["confirmed_at"]
    told = club.run("leads", "show", lead["id"]).stdout
    assert f"confirmed {consent['confirmed_at']}, given on {club.web}/f/news" in told
    again = club.run("leads", "resend", lead["id"])
    assert again.returncode == 1
    assert "doesn't wait for a confirmation" in again.stderr
    for process in (club.serve_process, club.sandbox_process):
        assert end(process) == 0
    log = (club._commands.folder / "serve.log").read_text()
    assert "ada@example.com" not in log
    assert letter.link.partition("t=")[2] not in log


def test_a_worker_that_is_killed_after_sending_sends_at_most_once_more(
    club: Installation, mail: MailServer, commands: Commands, database_url: str
) -> None:
    assert end(club.serve_process) == 0
    club.serve("--no-worker")
    mail.hold.clear()
    assert send(club.web, "news", **ADA).status_code == 303
    worker = commands.start("worker", **club.settings)
    mail.wait(1)
    worker.kill()
    worker.wait()
    mail.hold.set()
    assert club.run("worker", "--once").returncode == 0
    assert len(mail.taken) == 1
    # As when the time is over that the killed worker's try may take, and that between two mails.
    database = Database(database_url)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM counts")
        connection.execute(update(jobs).values(due_at=datetime.now(UTC)))
    database.close()
    assert club.run("worker", "--once").returncode == 0
    first, second = mail.taken
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert len(lead_of(club)["confirmation"]["sent_at"]) == 1
    assert press(first).status_code == 303
    assert "already confirmed this" in requests.get(second.link, timeout=10).text


def test_the_owner_can_have_the_mail_sent_again_but_not_too_often(
    club: Installation, mail: MailServer, commands: Commands, database_url: str
) -> None:
    mail.answers["RCPT"] = "550 no such mailbox"
    send(club.web, "news", **ADA)
    submission_id = lead_of(club)["id"]
    eventually(lambda: bool(lead_of(club)["confirmation"]["unsent"]))
    assert "no such mailbox" in club.run("leads", "show", submission_id).stdout
    # What wasn't taken is no mail that the address got.
    mail.answers.clear()
    assert club.run("leads", "resend", submission_id).returncode == 0
    mail.wait(1)
    eventually(lambda: bool(lead_of(club)["confirmation"]["sent_at"]))
    soon = club.run("leads", "resend", submission_id)
    assert soon.returncode == 1
    assert "within 10 minutes" in soon.stderr
    database = Database(database_url)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM counts")
    database.close()
    assert club.run("leads", "resend", submission_id).returncode == 0
    mail.wait(2)
    assert club.run("leads", "resend", "nobody").returncode == 1


def test_a_setting_that_is_missing_is_named_with_the_form_at_start(commands: Commands) -> None:
    forms = commands.folder / "forms"
    forms.mkdir()
    (forms / "news.toml").write_text(NEWS, "utf-8")
    settings = {
        "FORMS": str(forms),
        "SECRET_KEY": "a key that is long enough",
        "BASE_URL": "http://127.0.0.1:9",
        "MAIL_FROM": "news@example.com",
        "WIX_API_KEY": "IST.example",
        "WIX_SITE_ID": SITE,
        "WIX_API_URL": "http://127.0.0.1:9",
    }
    done = commands.run("serve", "--port", "0", **settings)
    assert done.returncode == 1
    assert "FORMAPP_SMTP_URL: is missing; [confirm] of news.toml needs it" in done.stderr
    assert confirmations(commands, settings) == {
        "fault": "FORMAPP_SMTP_URL: is missing; [confirm] of news.toml needs it"
    }
    with mail_server() as mail:
        told = confirmations(commands, settings | {"SMTP_URL": mail.url})
    assert told == {"ok": "the mail server answers, for news"}
    away = f"smtp://127.0.0.1:{free_port()}"
    assert "can't be reached" in confirmations(commands, settings | {"SMTP_URL": away})["hint"]


def confirmations(commands: Commands, settings: dict[str, str]) -> dict[str, str]:
    """What the doctor says of them: level and message."""
    findings = json.loads(commands.run("doctor", "--json", **settings).stdout)["findings"]
    return {each["level"]: each["message"] for each in findings if each["check"] == "confirmations"}
