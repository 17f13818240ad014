"""`formapp notify`: trying the channels, sending again, and what the doctor says of them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from standardwebhooks import Webhook

from formapp.cli import cli
from formapp.cli.channels import inbox_of
from formapp.cli.doctor.installation import check_notifications
from formapp.config.settings import Settings
from formapp.db.database import Database
from formapp.forms.definition.parse import load_definitions
from formapp.jobs.queue import Job
from formapp.leads.accept import Status, keep
from formapp.leads.report import show_submission
from formapp.notifications.plan import FAILED
from formapp.users.store import Users
from tests.support.clock import NOON
from tests.support.leads import EMAIL, lead, submission
from tests.support.mailserver import MailServer, mail_server
from tests.support.notifying import FIELDS, SECRET
from tests.support.processes import Commands, Installation, end, eventually, send
from tests.support.receiver import Receiver, receiver

# Apprise imports a module of Python's that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Owner:
    """An owner at the command line, with receivers of every kind."""

    def __init__(
        self, database: Database, folder: Path, mails: MailServer, hooks: Receiver
    ) -> None:
        self.database, self.mails, self.hooks = database, mails, hooks
        self.forms = folder / "forms"
        self.forms.mkdir()
        self.settings = {
            "DATABASE_URL": f"sqlite:///{database.place}",
            "FORMS": str(self.forms),
            "SECRET_KEY": "a key that is long enough",
            "SMTP_URL": mails.url,
            "MAIL_FROM": "forms@example.com",
            "WEBHOOK_SECRET": SECRET,
            "NOTIFY_CHAT": f"sales=json://127.0.0.1:{hooks.port}/sales",
        }

    def have(self, top: str) -> None:
        """Have a form with these tables."""
        top = top.replace("HOOK", self.hooks.url)
        text = f'title = "Ask us"\n{top}\n{FIELDS}'
        (self.forms / "contact.toml").write_text(text, "utf-8")

    def run(self, *args: str, **changed: str) -> Result:
        """Run a command in this process."""
        wanted = {f"FORMAPP_{n}": value for n, value in (self.settings | changed).items()}
        unwanted = dict.fromkeys(name for name in os.environ if name.startswith("FORMAPP_"))
        return CliRunner().invoke(cli, ["notify", *args], env=unwanted | wanted)


@pytest.fixture
def owner(sqlite: Database, tmp_path: Path) -> Iterator[Owner]:
    with mail_server() as mails, receiver() as hooks:
        yield Owner(sqlite, tmp_path, mails, hooks)


ALL = '[notify]\nemail = "owner@example.com"\nevery = "day"\nwebhook = "HOOK"\nchat = true\n[reply]'


def test_a_sample_goes_out_by_every_channel(owner: Owner) -> None:
    owner.have(ALL)
    done = owner.run("test", "contact")
    assert done.output.splitlines() == [
        "mail to owner@example.com: sent",
        "webhook: sent",
        "chat sales: sent",
        "reply: sent",
    ]
    assert done.exit_code == 0
    mail, reply = owner.mails.taken
    assert mail.message["Subject"] == "Ask us: Test"
    assert "Budget: under 1,000" in mail.part("plain")
    assert (reply.to, reply.message["Auto-Submitted"]) == ("owner@example.com", "auto-replied")
    (hook,) = (post for post in owner.hooks.posts if post.path == "/hook")
    assert Webhook(SECRET).verify(hook.body, dict(hook.headers))["type"] == "lead.test"


def test_each_channel_that_fails_says_why(owner: Owner) -> None:
    owner.have(ALL)
    owner.hooks.status = 401
    owner.mails.answers = {"RCPT": "550 no"}
    done = owner.run("test", "contact", "--to", "me@example.com")
    assert done.output.splitlines() == [
        "mail to owner@example.com: failed: the mail server answered 550 to the address",
        "webhook: failed: it answered 401",
        "chat sales: failed: it refused the message, or didn't answer",
        "reply: failed: the mail server answered 550 to the address",
    ]
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("args", "top", "changed", "said"),
    [
        (["contcat"], ALL, {}, 'there is no form contcat; did you mean "contact"?'),
        (["contact"], "", {}, "the form has neither [notify] nor [reply]: nothing to try"),
        (["contact"], "[reply]", {}, "give --to ADDRESS: who gets the reply of [reply]?"),
        (["contact", "--to", "me"], "[reply]", {}, "--to is no e-mail address"),
        (
            ["contact"],
            ALL,
            {"WEBHOOK_SECRET": ""},
            "FORMAPP_WEBHOOK_SECRET: is missing; [notify] of contact.toml needs it",
        ),
    ],
)
def test_what_can_not_be_tried_is_one_clear_line(
    owner: Owner, args: list[str], top: str, changed: dict[str, str], said: str
) -> None:
    owner.have(top)
    done = owner.run("test", *args, **changed)
    assert done.exit_code == 1
    assert said in done.output
    assert not owner.mails.taken


def test_resend_uses_what_has_failed_else_all_but_the_reply(owner: Owner) -> None:
    failed = Job(FAILED, {"channel": "webhook", "to": None, "reason": "it answered 503"})
    first = keep(owner.database, submission(lead(EMAIL), jobs=(failed,))).id
    second = keep(owner.database, submission(lead(EMAIL))).id
    assert owner.run("resend", "--failed").output == f"{first} is sent again by webhook\n"
    done = owner.run("resend", "--failed")
    assert done.output == "Nothing to send again: no notification has failed.\n"
    assert owner.run("resend", second).output == f"{second} is sent again by chat, mail, webhook\n"
    named = owner.run("resend", second, "--channel", "reply")
    assert named.output == f"{second} is sent again by reply\n"
    assert show_submission(owner.database, first)["notifications"] == []


def test_resend_refuses_what_is_not_accepted_or_unknown(owner: Owner) -> None:
    held = keep(owner.database, submission(lead(EMAIL), status=Status.QUARANTINED)).id
    done = owner.run("resend", held)
    assert (done.exit_code, "isn't accepted" in done.output) == (1, True)
    assert "there is no submission nothing" in owner.run("resend", "nothing").output
    assert owner.run("resend").exit_code == 2
    assert owner.run("resend", held, "--failed").exit_code == 2
    owner.have(ALL)
    assert "there is no form x" in owner.run("resend", "--failed", "--form", "x").output


def test_the_owner_reads_why_a_notification_has_failed(owner: Owner) -> None:
    failed = Job(FAILED, {"channel": "mail", "to": "owner@example.com", "reason": "it bounced"})
    submission_id = keep(owner.database, submission(lead(EMAIL), NOON, jobs=(failed,))).id
    wanted = {f"FORMAPP_{name}": value for name, value in owner.settings.items()}
    shown = CliRunner().invoke(cli, ["leads", "show", submission_id], env=wanted).output
    assert "Notification by mail to owner@example.com failed: it bounced" in shown
    entry = json.loads(
        CliRunner().invoke(cli, ["leads", "show", submission_id, "--json"], env=wanted).output
    )
    assert entry["notifications"][0]["state"] == "failed"


def test_the_doctor_names_what_is_missing_and_what_does_not_answer(owner: Owner) -> None:
    def findings(**changed: str) -> list[tuple[str, str]]:
        given = {f"FORMAPP_{n}": value for n, value in (owner.settings | changed).items()}
        forms = load_definitions(owner.forms)
        found = check_notifications(Settings.read(given), forms, lambda _name: True)
        return [(each.level, each.message) for each in found]

    owner.have("")
    assert findings() == []
    owner.have(ALL)
    [(level, message)] = findings()
    assert (level, "channels of contact are set" in message) == ("ok", True)
    found = findings(WEBHOOK_SECRET="", NOTIFY_CHAT="sales=nonsense://x")
    assert [level for level, _ in found] == ["fault", "fault"]
    assert "Apprise can't read the address of sales" in found[1][1]
    owner.have('[notify]\nwebhook = "http://127.0.0.1:9/x"\nemail = "owner@example.com"')
    found = findings(SMTP_URL="smtp://127.0.0.1:9")
    assert [level for level, _ in found] == ["hint", "hint"]
    assert "the webhook's server 127.0.0.1 doesn't answer" in found[1][1]


def test_mails_link_to_a_lead_once_somebody_may_sign_in(sqlite: Database) -> None:
    def inbox(**given: str) -> str | None:
        return inbox_of(Settings.read({f"FORMAPP_{n}": v for n, v in given.items()}), sqlite)

    base, leads = "https://forms.example.com", "https://forms.example.com/inbox/leads/"
    assert inbox(BASE_URL=base) is None
    assert inbox(OWNER_PASSWORD="a long password") is None
    assert inbox(BASE_URL=base, OWNER_PASSWORD="a long password") == leads
    Users(sqlite).add("ada", "a long password")
    assert inbox(BASE_URL=base) == leads


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_visitors_post_reaches_owner_webhook_and_visitor_over_processes(
    commands: Commands, database_url: str
) -> None:
    forms = commands.folder / "forms"
    forms.mkdir()
    with mail_server() as mails, receiver() as hooks:
        top = ALL.replace("HOOK", hooks.url).replace('every = "day"', "").replace("chat = true", "")
        (forms / "contact.toml").write_text(f'title = "Ask us"\n{top}\n{FIELDS}', "utf-8")
        installation = Installation(
            commands,
            database_url,
            FORMS=str(forms),
            SMTP_URL=mails.url,
            MAIL_FROM="forms@example.com",
            WEBHOOK_SECRET=SECRET,
            OWNER_PASSWORD="a long password",
        )
        send(installation.web, "contact", name="Ines Okafor", email=EMAIL, message="Hello")
        eventually(lambda: len(mails.taken) == 2 and len(hooks.posts) == 1)
    by_receiver = {mail.to: mail for mail in mails.taken}
    mail = by_receiver["owner@example.com"]
    assert mail.message["Reply-To"] == EMAIL
    assert mail.link.startswith(f"{installation.web}/inbox/leads/")
    assert by_receiver[EMAIL].part("plain").startswith("Hello Ines,")
    assert end(installation.serve_process) == 0
